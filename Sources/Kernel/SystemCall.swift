// The seam: every system call of the project passes `perform`. It retries EINTR, turns
// would-block into a value, traps on what only a bug of ours can cause (EFAULT, and EBADF of a
// descriptor that we opened), and lets a test record the calls of a thread or make its n-th call
// fail.
internal import CLinux
internal import Synchronization

/// The calls that pass the seam, by their names in section 2 of the manual.
public enum SystemCall: String, Sendable, Hashable {
  case accept = "accept4"
  case bind, close, connect
  case epollCreate = "epoll_create1"
  case epollControl = "epoll_ctl"
  case epollWait = "epoll_wait"
  case eventfd
  case fadvise = "fadvise64"
  case fallocate, fchmod, fchmodat, fcntl, fdatasync, flock, fstat
  case fstatat = "newfstatat"
  case fstatvfs, fsync, ftruncate
  case getdents = "getdents64"
  case getsockname, getsockopt, ioctl, linkat, listen, mkdirat, openat, poll
  case pread = "pread64"
  case preadv2
  case pthreadCreate = "pthread_create"
  case pwrite = "pwrite64"
  case read, readahead, recv
  case rename = "renameat2"
  case send, sendfile, sendmsg, setsockopt, shutdown, signalfd, socket, unlinkat
  case utimensat, write
}

/// Runs one call: `body` returns the kernel's result, negative for an error that errno names.
///
/// Returns `nil` for EAGAIN. EINTR is retried, except for `close`, whose descriptor is gone
/// (close(2), NOTES).
///
/// - Parameters:
///   - given: whether the descriptor was given to the process: that one may be closed.
///   - descriptor: what the call is about, where a test asks for it (`SystemCallTrace.synced`).
@inline(__always)
func perform(
  _ call: SystemCall, given: Bool = false, on descriptor: Int32? = nil, _ body: () -> Int
) throws(Errno) -> Int? {
  while true {
    if SystemCallTrace.isOn.load(ordering: .relaxed),
      let forced = SystemCallTrace.pass(call, descriptor)
    {
      throw Errno(call, code: forced)
    }
    let result = body()
    if result >= 0 { return result }
    // errno is read before any reference counting can change it.
    let code = clinux_errno()
    switch code {
    case EINTR where call != .close: continue
    case EINTR: return 0
    case EAGAIN: return nil
    case EBADF where given: throw Errno(call, code: code)
    case EBADF, EFAULT: preconditionFailure("\(call.rawValue): errno \(code) is a bug of ours")
    default: throw Errno(call, code: code)
    }
  }
}

/// Runs one call that can not say would-block.
@inline(__always)
@discardableResult
func performBlocking(
  _ call: SystemCall, on descriptor: Int32? = nil, _ body: () -> Int
) throws(Errno) -> Int {
  guard let result = try perform(call, on: descriptor, body) else {
    throw Errno(call, code: EAGAIN)
  }
  return result
}

/// Records the system calls of chosen threads and makes chosen ones fail; for tests.
///
/// Costs one relaxed load per call while off.
public enum SystemCallTrace {
  struct Watch {
    var calls: [SystemCall] = []
    var synced: [String] = []
    var faults: [(call: SystemCall, countdown: Int, code: Int32)] = []
  }
  static let isOn = Atomic<Bool>(false)
  private static let watches = Mutex<[Int32: Watch]>([:])

  /// Starts recording the thread with this kernel id (gettid(2)).
  public static func start(thread: Int32) {
    watches.withLock { $0[thread] = Watch() }
    isOn.store(true, ordering: .sequentiallyConsistent)
  }

  /// Stops recording the thread; returns its calls in order, EINTR retries included.
  public static func stop(thread: Int32) -> [SystemCall] {
    watches.withLock { all in
      let calls = all.removeValue(forKey: thread)?.calls ?? []
      isOn.store(!all.isEmpty, ordering: .sequentiallyConsistent)
      return calls
    }
  }

  /// The paths of what a recorded thread has synced so far, as they were then (/proc/self/fd).
  public static func synced(thread: Int32) -> [String] {
    watches.withLock { $0[thread]?.synced ?? [] }
  }

  /// Makes the `nth` (from 1) next `call` of a recorded thread fail with `code`, once.
  public static func fail(_ call: SystemCall, nth: Int, code: Int32, thread: Int32) {
    watches.withLock { $0[thread]?.faults.append((call, nth, code)) }
  }

  private static func path(of descriptor: Int32) -> String {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/fd/\(descriptor)", &path, path.count)
    return String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The forced error of this call, if it is due.
  static func pass(_ call: SystemCall, _ descriptor: Int32?) -> Int32? {
    let thread = clinux_gettid()
    return watches.withLock { all in
      guard all[thread] != nil else { return nil }
      all[thread]?.calls.append(call)
      if call == .fsync, let descriptor { all[thread]?.synced.append(path(of: descriptor)) }
      guard let faults = all[thread]?.faults else { return nil }
      for (index, fault) in faults.enumerated() where fault.call == call {
        if fault.countdown > 1 {
          all[thread]?.faults[index].countdown -= 1
        } else {
          all[thread]?.faults.remove(at: index)
          return fault.code
        }
        break
      }
      return nil
    }
  }
}
