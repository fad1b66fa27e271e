internal import HTTPServer
internal import Synchronization

/// What requests are told apart by in metrics; the raw value is the exchange's tag.
enum RequestKind: UInt8, CaseIterable {
  /// Refused by the wire layer: nobody knows what it was for.
  case refused
  case api, link, permanent
}

/// What one loop has counted since the start: written by that loop alone, so that an addition is no
/// locked instruction, and read by whoever scrapes.
final class LoopCounters: Sendable {
  /// How answers are told apart: none (the client left before), then 1xx to 5xx.
  static let statusClasses = 6
  /// The upper bounds of the durations' buckets in nanoseconds; one more holds the rest.
  static let durationBounds: [Int64] = [1, 10, 100, 1_000, 10_000, 60_000].map { $0 * 1_000_000 }

  struct Count: ~Copyable, Sendable {
    private let value = Atomic<Int>(0)
    var current: Int { value.load(ordering: .relaxed) }

    func add(_ amount: Int = 1) { value.store(current &+ amount, ordering: .relaxed) }
  }

  /// The exchanges of one kind.
  struct Exchanges: ~Copyable, Sendable {
    let byStatus = InlineArray<6, Count> { _ in Count() }
    let byDuration = InlineArray<7, Count> { _ in Count() }
    let nanoseconds = Count()
    let bodyBytes = Count()
    let aborted = Count()

    func record(_ outcome: ExchangeOutcome) {
      byStatus[max(0, min(outcome.status / 100, LoopCounters.statusClasses - 1))].add()
      bodyBytes.add(Int(outcome.bodyBytes))
      if outcome.isAborted { aborted.add() }
      nanoseconds.add(Int(outcome.nanoseconds))
      var bucket = 0
      let bounds = LoopCounters.durationBounds
      while bucket < bounds.count, outcome.nanoseconds > bounds[bucket] { bucket += 1 }
      byDuration[bucket].add()
    }
  }

  private let exchanges = InlineArray<4, Exchanges> { _ in Exchanges() }
  /// Deliveries that found their asset open.
  let openHits = Count()
  /// Deliveries that had to read the row and open the file.
  let openMisses = Count()

  func record(_ outcome: ExchangeOutcome) {
    exchanges[Int(RequestKind(rawValue: outcome.tag)?.rawValue ?? 0)].record(outcome)
  }

  /// Lends the exchanges of one kind.
  func with<R>(_ kind: RequestKind, _ body: (borrowing Exchanges) -> R) -> R {
    body(exchanges[Int(kind.rawValue)])
  }
}

/// The counters of all loops.
final class Metrics: Sendable {
  private let all = Mutex<[LoopCounters]>([])

  /// Counters for one more loop.
  func makeLoop() -> LoopCounters {
    let counters = LoopCounters()
    all.withLock { $0.append(counters) }
    return counters
  }

  var loops: [LoopCounters] { all.withLock { $0 } }
}
