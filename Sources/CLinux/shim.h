// Linux calls that Swift's Glibc module lacks or imports badly (varargs, macros, unions).
#ifndef ASSETD_CLINUX_SHIM_H
#define ASSETD_CLINUX_SHIM_H

// Not _GNU_SOURCE: Swift's Glibc module is built without it, and two modules that define one struct
// differently do not compile. What only GNU declares is declared here.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline int clinux_errno(void) { return errno; }

// openat(2) is variadic in the header.
static inline int clinux_openat(int dir, const char *path, int flags, mode_t mode) {
  return openat(dir, path, flags, mode);
}

// fcntl(2) is variadic in the header.
static inline int clinux_fcntl(int fd, int command, long argument) {
  return fcntl(fd, command, argument);
}

// ioctl(2) is variadic in the header. SIOCOUTQ of tcp(7): what the peer has not acknowledged.
static inline int clinux_unacknowledged(int fd) {
  int count = 0;
  return ioctl(fd, TIOCOUTQ, &count) < 0 ? -1 : count;
}

// rename without replacing (renameat2(2), RENAME_NOREPLACE).
static inline int clinux_rename_noreplace(int from, const char *old, int to, const char *new_) {
  return (int)syscall(SYS_renameat2, from, old, to, new_, 1u);
}

// accept4(2), thread names, CPU affinity and memmem(3) are declared for GNU only.
static inline int clinux_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) {
  return (int)syscall(SYS_accept4, fd, address, size, flags);
}

// What every thread of ours begins with. Signals are for the thread that waits for them; and
// sendfile(2) to a peer that is gone raises SIGPIPE, which no flag prevents: blocked, it is EPIPE.
static inline void clinux_begin_thread(const char *name) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  prctl(PR_SET_NAME, name);
}
// For the calling thread: what others leave of the disk (ioprio_set(2), IOPRIO_CLASS_IDLE).
static inline void clinux_yield_disk(void) { syscall(SYS_ioprio_set, 1, 0, 3 << 13); }
static inline int clinux_terminal_columns(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// SIG_IGN is a cast that Swift does not import.
static inline void clinux_ignore_signal(int number) { signal(number, SIG_IGN); }

// Waits for a thread's end until a time of CLOCK_REALTIME (pthread_timedjoin_np(3)); declared for
// GNU only.
extern int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until);
static inline int clinux_join(pthread_t thread, int64_t nanoseconds) {
  struct timespec until = {
      (time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
  return pthread_timedjoin_np(thread, NULL, &until);
}
static inline int clinux_forbid_core_dumps(void) {
  struct rlimit none = {0, 0};
  return setrlimit(RLIMIT_CORE, &none);
}
// Bytes of all blocks that the program holds, over all arenas. Not in Swift: there mallinfo2() is
// the struct's own initializer.
static inline size_t clinux_allocated_bytes(void) {
  struct mallinfo2 figures = mallinfo2();
  return figures.uordblks + figures.hblkhd;
}
static inline int clinux_usable_cores(void) {
  unsigned long mask[16] = {0};
  int count = 0;
  if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) <= 0) return 1;
  for (int word = 0; word < 16; word++) count += __builtin_popcountl(mask[word]);
  return count;
}
static inline int clinux_pin_thread(int cpu) {
  unsigned long mask[16] = {0};
  if (cpu < 0 || cpu >= 1024) return -1;
  mask[cpu / 64] = 1ul << (cpu % 64);
  return (int)syscall(SYS_sched_setaffinity, 0, sizeof mask, mask);
}
extern void *memmem(const void *haystack, size_t size, const void *needle, size_t length);

// The GNU spelling of strerror_r(3) is another function than the POSIX one.
static inline int clinux_error_text(int code, char *buffer, size_t size) {
  return strerror_r(code, buffer, size);
}

// The thread's kernel id, asked once a thread. pthread_self() will not do: it is
// __attribute__((const)) and was folded across an await in release builds; noinline keeps the
// thread-local's address from being kept across one.
__attribute__((noinline, unused)) static int clinux_gettid(void) {
  static __thread int id;
  if (id == 0) id = (int)syscall(SYS_gettid);
  return id;
}

// Files: fallocate(2) is declared for GNU only, getdents64(2) has no wrapper in the POSIX headers,
// and futimens(2)'s special values are macros.
static inline int clinux_fallocate_keep_size(int fd, off_t offset, off_t length) {
  return (int)syscall(SYS_fallocate, fd, 1 /* FALLOC_FL_KEEP_SIZE */, offset, length);
}
// Reads what needs no disk; EAGAIN if the first byte does (preadv2(2), RWF_NOWAIT).
static inline long clinux_read_at_once(int fd, void *buffer, size_t count, off_t offset) {
  struct iovec place = {buffer, count};
  return syscall(SYS_preadv2, fd, &place, 1, offset, 0L, 8 /* RWF_NOWAIT */);
}
static inline long clinux_peek(int fd, off_t offset) {
  char byte;
  return clinux_read_at_once(fd, &byte, 1, offset);
}
// Opens a name whose whole path is in the kernel's memory; EAGAIN when it is not (openat2(2),
// RESOLVE_CACHED; since Linux 5.12, 437 on every architecture).
static inline int clinux_openat_cached(int dir, const char *path, int flags) {
  struct {
    uint64_t flags, mode, resolve;
  } how = {(uint64_t)flags, 0, 0x20};
  return (int)syscall(437, dir, path, &how, sizeof how);
}
// Whether the file system is memory: tmpfs or ramfs (statfs(2), f_type).
static inline int clinux_is_memory(int fd) {
  struct statfs raw;
  if (fstatfs(fd, &raw) != 0) return 0;
  return raw.f_type == 0x01021994 || raw.f_type == 0x858458f6;
}
static inline long clinux_readahead(int fd, off_t offset, size_t count) {
  return syscall(SYS_readahead, fd, offset, count);
}
// Lets go of a file's pages (posix_fadvise(3), POSIX_FADV_DONTNEED): changed ones stay.
static inline int clinux_forget(int fd) {
  return (int)syscall(SYS_fadvise64, fd, (off_t)0, (off_t)0, 4);
}
static inline long clinux_getdents(int fd, void *buffer, size_t size) {
  return syscall(SYS_getdents64, fd, buffer, size);
}
static inline int clinux_set_modified(int fd, int64_t seconds) {
  struct timespec times[2] = {{0, UTIME_OMIT}, {(time_t)seconds, 0}};
  return futimens(fd, times);
}

#endif
