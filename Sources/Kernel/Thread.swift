internal import CLinux
internal import Synchronization

/// A kernel thread that runs one closure (pthread_create(3)).
public enum KernelThread {
  /// Starts a thread; `name` is at most 15 bytes (pthread_setname_np(3)).
  ///
  /// - Parameter isAwaited: whether the process waits for its end (`joinAll`); not for one that
  ///   waits for something that may never come.
  /// - Throws: EAGAIN when the system has no thread left.
  public static func start(
    name: String, stackBytes: Int = 1 << 20, isAwaited: Bool = true,
    _ body: @escaping @Sendable () -> Void
  ) throws(Errno) {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    if !isAwaited {
      unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    }
    unsafe pthread_attr_setstacksize(&attributes, stackBytes)
    let box = unsafe Unmanaged.passRetained(Body(name: name, run: body))
    let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
      guard let argument = unsafe argument else { return nil }
      let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
      unsafe clinux_begin_thread(body.name)
      body.run()
      KernelThread.leave()
      return nil
    }
    // Under the lock: the thread may end before this one goes on.
    let code = roll.withLock { roll in
      var thread = pthread_t()
      let code = unsafe pthread_create(&thread, &attributes, entry, box.toOpaque())
      if code == 0, isAwaited { roll.running.insert(thread) }
      return code
    }
    guard code == 0 else {
      unsafe box.release()
      throw Errno(.pthreadCreate, code: code)
    }
  }

  /// The calling thread's id, as gettid(2) gives it.
  public static var currentID: Int32 { clinux_gettid() }

  /// The calling thread takes what others leave of the disk, from here on (ioprio_set(2)). A disk
  /// whose scheduler knows no priorities serves it as before. Not of the processor: such a thread
  /// would hold locks that others wait for.
  public static func yieldDisk() { clinux_yield_disk() }

  /// Lets the calling thread do nothing for so long; never an event loop's (clock_nanosleep(2)).
  public static func sleep(nanoseconds: Int64) {
    var left = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    var rest = timespec()
    while unsafe clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &rest) == EINTR { left = rest }
  }

  private final class Body: Sendable {
    let name: String
    let run: @Sendable () -> Void
    init(name: String, run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }

  // MARK: Ends

  /// The awaited threads.
  private struct Roll {
    var running: Set<pthread_t> = []
    /// The last one that left; the next to leave waits for its end, so that there is one at most.
    var last: pthread_t?
  }
  private static let roll = Mutex(Roll())

  /// A thread's body is over. Its end, with the destructors of its thread-local values (libcrypto
  /// has some), is still to come.
  private static func leave() {
    let own = pthread_self()
    let previous = roll.withLock { roll -> pthread_t? in
      // Not awaited, or somebody waits for it already.
      guard roll.running.remove(own) != nil else { return nil }
      defer { roll.last = own }
      return roll.last
    }
    if let previous { pthread_join(previous, nil) }
  }

  /// Waits until all awaited threads have ended, those that start meanwhile too; whoever calls has
  /// told them to. `false` when they did not within `nanoseconds`.
  public static func joinAll(within nanoseconds: Int64) -> Bool {
    let end = SystemClock.wallNanoseconds + nanoseconds
    while true {
      let next = roll.withLock { roll -> pthread_t? in
        if let running = roll.running.popFirst() { return running }
        defer { roll.last = nil }
        return roll.last
      }
      guard let next else { return true }
      guard clinux_join(next, end) == 0 else { return false }
    }
  }
}
