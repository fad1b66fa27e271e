#!/bin/sh
# Installs the two libraries that assetd links, with their headers: SQLite and OpenSSL.
# Says and does nothing when they are there. Debian, Ubuntu and relatives; as root, or with sudo.
set -eu

packages="libsqlite3-dev libssl-dev"

fail() {
  echo "install-libraries: $1" >&2
  exit 1
}

# What is missing is what the compiler would not find.
missing() {
  compiler=$(command -v clang || command -v cc || command -v gcc || true)
  if [ -n "$compiler" ]; then
    printf '#include <sqlite3.h>\n#include <openssl/ssl.h>\n' \
      | "$compiler" -E -x c - >/dev/null 2>&1 && return 1
  else
    [ -e /usr/include/sqlite3.h ] && [ -e /usr/include/openssl/ssl.h ] && return 1
  fi
  return 0
}

missing || exit 0

command -v apt-get >/dev/null 2>&1 || fail "there is no apt-get here: install the headers of\
 SQLite and OpenSSL (sqlite-devel and openssl-devel on Fedora) with your package manager."

if [ "$(id -u)" -eq 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
else
  fail "installing $packages needs root: run this script as root, or install sudo."
fi

# Package lists may be missing or older than the mirror: the first try may fail quietly.
install() {
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    $packages </dev/null
}

echo "install-libraries: installing $packages" >&2
if ! install >/dev/null 2>&1; then
  $as_root apt-get update -q </dev/null >&2 || fail "apt-get update failed; see above."
  install >&2 || fail "apt-get could not install $packages; see above."
fi
if missing; then
  fail "$packages are installed, and yet the compiler does not find their headers."
fi
