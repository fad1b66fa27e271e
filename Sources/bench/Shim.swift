internal import Foundation

/// A few lines of C that are loaded before the C library's own (ld.so(8), LD_PRELOAD).
struct Shim {
  private let library: URL

  /// Compiles it; `nil` without a C compiler.
  init?(_ name: String, _ source: String, on stage: Stage) throws {
    guard Tool.find("cc") != nil else { return nil }
    let file = stage.folder.appending(path: name + ".c")
    library = stage.folder.appending(path: name + ".so")
    try source.write(to: file, atomically: false, encoding: .utf8)
    _ = try stage.run(["cc", "-O2", "-shared", "-fPIC", "-o", library.path, file.path])
  }

  /// What a program is started with.
  var environment: [String: String] { Self.environment([self]) }

  /// The same of several shims.
  static func environment(_ shims: [Shim]) -> [String: String] {
    shims.isEmpty ? [:] : ["LD_PRELOAD": shims.map(\.library.path).joined(separator: ":")]
  }

  /// Counts allocations in the mapped file BENCH_COUNTER, so that nobody need ask the process.
  static let allocations = """
    #include <errno.h>
    #include <fcntl.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
    extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
    static uint64_t none, *count = &none;
    __attribute__((constructor)) static void begin(void) {
      const char *path = getenv("BENCH_COUNTER");
      int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
      void *page = mmap(0, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (page != MAP_FAILED) count = page;
    }
    static void one(void) { __atomic_fetch_add(count, 1, __ATOMIC_RELAXED); }
    void *malloc(size_t size) { one(); return __libc_malloc(size); }
    void *calloc(size_t items, size_t size) { one(); return __libc_calloc(items, size); }
    void *realloc(void *old, size_t size) { one(); return __libc_realloc(old, size); }
    void *memalign(size_t align, size_t size) { one(); return __libc_memalign(align, size); }
    void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }
    int posix_memalign(void **out, size_t align, size_t size) {
      void *memory = memalign(align, size);
      if (memory) *out = memory;
      return memory ? 0 : ENOMEM;
    }

    """

  /// Lets 100,000 images be hosted in a fraction of the time: what is durable does not matter to a
  /// GET.
  static let unsynced = """
    int fsync(int file) { return file < 0 ? -1 : 0; }
    int fdatasync(int file) { return fsync(file); }

    """

  /// Gives every TCP socket of wrk a receive buffer of 1 MiB instead of one that grows by itself
  /// (tcp(7), tcp_rmem). The kernel guesses that growth from how a server's packets come. Where the
  /// window stays small, most of an answer leaves when wrk's core acknowledges, and on its account:
  /// nginx, whose head is a packet of its own, then looks a third cheaper at 256 KB, although both
  /// sides together spend the same.
  static let fixedWindow = """
    #include <sys/socket.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int socket(int family, int type, int protocol) {
      int size = 1 << 20, made = (int)syscall(SYS_socket, family, type, protocol);
      if (made >= 0 && family == AF_INET &&
          setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(made, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
      return made;
    }

    """

  /// wrk waits for the body that the head of an answer to HEAD names (RFC 9110, 9.3.2: none comes).
  /// This lets it read that the length is 0. It asks for one at a time, so that every read begins
  /// with a head.
  static let bodilessAnswers = """
    #define _GNU_SOURCE
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    ssize_t read(int file, void *buffer, size_t size) {
      ssize_t count = syscall(SYS_read, file, buffer, size);
      if (count < 12 || memcmp(buffer, "HTTP/1.1 200", 12) != 0) return count;
      static const char name[] = "\\r\\nContent-Length: ";
      char *end = (char *)buffer + count, *at = memmem(buffer, count, name, sizeof name - 1);
      for (at = at ? at + sizeof name - 1 : end; at < end && *at >= '0' && *at <= '9'; at++)
        *at = '0';
      return count;
    }

    """
}
