// A disk that stalls fails no call: they only do not come back. So each call that may wait for the
// disk is noted while it runs, and a thread that never touches the disk looks once a second how
// long the oldest has been waiting.
//
//     answers ──a call waits for longer than 10 s──► stalled: read-only, not ready
//        ▲                                              │
//        └────────── one that has waited so long comes back, or none waits any more
//
// Noted are looks at the disk, reads of blobs, point reads, the writer's transactions, and how an
// upload begins: each asks the disk for little. An upload's fsync, a list, and the scrub's reads
// may take as long on a slow disk that does answer.
internal import Kernel
internal import Synchronization

/// The calls that wait for the disk now.
final class DiskWaits: Sendable {
  private struct State {
    var next = 0
    /// When they began, in monotonic nanoseconds.
    var began: [Int: Int64] = [:]
    /// When one came back that had waited for too long, in monotonic nanoseconds.
    var answeredAt: Int64?
  }
  private let state = Mutex(State())
  /// How long a call may wait, in nanoseconds.
  let limit: Int64
  /// So long after an answer others have to come back before they speak of a stall, in nanoseconds.
  private static let grace: Int64 = 1_000_000_000

  init(limit: Int64) { self.limit = limit }

  /// A call begins; what this returns goes to `end`.
  func begin() -> Int {
    let now = SystemClock.monotonicNanoseconds
    return state.withLock { state in
      state.next &+= 1
      state.began[state.next] = now
      return state.next
    }
  }

  /// The call came back.
  ///
  /// - Returns: whether it had waited for too long: the disk answers again.
  func end(_ wait: Int) -> Bool {
    let now = SystemClock.monotonicNanoseconds
    return state.withLock { state in
      guard let began = state.began.removeValue(forKey: wait), now - began > limit else {
        return false
      }
      state.answeredAt = now
      return true
    }
  }

  /// For how many nanoseconds the oldest has been waiting; `nil` when none is.
  func longest(at now: Int64 = SystemClock.monotonicNanoseconds) -> Int64? {
    state.withLock { $0.began.values.min().map { now - $0 } }
  }

  /// For how many nanoseconds the disk has not answered; `nil` when it does.
  func stall(at now: Int64 = SystemClock.monotonicNanoseconds) -> Int64? {
    state.withLock { state in
      if let answeredAt = state.answeredAt, now - answeredAt < Self.grace { return nil }
      guard let oldest = state.began.values.min(), now - oldest > limit else { return nil }
      return now - oldest
    }
  }
}

/// The thread that looks.
final class StallWatch: Sendable {
  private let health: HealthMonitor
  private let wake = ThreadSignal()
  private let isEnding = Atomic<Bool>(false)

  /// Starts the thread. It ends soon after `stop`, which does not wait for it.
  init(_ health: HealthMonitor) throws(Errno) {
    self.health = health
    try KernelThread.start(name: "store-stall") { [self] in run() }
  }

  /// Ends the thread.
  func stop() {
    isEnding.store(true, ordering: .releasing)
    wake.raise()
  }

  private func run() {
    // A tenth of the limit late at most, and no more often than that.
    let interval = Int32(min(max(health.waits.limit / 10_000_000, 1), 1000))
    while !isEnding.load(ordering: .acquiring) {
      _ = wake.wait(milliseconds: interval)
      let seconds = health.waits.stall().map { $0 / 1_000_000_000 }
      health.noteStall(since: seconds.map { SystemClock.wallSeconds - $0 })
    }
  }
}
