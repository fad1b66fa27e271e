// Blocking work (writes, fsync, cold files) leaves the loops for a fixed pool of threads with a
// bounded queue: when both are full the answer is "busy" at once, never a longer queue. Work that
// is owed is counted where it was taken on, and waits.
internal import Dispatch
public import Kernel
internal import Synchronization

/// Work was refused because the queue is full.
public struct WorkersBusy: Error {
  /// The error has no parts.
  public init() {}
}

/// A fixed pool of threads for calls that block.
public final class Workers: Sendable {
  private struct State {
    /// Each runs its body and returns how to tell who waits for it.
    var waiting = WaitingLine<@Sendable () -> @Sendable () -> Void>()
    /// Threads that run a piece of work.
    var busy = 0
    var isStopped = false
  }
  private let state = Mutex(State())
  private let available: DispatchSemaphore
  let threads: Int
  private let queueLimit: Int

  /// Starts `threads` threads; at most `queueLimit` pieces of work wait for one.
  public init(threads: Int, queueLimit: Int) throws(Errno) {
    self.threads = threads
    self.queueLimit = queueLimit
    available = DispatchSemaphore(value: 0)
    do throws(Errno) {
      for index in 0..<threads {
        try KernelThread.start(name: "worker-\(index)") { [self] in work() }
      }
    } catch {
      stop()
      throw error
    }
  }

  /// Runs `body` on a thread of the pool; the caller goes on where it was (on its loop).
  ///
  /// - Parameter isOwed: a full queue does not refuse it: it waits behind. For the rest of what has
  ///   begun, such as an answer, or an image that was paid for; its callers are counted elsewhere,
  ///   and each brings one piece at a time.
  /// - Throws: `WorkersBusy` when the queue is full or the pool stopped, else what `body` throws.
  public func run<R: Sendable>(
    isOwed: Bool = false, _ body: @escaping @Sendable () throws -> R
  ) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      let taken = add(isOwed: isOwed) {
        let result = Result { try body() }
        return { continuation.resume(with: result) }
      }
      if !taken { continuation.resume(throwing: WorkersBusy()) }
    }
  }

  /// Lets a thread of the pool be the last to hold these, for their end may take time; without a
  /// free place they end here.
  public func letGo<Held: Sendable>(of held: consuming [Held]) {
    _ = add { [held] in { _ = held } }
  }

  /// Runs `body` on a thread of the pool; `false` when the queue is full or the pool stopped.
  func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    add {
      body()
      return {}
    }
  }

  private func add(
    isOwed: Bool = false, _ work: @escaping @Sendable () -> @Sendable () -> Void
  ) -> Bool {
    let isTaken = state.withLock { state in
      let hasPlace = isOwed || state.waiting.count + state.busy < threads + queueLimit
      guard !state.isStopped, hasPlace else { return false }
      state.waiting.append(work)
      return true
    }
    if isTaken { available.signal() }
    return isTaken
  }

  /// Pieces of work that run or wait.
  public var pending: Int { state.withLock { $0.waiting.count + $0.busy } }

  /// Lets the threads end when the queue is empty; later work is refused.
  public func stop() {
    state.withLock { $0.isStopped = true }
    for _ in 0..<threads { available.signal() }
  }

  private func work() {
    while true {
      available.wait()
      let next = state.withLock { state -> (@Sendable () -> @Sendable () -> Void)? in
        let next = state.waiting.takeFirst()
        if next != nil { state.busy += 1 }
        return next
      }
      guard let next else { return }
      let tell = next()
      // First free, then told: who was told may come back at once.
      state.withLock { $0.busy -= 1 }
      tell()
    }
  }
}
