import Crypto
import Glibc
import Kernel
import SQLite
import Testing
import Wire

@testable import Store

/// What comes after a commit never comes before it: caches that look again (invariant 9), files
/// that go (invariant 3), names that are no longer in flight.
@Suite struct CommitOrderTests {
  enum Write: CaseIterable { case delete, change, reuse }

  /// What stands in the same transaction sees what everyone else sees: a cache that reads the row
  /// now still gets the old one, so it must not take it for the new one.
  @Test(arguments: Write.allCases)
  func cachesKnowAfterTheCommitAndBeforeTheCaller(write: Write) async throws {
    let scratch = try ScratchStore()
    let (store, now) = (scratch.store, scratch.clock.now)
    let asset = try await scratch.put(image(1), .temporary(until: now + 10)).asset
    let epoch = store.epochs.current(asset.id)
    let settled = try scratch.settle(image(1))
    let writer = try await HeldWriter(store)
    let work = settled.work
    async let done: Void = {
      switch write {
      case .delete: #expect(try await store.delete(asset.id, owner: nil))
      case .change:
        _ = try await store.change(asset.id, owner: nil, AssetChange(isPinned: true))
      case .reuse:
        let new = NewAsset.temporary(until: now + 99, reuse: true)
        #expect(try await !store.publish(try SettledBlob(work), as: new).isNew)
      }
    }()
    try await writer.untilWaiting(1)
    async let seen = store.write { (_) throws(StoreFailure) in store.epochs.current(asset.id) }
    try await writer.untilWaiting(2)
    #expect(store.epochs.current(asset.id) == epoch)
    writer.letGo()
    #expect(try await seen == epoch)
    try await done
    #expect(store.epochs.current(asset.id) != epoch)
  }

  @Test func filesGoAfterTheCommit() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let asset = try await scratch.put(image(1)).asset
    let writer = try await HeldWriter(store)
    async let isGone = store.delete(asset.id, owner: nil)
    try await writer.untilWaiting(1)
    async let isThere = store.write { (_) throws(StoreFailure) in
      // Whatever the delete has ordered is done by now.
      try kernel(.read) { () throws(Errno) in
        store.unlinker.drain()
        return try store.files.folders.blobs.status(asset.blob.name) != nil
      }
    }
    try await writer.untilWaiting(2)
    writer.letGo()
    #expect(try await isThere)
    #expect(try await isGone)
    try scratch.expectWhole()
  }

  @Test func namesAreInFlightUntilTheCommit() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let settled = try scratch.settle(image(1))
    let name = settled.blob.name
    let writer = try await HeldWriter(store)
    let work = settled.work
    async let published = store.publish(try SettledBlob(work), as: .temporary())
    try await writer.untilWaiting(1)
    async let isMarked = store.write { (_) throws(StoreFailure) in
      store.files.inFlight.contains(name)
    }
    try await writer.untilWaiting(2)
    writer.letGo()
    #expect(try await isMarked)
    #expect(try await published.isNew)
    #expect(!store.files.inFlight.contains(name))
  }

  /// A row that is still there has its file, and goes with it the next time.
  @Test(arguments: [EIO, ENOSPC]) func aDeleteThatFailsKeepsTheFile(code: Int32) async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let asset = try await scratch.put(image(1)).asset
    // With it, a full disk is given room, and the second try goes well.
    _ = store.ballast.release()
    WriteFaults.fail(nth: 1, code: code, thread: store.writer.threadID)
    let failure = await #expect(throws: StoreFailure.self) {
      _ = try await store.delete(asset.id, owner: nil)
    }
    #expect(failure?.kind == (code == EIO ? .outcomeUnknown : .full(.disk)))
    try await untilGood(store)
    try scratch.expectWhole()
    #expect(try scratch.content(asset.id) == image(1))
    #expect(try await store.delete(asset.id, owner: nil))
    try scratch.expectWhole()
    #expect(try scratch.blobFiles().isEmpty)
  }

  /// The same for the second batch of a collection, and its caches look again only if it may have
  /// taken place.
  @Test(arguments: [EIO, ENOSPC]) func aCollectionThatFailsKeepsTheFiles(code: Int32) async throws {
    let scratch = try ScratchStore()
    let (store, now) = (scratch.store, scratch.clock.now)
    var assets: [Asset] = []
    for seed in 0..<60 {
      assets.append(try await scratch.put(image(seed), .temporary(until: now + Int64(seed))).asset)
    }
    scratch.clock.advance(100)
    _ = store.ballast.release()
    let last = try #require(assets.last)
    let (failure, epoch) = try await onThread { () -> (StoreFailure?, UInt64?) in
      var epoch: UInt64?
      do throws(StoreFailure) {
        _ = try store.collect([Policy(.expired(grace: 0))]) { _ in
          guard epoch == nil else { return }
          // The first batch is told of when it is durable: the next commit is the second one's.
          epoch = store.epochs.current(last.id)
          // Without room the log is brought home, and the batch is tried once more.
          let times = code == ENOSPC ? 3 : 1
          WriteFaults.fail(nth: 1, code: code, thread: store.writer.threadID, times: times)
        }
        return (nil, epoch)
      } catch {
        return (error, epoch)
      }
    }
    #expect(failure?.kind == (code == EIO ? .outcomeUnknown : .full(.disk)))
    #expect((store.epochs.current(last.id) == epoch) == (code == ENOSPC))
    try await untilGood(store)
    try scratch.expectWhole()
    #expect(try store.reader().totals().assets == 10)
    for (seed, asset) in assets.enumerated().dropFirst(50) {
      #expect(try scratch.content(asset.id) == image(seed))
    }
    #expect(try store.collect([Policy(.expired(grace: 0))]).results[0].assets == 10)
    try scratch.expectWhole()
    #expect(try scratch.blobFiles().isEmpty)
  }

  private func untilGood(_ store: Store) async throws {
    try await until("the log is home") { store.health == .good }
  }

  /// In flight, then row: an ingest that ends between any two looks of the sweep keeps its file.
  @Test(arguments: [CatalogSQL.blobsOfFolder, .blobRow])
  func sweepAsksForTheMarkBeforeTheRow(statement: CatalogSQL) async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let settled = try scratch.settle(image(1))
    let (work, name) = (settled.work, settled.blob.name)
    let orphans = try await onThread { () -> Int in
      let session = try store.reader().session
      let sweep = OrphanSweep(
        policy: "orphans", grace: -1_000_000_000, now: store.now(), files: store.files,
        session: session)
      var isPublished = false
      let watch = StatementWatch(session) { text in
        guard text == statement.text, !isPublished else { return }
        isPublished = true
        let published = ThreadSignal()
        Task {
          _ = try await store.publish(try SettledBlob(work), as: .temporary())
          published.raise()
        }
        published.wait()
      }
      defer { withExtendedLifetime(watch) {} }
      return try sweep.folder(Int(name.digest.bytes[0])).orphans.count
    }
    #expect(orphans == 0)
    // It was not published where the sweep had no reason to ask for its row.
    if work.settledBlob != nil {
      _ = try await store.publish(try SettledBlob(work), as: .temporary())
    }
    try scratch.expectWhole()
  }
}
