internal import CLinux

/// Signals as values (sigwaitinfo(2)): no handler, nothing that interrupts anything.
public final class SignalWatch: Sendable {
  /// The signals that a daemon acts on.
  public enum Signal: Sendable, CaseIterable {
    /// SIGTERM
    case terminate
    /// SIGINT
    case interrupt
    /// SIGHUP
    case hangUp

    var number: Int32 {
      switch self {
      case .terminate: SIGTERM
      case .interrupt: SIGINT
      case .hangUp: SIGHUP
      }
    }
  }
  private let stream: AsyncStream<Signal>

  /// Blocks these signals for this thread and those that it starts from now on, and watches for
  /// them. To be made first, before any other thread.
  ///
  /// - Parameter insisted: told once, at the second signal that asks for the end; on a thread of
  ///   its own, as the tasks' threads may all wait for something.
  public init(_ signals: [Signal], insisted: @escaping @Sendable () -> Void = {}) {
    let (stream, continuation) = AsyncStream.makeStream(of: Signal.self)
    self.stream = stream
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for signal in signals { unsafe sigaddset(&set, signal.number) }
    // Fails only for a wrong first argument.
    _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    let watched = set
    // Nobody waits for its end: it has none.
    try? KernelThread.start(name: "signals", stackBytes: 128 << 10, isAwaited: false) {
      var watched = watched
      var asked = 0
      while true {
        let number = unsafe sigwaitinfo(&watched, nil)
        guard let signal = signals.first(where: { $0.number == number }) else { continue }
        continuation.yield(signal)
        guard signal != .hangUp else { continue }
        asked += 1
        if asked == 2 { insisted() }
      }
    }
  }

  /// The next signal, once it comes.
  public func next() async -> Signal? {
    for await signal in stream { return signal }
    return nil
  }
}

extension KernelThread {
  /// Parks the calling thread for good; its signal mask stays as it is (pause(2)).
  ///
  /// For a main thread whose program runs in tasks. Left to libdispatch (`dispatchMain`, an async
  /// `main`) it would wait in sigsuspend(2) with an empty mask, and take every signal that a
  /// `SignalWatch` waits for: SIGTERM would end the process at once.
  public static func park() -> Never {
    while true { _ = pause() }
  }
}
