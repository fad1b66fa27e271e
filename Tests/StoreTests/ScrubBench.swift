import Foundation
import Kernel
import Synchronization
import Testing

@testable import Store

/// A store and a scrub that does nothing but what a test tells it.
final class ScrubBench {
  let scratch: ScratchStore
  /// The scrub's clock, in nanoseconds.
  var now: Int64 = 0
  var isBusy: Bool {
    get { state.withLock { $0.isBusy } }
    set { state.withLock { $0.isBusy = newValue } }
  }
  /// How often the place was kept.
  var saves: Int { state.withLock { $0.saves } }
  let scrub: Scrub
  /// The scrub's own.
  let session: CatalogSession
  private let state: Kept
  /// Seconds.
  static let interval: Int64 = 30 * 86_400

  var store: Store { scratch.store }

  init(
    rate: Int64 = 8 << 20, copyOf other: String? = nil,
    report: @escaping @Sendable (StoreEvent) -> Void = { _ in }
  ) throws {
    let scratch = try ScratchStore(copyOf: other, report: report)
    self.scratch = scratch
    let state = Kept()
    self.state = state
    let store = scratch.store
    session = try store.reader().session
    scrub = Scrub(
      ScrubPace(interval: Self.interval, rate: rate), files: store.files,
      session: session, board: store.scrubbed,
      surroundings: Scrub.Surroundings(
        now: { scratch.clock.now }, isBusy: { state.withLock { $0.isBusy } },
        save: { record in
          state.withLock { $0.saves += 1 }
          _ = try? scratch.store.commit { (session) throws(StoreFailure) in
            try session.set(.scrub, record.text)
          }
        }, closeOpenFiles: { scratch.store.epochs.bumpAll() }, report: report))
  }

  private final class Kept: Sendable {
    struct State {
      var isBusy = false
      var saves = 0
    }
    private let state = Mutex(State())
    func withLock<R>(_ body: (inout State) -> R) -> R { state.withLock { body(&$0) } }
  }

  func put(_ seed: Int, bytes: Int = 1000) async throws -> PublishedAsset {
    try await scratch.put(image(seed, bytes: bytes), .permanent())
  }

  func path(_ asset: Asset) -> String { scratch.path + "/blobs/" + asset.blob.name.path }

  /// Flips a bit in the middle of the file.
  func alter(_ asset: Asset) throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: path(asset)))
    data[data.count / 2] ^= 1
    try FileManager.default.removeItem(atPath: path(asset))
    try data.write(to: URL(fileURLWithPath: path(asset)))
  }

  func quarantined() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/quarantine")
  }

  func expectDamaged(_ asset: Asset, _ place: SourceLocation = #_sourceLocation) throws {
    let failure = #expect(throws: StoreFailure.self, sourceLocation: place) {
      _ = try scratch.content(asset.id)
    }
    #expect(failure?.kind == .assetDamaged, sourceLocation: place)
  }

  // MARK: The scrub

  /// One turn at the time that it is; when the next is due.
  func turn() -> Int64 { scrub.turn(at: now) }

  /// Turns, each when it is due.
  func turns(_ count: Int) {
    for _ in 0..<count { now = max(now, turn()) }
  }

  /// Turns to the end of a pass that has to begin, or has begun.
  func runPass(after seconds: Int64 = 0, _ place: SourceLocation = #_sourceLocation) {
    scratch.clock.advance(seconds)
    let last = store.scrubReport.last
    for _ in 0..<100_000 where store.scrubReport.last == last { turns(1) }
    #expect(store.scrubReport.last != last, sourceLocation: place)
  }

  /// The same, with faults; the system calls of it.
  func tracedPass(after seconds: Int64 = 0, faults: (Int32) -> Void) -> [SystemCall] {
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    faults(thread)
    runPass(after: seconds)
    return SystemCallTrace.stop(thread: thread)
  }
}

/// What a store told.
final class ToldEvents: Sendable {
  private let events = Mutex<[StoreEvent]>([])
  var all: [StoreEvent] { events.withLock { $0 } }
  func add(_ event: StoreEvent) { events.withLock { $0.append(event) } }
}
