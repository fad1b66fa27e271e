internal import Kernel
internal import Synchronization

/// The calls of upstreams, over all loops: a call is rare and takes seconds, so a lock is no cost.
final class UpstreamCounters: Sendable {
  /// The upper bounds of the durations' buckets in seconds; one more holds the rest.
  static let bounds = [1, 3, 10, 30, 60, 120, 300]

  /// The calls of one upstream.
  struct Calls: Sendable {
    /// By what became of them: `answered`, `abandoned`, or the kind of the failure.
    var byOutcome: [String: Int] = [:]
    /// By how long they took.
    var byDuration = [Int](repeating: 0, count: UpstreamCounters.bounds.count + 1)
    /// What they took together.
    var nanoseconds: Int64 = 0
  }
  private let calls = Mutex<[String: Calls]>([:])

  /// A call is over.
  func ended(_ upstream: String, _ outcome: String, nanoseconds: Int64) {
    let bound = Self.bounds.firstIndex { nanoseconds <= Int64($0) * 1_000_000_000 }
    calls.withLock { calls in
      calls[upstream, default: Calls()].byOutcome[outcome, default: 0] += 1
      calls[upstream, default: Calls()].byDuration[bound ?? Self.bounds.count] += 1
      calls[upstream, default: Calls()].nanoseconds += nanoseconds
    }
  }

  /// All of them, by upstream.
  var all: [String: Calls] { calls.withLock { $0 } }
}

/// One call that is counted once: by the first outcome that is told, or as abandoned.
final class CountedCall: Sendable {
  private let counters: UpstreamCounters
  private let upstream: String
  private let started = SystemClock.monotonicNanoseconds
  private let isOver = Atomic<Bool>(false)

  init(_ upstream: String, _ counters: UpstreamCounters) {
    self.upstream = upstream
    self.counters = counters
  }

  /// What became of it.
  func end(_ outcome: String) {
    guard !isOver.exchange(true, ordering: .relaxed) else { return }
    counters.ended(
      upstream, outcome, nanoseconds: SystemClock.monotonicNanoseconds - started)
  }

  deinit { end("abandoned") }
}
