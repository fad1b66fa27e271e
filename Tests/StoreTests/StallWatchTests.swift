import Crypto
import Kernel
import Testing
import Wire

@testable import Store

/// A disk that does not answer makes the store not ready, until it does.
@Suite struct StallWatchTests {
  /// What waits for the disk.
  enum Waiter: CaseIterable {
    case point, writer, blob
  }

  /// Lets one of them wait until the returned closure is called.
  private func wait(_ waiter: Waiter, _ store: Store) async throws -> () -> Void {
    switch waiter {
    case .point:
      let gate = ThreadSignal()
      store.points.submit { _ in gate.wait() }
      return { gate.raise() }
    case .writer:
      let held = try await HeldWriter(store)
      return { held.letGo() }
    case .blob:
      let blob = Blob(
        name: BlobName(digest: SHA256.digest(of: [1].span), tail: 1), bytes: 1,
        image: try #require(ImageFacts(mediaType: .png, width: 1, height: 1)), storedAt: 0)
      let keeper = store.files.reads.keeper(of: blob)
      let read = keeper.readBegan()
      return { keeper.readEnded(read) }
    }
  }

  @Test(arguments: Waiter.allCases) func whatDoesNotComeBackIsToldOf(_ waiter: Waiter) async throws
  {
    let events = ToldEvents()
    let limit: Int64 = 100_000_000
    let scratch = try ScratchStore(stallLimit: limit, report: { events.add($0) })
    let store = scratch.store
    let letGo = try await wait(waiter, store)
    let began = SystemClock.monotonicNanoseconds
    // On a slow machine the watch's own look may last as long: this one goes on.
    try await until("it is told") {
      SystemClock.monotonicNanoseconds - began > 2 * limit
        && store.health == .readOnly(.diskStalled)
    }
    let since = try #require(store.stalledSince)
    #expect(abs(since - SystemClock.wallSeconds) < 3600, "in unix seconds")
    let refused = #expect(throws: StoreFailure.self) { _ = try store.reserve(1) }
    #expect(refused?.kind == .readOnly, "nothing is bought")
    #expect(events.all.contains(.readOnly(.diskStalled)))
    letGo()
    try await until("it answers") { store.health == .good }
    #expect(events.all.contains(.writable))
  }

  /// It asks the disk for much, and may last.
  @Test func aListIsNoStall() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let (gate, running) = (ThreadSignal(), ThreadSignal())
    store.readers.submit { _ in
      running.raise()
      gate.wait()
    }
    try await onThread { running.wait() }
    // The watch's own looks come and go.
    try await until("nobody waits") { store.files.health.waits.longest() == nil }
    gate.raise()
  }

  @Test func theOldestIsWhatCounts() {
    let waits = DiskWaits(limit: 1_000_000_000_000)
    let later = SystemClock.monotonicNanoseconds + 2_000_000_000_000
    #expect(waits.longest(at: later) == nil && waits.stall(at: later) == nil)
    let (first, second) = (waits.begin(), waits.begin())
    #expect(waits.longest(at: later) ?? 0 > 1_000_000_000_000)
    #expect(waits.stall(at: later) == waits.longest(at: later))
    #expect(waits.stall() == nil, "it is not that late")
    // Neither has waited for long, so neither says that the disk answers again.
    #expect(!waits.end(first))
    #expect(waits.stall(at: later) != nil)
    #expect(!waits.end(second))
    #expect(waits.stall(at: later) == nil)
  }

  /// One that has waited for too long comes back: the others have a moment to follow.
  @Test func anAnswerEndsIt() {
    let waits = DiskWaits(limit: -1)
    let (first, second) = (waits.begin(), waits.begin())
    #expect(waits.stall() != nil)
    #expect(waits.end(first))
    let now = SystemClock.monotonicNanoseconds
    #expect(waits.stall(at: now) == nil)
    #expect(waits.stall(at: now + 2_000_000_000) != nil, "the other one did not")
    #expect(waits.end(second))
    let monitor = HealthMonitor { _ in }
    monitor.noteStall(since: 7)
    monitor.noteStall(since: 9)
    #expect(monitor.health == .readOnly(.diskStalled) && monitor.stalledSince == 7)
    #expect(monitor.writerMayTry, "what waits for the writer goes on as soon as it can")
    monitor.noteStall(since: nil)
    #expect(monitor.health == .good)
  }
}
