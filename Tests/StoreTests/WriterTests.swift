import Foundation
import Glibc
import Kernel
import SQLite
import Testing
import Wire

@testable import Store

@Suite struct WriterTests {
  @Test func failedCommitMakesItReadOnlyUntilTheLogIsHome() async throws {
    // STORE.md: "A COMMIT that fails with an I/O error has an unknown outcome".
    let scratch = try ScratchStore()
    let kept = try await scratch.put(image(1)).asset
    let settled = try scratch.settle(image(2))
    var work: IngestWork? = settled.work
    WriteFaults.fail(nth: 1, code: EIO, thread: scratch.store.writer.threadID)
    do {
      _ = try await scratch.store.publish(settled, as: .temporary())
      Issue.record("it must fail")
    } catch {
      #expect(error.kind == .outcomeUnknown)
    }
    // Whoever paid for the bytes still gets them, and no second row.
    #expect(try work?.blob.bytes == 1000)
    #expect(try work?.readAllBack() == image(2))
    if let work { #expect(throws: StoreFailure.self) { _ = try SettledBlob(work) } }
    // While they may be read, no sweep takes their file.
    let sweep = [Policy(.orphans(grace: -1_000_000_000))]
    #expect(try scratch.store.collect(sweep).results[0].blobs == 0)
    work = nil
    // The file stays (a row might name it), and the store has recovered by the next write.
    #expect(try scratch.blobFiles().count == 2)
    _ = try await scratch.put(image(3))
    #expect(scratch.store.health == .good)
    #expect(scratch.store.failureCount == 1)
    #expect(try scratch.content(kept.id) == image(1))
    #expect(scratch.store.space.reserved == 0)
    let orphans = try scratch.store.collect(sweep)
    #expect(orphans.results[0].blobs == 1)
    try scratch.expectWhole()
  }

  @Test func failedRecoveryStaysReadOnly() async throws {
    let scratch = try ScratchStore()
    _ = try await scratch.put(image(1))
    let settled = try scratch.settle(image(2))
    let thread = scratch.store.writer.threadID
    WriteFaults.fail(nth: 1, code: EIO, thread: thread, times: 1_000_000)
    await #expect(throws: StoreFailure.self) {
      _ = try await scratch.store.delete(AssetID(number: 1), owner: nil)
      _ = try await scratch.store.insert(
        AccessKey(
          owner: .local, digest: settled.blob.digest, scopes: [], createdAt: 0))
    }
    #expect(scratch.store.health == .readOnly(.commitFailed))
    let refused = #expect(throws: StoreFailure.self) { _ = try scratch.store.reserve(1) }
    #expect(refused?.kind == .readOnly)
    // Once the fault has passed, the store finds out by itself: nobody writes.
    WriteFaults.fail(nth: 1_000_000, code: EIO, thread: thread)
    try await untilGood(scratch)
    _ = try await scratch.put(image(3))
  }

