// What Swift's importer cannot see of sqlite3.h.
#ifndef ASSETD_CSQLITE_SHIM_H
#define ASSETD_CSQLITE_SHIM_H
#include <errno.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer: SQLite copies the value before it
// returns.
static inline int csqlite_bind_blob(sqlite3_stmt *s, int at, const void *bytes, int size) {
  return size == 0 ? sqlite3_bind_zeroblob(s, at, 0)
                   : sqlite3_bind_blob(s, at, bytes, size, SQLITE_TRANSIENT);
}
static inline int csqlite_bind_text(sqlite3_stmt *s, int at, const char *text, int size) {
  return sqlite3_bind_text(s, at, text, size, SQLITE_TRANSIENT);
}

// sqlite3_db_config is variadic.
static inline int csqlite_set_flag(sqlite3 *db, int operation, int on) {
  return sqlite3_db_config(db, operation, on, (int *)0);
}

// For forced write errors (WriteFaults.swift): SQLite's own file calls do not pass our seam, but
// its unix VFS lets a program put its own function in the place of pwrite(2).
typedef ssize_t (*csqlite_write)(int, const void *, size_t, off_t);
static inline int csqlite_replace_write(csqlite_write replacement) {
  sqlite3_vfs *vfs = sqlite3_vfs_find(0);
  return vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)replacement);
}
static inline void csqlite_set_errno(int code) { errno = code; }
static inline int csqlite_gettid(void) { return (int)syscall(SYS_gettid); }
// Whether the last failed write of the log met a quota that is used up (EDQUOT): SQLite takes
// ENOSPC for a full disk and nothing else.
static inline int csqlite_is_over_quota(sqlite3 *db) {
  sqlite3_file *log = 0;
  int code = 0;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK) return 0;
  if (!log || !log->pMethods) return 0;
  log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &code);
  return code == EDQUOT;
}

// For reads that must not wait for a disk (ReadsAtOnce.swift): the thread's reads fail with EAGAIN
// where they would (preadv2(2), RWF_NOWAIT). One file of Swift uses these: a `static` of a header
// may have a copy in every object.
__attribute__((noinline, unused)) static int *csqlite_at_once(void) {
  static __thread int state;
  return &state;
}
static inline ssize_t csqlite_read_or_not(int fd, void *bytes, size_t size, off_t offset) {
  struct iovec place = {bytes, size};
  ssize_t got;
  if (!*csqlite_at_once()) return pread(fd, bytes, size, offset);
  got = syscall(SYS_preadv2, fd, &place, 1L, (long)offset, 0L, 8L /* RWF_NOWAIT */);
  if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) {
    *csqlite_at_once() = 2;
    errno = EAGAIN;
  }
  return got;
}
static inline int csqlite_replace_read(void) {
  sqlite3_vfs *vfs = sqlite3_vfs_find(0);
  return vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)csqlite_read_or_not);
}
static inline void csqlite_begin_at_once(void) { *csqlite_at_once() = 1; }
static inline int csqlite_had_to_wait(void) { return *csqlite_at_once() == 2; }
static inline void csqlite_end_at_once(void) { *csqlite_at_once() = 0; }

// For a forced failure of the log's fsync, which has no place in the list of xSetSystemCall: this
// connection's log gets methods whose sync fails, and which say `code` for the errno.
static inline int *csqlite_sync_errno(void) {
  static int code;
  return &code;
}
static inline int csqlite_fail_sync(sqlite3_file *log, int flags) {
  (void)log;
  (void)flags;
  return SQLITE_IOERR_FSYNC;
}
static inline int csqlite_control(sqlite3_file *log, int operation, void *value) {
  (void)log;
  if (operation != SQLITE_FCNTL_LAST_ERRNO) return SQLITE_NOTFOUND;
  *(int *)value = *csqlite_sync_errno();
  return SQLITE_OK;
}
static inline int csqlite_fail_syncs(sqlite3 *db, int code) {
  static sqlite3_io_methods failing;
  sqlite3_file *log = 0;
  int found = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (found != SQLITE_OK || !log || !log->pMethods) return 0;
  *csqlite_sync_errno() = code;
  failing = *log->pMethods;
  failing.xSync = csqlite_fail_sync;
  failing.xFileControl = csqlite_control;
  log->pMethods = &failing;
  return 1;
}

#endif
