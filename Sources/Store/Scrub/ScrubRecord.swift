// What is known of the scrub: its pace, how far it has come, what its last pass found.
internal import Crypto
internal import Synchronization
internal import Wire

/// `storage.scrub`: how often every blob is read, and how fast.
public struct ScrubPace: Sendable, Hashable {
  /// Seconds from the beginning of a pass over all blobs to that of the next.
  public let interval: Int64
  /// Bytes a second at most.
  public let rate: Int64

  /// A pace; both numbers are at least 1.
  public init(interval: Int64, rate: Int64) {
    self.interval = max(1, interval)
    self.rate = max(1, rate)
  }
}

/// One pass over all blobs.
public struct ScrubPass: Sendable, Hashable {
  /// In unix seconds.
  public let startedAt: Int64
  /// In unix seconds; `nil` while it goes on.
  public internal(set) var endedAt: Int64?
  /// Blobs that were looked at.
  public internal(set) var blobs = 0
  /// Bytes of them that were read.
  public internal(set) var bytes: Int64 = 0
  /// Blobs whose file is missing, or not what its row says.
  public internal(set) var damaged = 0

  init(startedAt: Int64) { self.startedAt = startedAt }
}

/// What an operator may know of the scrub.
public struct ScrubReport: Sendable, Hashable {
  /// `nil` when it is off.
  public let pace: ScrubPace?
  /// The pass that is under way.
  public let pass: ScrubPass?
  /// How much of it is done: from 0 to 1.
  public let progress: Double
  /// The last one that came to its end.
  public let last: ScrubPass?
  /// Blobs that were looked at since the start.
  public let blobs: Int
  /// Bytes that were read since the start.
  public let bytes: Int64
}

/// What the catalogue keeps of the scrub over restarts, in `meta`.
struct ScrubRecord: Sendable, Hashable {
  /// The pass under way.
  var pass: ScrubPass?
  /// The blob that was looked at last in it; blobs are read in the order of their digests.
  var cursor: Digest?
  /// The last pass that came to its end.
  var last: ScrubPass?
  /// Altered files that could not be moved to `quarantine/`: they are not opened, after a restart
  /// neither.
  var unmoved: Set<BlobName> = []

  /// More than these are found again by the next pass.
  static let mostUnmoved = 1000
}

extension ScrubRecord {
  /// As it stands in the catalogue.
  var text: String {
    let value: JSONValue = [
      "pass": pass?.json ?? .null, "cursor": JSONValue(cursor?.hex), "last": last?.json ?? .null,
      "unmoved": .array(unmoved.map { "\($0)" }.sorted().map { .string($0) }),
    ]
    return "\(value)"
  }

  /// The record that has this text; `nil` when it is none: the scrub begins anew then.
  init?(_ text: String) {
    guard let value = try? JSONValue.parse(text.utf8.span) else { return nil }
    pass = value["pass"].flatMap(ScrubPass.init)
    cursor = value["cursor"]?.string.flatMap { Digest(hex: $0.utf8.span) }
    last = value["last"].flatMap(ScrubPass.init)
    unmoved = Set(value["unmoved"]?.array?.compactMap { $0.string.flatMap(BlobName.init) } ?? [])
  }
}

extension ScrubPass {
  fileprivate var json: JSONValue {
    [
      "started_at": .number(JSONNumber(startedAt)), "ended_at": JSONValue(endedAt),
      "blobs": .number(JSONNumber(blobs)), "bytes": .number(JSONNumber(bytes)),
      "damaged": .number(JSONNumber(damaged)),
    ]
  }

  fileprivate init?(_ value: JSONValue) {
    guard let startedAt = value["started_at"]?.int else { return nil }
    self.init(startedAt: Int64(startedAt))
    endedAt = value["ended_at"]?.int.map(Int64.init)
    blobs = value["blobs"]?.int ?? 0
    bytes = Int64(value["bytes"]?.int ?? 0)
    damaged = value["damaged"]?.int ?? 0
  }
}

/// Where the scrub's thread writes what it does, and everybody reads it.
final class ScrubBoard: Sendable {
  private struct State {
    var record: ScrubRecord
    var blobs = 0
    var bytes: Int64 = 0
    /// Whether someone waits whom the store does not know.
    var isBusy: @Sendable () -> Bool = { false }
  }
  private let state: Mutex<State>
  private let pace: ScrubPace?

  init(_ record: ScrubRecord, pace: ScrubPace?) {
    state = Mutex(State(record: record))
    self.pace = pace
  }

  var record: ScrubRecord { state.withLock { $0.record } }

  func set(_ record: ScrubRecord) { state.withLock { $0.record = record } }

  func count(blobs: Int, bytes: Int64) {
    state.withLock {
      $0.blobs += blobs
      $0.bytes += bytes
    }
  }

  var isBusy: Bool { state.withLock { $0.isBusy }() }

  func giveWay(to isBusy: @escaping @Sendable () -> Bool) {
    state.withLock { $0.isBusy = isBusy }
  }

  var report: ScrubReport {
    state.withLock { state in
      // Digests are evenly spread: their first two bytes say how many are behind.
      let place = state.record.cursor.map { Int($0.bytes[0]) << 8 | Int($0.bytes[1]) } ?? 0
      return ScrubReport(
        pace: pace, pass: state.record.pass, progress: Double(place) / 65_536,
        last: state.record.last, blobs: state.blobs, bytes: state.bytes)
    }
  }
}

extension Store {
  /// How far the scrub has come, and what it found.
  public var scrubReport: ScrubReport { scrubbed.report }

  /// Lets the scrub wait while `isBusy` says so: clients wait for the disk. Any thread asks it, and
  /// it must not wait for anything.
  public func scrubGivesWay(to isBusy: @escaping @Sendable () -> Bool) {
    scrubbed.giveWay(to: isBusy)
  }

  /// Ends the scrub within a moment, without waiting for that; its place is kept.
  public func stopScrubbing() { scrub?.end() }
}
