internal import HTTPServer
internal import Kernel
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

    /// Keeps the larger one.
    func raise(to amount: Int) {
      if amount > current { value.store(amount, ordering: .relaxed) }
    }
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

  /// The upper bounds of the turns' buckets in nanoseconds; one more holds the rest.
  static let turnBounds: [Int64] = [1, 10, 100, 1_000].map { $0 * 1_000_000 }
  /// The loop's turns by their length: for so long nobody else was served.
  let turns = InlineArray<5, Count> { _ in Count() }
  /// What the turns took, in nanoseconds.
  let turnNanoseconds = Count()
  /// The longest turn, in nanoseconds.
  let longestTurn = Count()

  /// A turn of the loop is over.
  func turnEnded(nanoseconds: Int64) {
    var bucket = 0
    while bucket < Self.turnBounds.count, nanoseconds > Self.turnBounds[bucket] { bucket += 1 }
    turns[bucket].add()
    turnNanoseconds.add(Int(nanoseconds))
    longestTurn.raise(to: Int(nanoseconds))
  }

  /// Why requests were refused or failed.
  struct Refusal: Hashable, Sendable {
    let status: Int
    /// The error's `code`; what an upstream made up counts as `other`.
    let code: String
  }
  private let refusals = Mutex<[Refusal: Int]>([:])
  /// Upstreams choose codes, too: more than so many different ones are counted together.
  private static let mostRefusals = 100

  /// An answer that is an error.
  func refused(_ status: Int, _ code: String?) {
    let code = code ?? "none"
    let isOurs = code.utf8.count <= 40 && code.utf8.allSatisfy { $0.isCodeCharacter }
    refusals.withLock { refusals in
      var key = Refusal(status: status, code: isOurs ? code : "other")
      if refusals[key] == nil, refusals.count >= Self.mostRefusals {
        key = Refusal(status: status, code: "other")
      }
      refusals[key, default: 0] += 1
    }
  }

  /// How many there were of each.
  var refusalCounts: [Refusal: Int] { refusals.withLock { $0 } }

  func record(_ outcome: ExchangeOutcome) {
    exchanges[Int(RequestKind(rawValue: outcome.tag)?.rawValue ?? 0)].record(outcome)
  }

  /// Lends the exchanges of one kind.
  func with<R>(_ kind: RequestKind, _ body: (borrowing Exchanges) -> R) -> R {
    body(exchanges[Int(kind.rawValue)])
  }
}

extension UInt8 {
  /// Lower case, a digit or `_`.
  fileprivate var isCodeCharacter: Bool {
    (0x61...0x7A).contains(self) || (0x30...0x39).contains(self) || self == 0x5F
  }
}

/// The counters of all loops.
final class Metrics: Sendable {
  private let refusedByQuota = Atomic<Int>(0)
  private let notStored = Atomic<Int>(0)
  private let lost = Atomic<Int>(0)

  /// Orders and uploads that a key's quota refused.
  var quotaRefusals: Int { refusedByQuota.load(ordering: .relaxed) }
  /// Images that were paid for and could not be stored.
  var unstoredImages: Int { notStored.load(ordering: .relaxed) }

  /// Images that were paid for and are neither stored nor delivered.
  var lostImages: Int { lost.load(ordering: .relaxed) }

  /// Counts one more refusal.
  func noteQuotaRefusal() { refusedByQuota.add(1, ordering: .relaxed) }

  /// Counts images that could not be stored.
  func noteUnstored(_ images: Int) { notStored.add(images, ordering: .relaxed) }

  /// Counts an image that nobody has.
  func noteLost() { lost.add(1, ordering: .relaxed) }

  private let all = Mutex<[LoopCounters]>([])
  /// When the service started, in unix seconds.
  let startedAt = SystemClock.wallSeconds

  /// Counters for one more loop.
  func makeLoop() -> LoopCounters {
    let counters = LoopCounters()
    all.withLock { $0.append(counters) }
    return counters
  }

  var loops: [LoopCounters] { all.withLock { $0 } }
}
