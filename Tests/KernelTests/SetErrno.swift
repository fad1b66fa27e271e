import Glibc

/// Fails as a system call does: -1, and errno says why.
func setErrno(_ code: Int32) -> Int {
  errno = code
  return -1
}