  /// The log would grow until the disk is full.
  @Test func aLogThatCanNotBeBroughtHomeIsKnown() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    try await scratch.fill(40_000)
    #expect(store.failureCount == 0)
    _ = try await onThread {
      try store.committed { (session) throws(StoreFailure) in
        try catalog(.collect) { () throws(SQLiteFailure) in
          try session.connection.execute("UPDATE assets SET owner = 'other'")
        }
      } then: { _ in
        // The next write of this thread is the first page that the checkpoint brings home.
        WriteFaults.fail(nth: 1, code: EIO)
      }
    }
    let end = ContinuousClock.now + .seconds(30)
    while store.failureCount == 0, ContinuousClock.now < end { await Task.yield() }
    #expect(store.failureCount == 1)
    // The writer has found out that it goes again.
    try await untilGood(scratch)
    _ = try await scratch.put(image(3))
  }

  /// Waits for the writer's look at what has passed.
  private func untilGood(_ scratch: ScratchStore) async throws {
    let end = ContinuousClock.now + .seconds(30)
    while scratch.store.health != .good {
      try #require(ContinuousClock.now < end, "the fault has passed")
      await Task.yield()
    }
  }

  @Test(arguments: [ENOSPC, EDQUOT])
  func noRoomForTheCommitFailsItAndNothingElse(code: Int32) async throws {
    let scratch = try ScratchStore()
    _ = try await scratch.put(image(1))
    let settled = try scratch.settle(image(2))
    WriteFaults.fail(nth: 1, code: code, thread: scratch.store.writer.threadID)
    do {
      _ = try await scratch.store.publish(settled, as: .temporary())
      Issue.record("it must fail")
    } catch {
      #expect(error.kind == .full(.disk))
    }
    #expect(scratch.store.health == .good)
    try scratch.expectWhole()
    #expect(try scratch.blobFiles().count == 1)
  }

  /// A quota that the fsync meets says nothing of the frames before it: they may be durable.
  @Test(arguments: [EIO, EDQUOT])
  func failedFsyncOfTheCommitLeavesTheOutcomeOpen(code: Int32) async throws {
    let scratch = try ScratchStore()
    let kept = try await scratch.put(image(1)).asset
    do {
      try await scratch.store.write { (session) throws(StoreFailure) in
        #expect(session.connection.failSyncs(code: code))
        _ = try session.insert(kept.blob, as: .temporary(), now: 0)
      }
      Issue.record("it must fail")
    } catch {
      #expect(error.kind == .outcomeUnknown)
    }
    // The next connection recovers.
    try await untilGood(scratch)
    _ = try await scratch.put(image(2))
    #expect(scratch.store.health == .good)
    #expect(scratch.store.failureCount == 1)
    try scratch.expectWhole()
  }

  /// Nothing is left of the log after a clean stop, although a reader is still there.
  @Test func logIsEmptyAfterTheEnd() async throws {
    let scratch = try ScratchStore()
    let reader = try scratch.store.reader()
    _ = try await scratch.put(image(1))
    #expect(try reader.totals().assets == 1)
    let log = scratch.path + "/catalog.sqlite-wal"
    #expect(try size(log) > 0)
    scratch.store.close()
    #expect(try size(log) == 0)
    #expect(try reader.totals().assets == 1)
  }

  /// The log is brought home beside the commits, and its file does not keep a burst's size.
  @Test func longLogIsCut() async throws {
    let scratch = try ScratchStore()
    let blob = try await scratch.put(image(1)).asset.blob
    let log = scratch.path + "/catalog.sqlite-wal"
    try await scratch.store.write { (session) throws(StoreFailure) in
      // A row and its entry in an index have a page each.
      var new = NewAsset.temporary()
      new.model = String(repeating: "m", count: 3000)
      for _ in 0..<4000 { _ = try session.insert(blob, as: new, now: 0) }
    }
    // The commit is told before the log is brought home, and who comes meanwhile goes first.
    var looks = 0
    while try size(log) > 1 << 20, looks < 1000 {
      try await scratch.store.write { (_) throws(StoreFailure) in }
      looks += 1
    }
    #expect(try size(log) <= 1 << 20)
    #expect(try scratch.store.reader().totals().assets == 4001)
  }

  private func size(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return attributes[.size] as? Int ?? -1
  }

  @Test func fullDiskLetsGoOfWhatIsNotWanted() async throws {
    // The ballast is for that: removing, shortening and revoking must work on a full disk.
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let key = AccessKey(owner: owner("gw1"), digest: asset.blob.digest, scopes: [], createdAt: 0)
    _ = try await scratch.store.insert(key)
    let thread = scratch.store.writer.threadID
    func fill() {
      scratch.store.ballast.make()
      WriteFaults.fail(nth: 1, code: ENOSPC, thread: thread)
    }
    fill()
    #expect(try await scratch.store.revokeKeys("gw1") == .revoked)
    #expect(try scratch.store.reader().key(key.digest) == nil)
    fill()
    let change = AssetChange(lifetime: .temporary(until: 5))
    #expect(try await scratch.store.change(asset.id, owner: nil, change)?.lifetime.expiresAt == 5)
    fill()
    #expect(try await scratch.store.delete(asset.id, owner: nil))
    #expect(!scratch.store.ballast.release(), "it was given up")
    try scratch.expectWhole()
  }

  @Test func closedStoreSaysSo() async throws {
    let scratch = try ScratchStore()
    let settled = try scratch.settle(image(2))
    scratch.store.close()
    scratch.store.close()
    do {
      _ = try await scratch.store.publish(settled, as: .temporary())
      Issue.record("it must fail")
    } catch {
      #expect(error.kind == .closed)
    }
    #expect(try scratch.blobFiles().isEmpty, "the abandoned file goes all the same")
  }

  /// Alone in its transaction it leaves nothing either.
  @Test func aLoneJobThatFailsLeavesNothing() async throws {
    let scratch = try ScratchStore()
    await #expect(throws: StoreFailure.self) {
      try await scratch.store.write { (session) throws(StoreFailure) in
        let place = AssetPlace(serial: 1, owner: "local", retention: "permanent")
        try session.bury(AssetID(number: 9), place, .deleted, now: 0)
        throw StoreFailure(.change, .notFound)
      }
    }
    #expect(try scratch.store.reader().lookUp(AssetID(number: 9)) == .unknown)
    try scratch.expectWhole()
  }

  /// All in one transaction: the one that fails leaves nothing, and the others everything.
  @Test func jobThatFailsTakesNobodyWithIt() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let first = try await scratch.put(image(1)).asset
    let second = try await scratch.put(image(2)).asset
    let writer = try await HeldWriter(store)
    let before = store.commitStatistics
    async let isFirstGone = store.delete(first.id, owner: nil)
    try await writer.untilWaiting(1)
    async let bad: Void = store.write { (session) throws(StoreFailure) in
      let place = AssetPlace(serial: 1, owner: "local", retention: "permanent")
      try session.bury(AssetID(number: 9), place, .deleted, now: 0)
      throw StoreFailure(.change, .notFound)
    }
    try await writer.untilWaiting(2)
    async let isSecondGone = store.delete(second.id, owner: nil)
    try await writer.untilWaiting(3)
    writer.letGo()
    let gone = [try await isFirstGone, try await isSecondGone]
    #expect(gone == [true, true])
    do {
      try await bad
      Issue.record("it must fail")
    } catch {
      #expect((error as? StoreFailure)?.kind == .notFound)
    }
    // What held the writer, then all three.
    #expect(store.commitStatistics.commits - before.commits == 2)
    #expect(store.commitStatistics.jobs - before.jobs == 4)
    let reader = try store.reader()
    #expect(try reader.lookUp(AssetID(number: 9)) == .unknown)
    for id in [first.id, second.id] { #expect(try reader.asset(id) == nil) }
    try scratch.expectWhole()
  }
}
