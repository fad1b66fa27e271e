import Glibc
import SQLite
import Testing
import Wire

@testable import Store

/// Invariant 9: what a commit of unknown outcome may have changed, caches look at again.
@Suite struct ChangeEpochsTests {
  enum Write: CaseIterable { case change, delete, reuse, collect, collectRecords }

  @Test(arguments: Write.allCases)
  func unknownOutcomesAreTold(write: Write) async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let now = scratch.clock.now
    let asset = try await scratch.put(image(1), .temporary(until: now + 10)).asset
    let epoch = store.epochs.current(asset.id)
    let settled = try scratch.settle(image(1))
    scratch.clock.advance(60)
    func fail() { WriteFaults.fail(nth: 1, code: EIO, thread: store.writer.threadID) }
    var failure: StoreFailure?
    do throws(StoreFailure) {
      switch write {
      case .change:
        fail()
        _ = try await store.change(asset.id, owner: nil, AssetChange(isPinned: true))
      case .delete:
        fail()
        _ = try await store.delete(asset.id, owner: nil)
      case .reuse:
        fail()
        _ = try await store.publish(settled, as: .temporary(until: now + 99, reuse: true))
      case .collect, .collectRecords:
        let policy = Policy(write == .collect ? .expired(grace: 0) : .records(after: 0))
        fail()
        _ = try store.collect([policy])
      }
    } catch {
      failure = error
    }
    #expect(failure?.kind == .outcomeUnknown)
    #expect(store.epochs.current(asset.id) != epoch)
    // What was read before the log was brought home is looked at once more.
    try await store.write { (_) throws(StoreFailure) in }
    #expect(store.health == .good)
    #expect(store.epochs.current(asset.id) - epoch >= 2)
  }
}
