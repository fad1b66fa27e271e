import Crypto
import Foundation
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

/// Callers' files go before the collector's, and what can not be removed stays counted.
@Suite struct UnlinkerTests {
  /// Holds up the unlinker's thread; when this returns, nothing that is ordered now is begun.
  private func hold(_ store: Store) async throws -> ThreadSignal {
    let gate = ThreadSignal()
    await withCheckedContinuation { continuation in
      store.unlinker.submit(
        .init(then: {
          continuation.resume()
          gate.wait()
        }))
    }
    return gate
  }

  private func wait(_ condition: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while !condition() {
      try #require(ContinuousClock.now < end)
      await Task.yield()
    }
  }

  /// Files whose rows are gone, as many as asked for.
  private func condemned(
    _ count: Int, from first: Int = 0, in scratch: ScratchStore
  ) throws -> [FreedBlob] {
    scratch.store.files.ledger.strand(Int64(count) * 4096)
    return try (first..<first + count).map { index in
      let digest = SHA256.digest(of: image(index).span)
      let name = try scratch.plantOrphan(digest, modified: scratch.clock.now - 7200)
      return FreedBlob(name: name, bytes: 1000)
    }
  }

  @Test func callersGoBetweenTheFilesOfABatch() async throws {
    let scratch = try ScratchStore()
    let unlinker = scratch.store.unlinker
    let gate = try await hold(scratch.store)
    unlinker.submit(batch: .init(freed: try condemned(20, in: scratch)))
    let seen = Mutex<[Int]>([])
    @Sendable func look() {
      let count = (try? scratch.blobFiles().count) ?? -1
      seen.withLock { $0.append(count) }
    }
    await withCheckedContinuation { continuation in
      unlinker.submit(
        .init(then: {
          look()
          unlinker.submit(
            .init(then: {
              look()
              unlinker.submit(
                .init(then: {
                  look()
                  continuation.resume()
                }))
            }))
        }))
      gate.raise()
    }
    #expect(seen.withLock { $0 } == [20, 19, 18])
    try scratch.expectWhole()
  }

  /// A DELETE, an upload that is there already, and one that was given up.
  @Test func nobodyWaitsBehindACollection() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    for seed in 0..<40 {
      _ = try await scratch.put(image(seed), .temporary(until: scratch.clock.now))
    }
    let other = try await scratch.put(image(100), .permanent()).asset
    _ = try await scratch.put(image(101), .permanent())
    scratch.clock.advance(10)
    let gate = try await hold(store)
    async let report = onThread { try store.collect([Policy(.expired(grace: 0))]) }
    try await wait { store.unlinker.waiting.batches > 0 }
    let twin = try scratch.settle(image(101)).work
    let tasks = [
      Task { _ = try await store.delete(other.id, owner: nil) },
      Task { _ = try await store.publish(twin, as: .permanent()) },
    ]
    do {
      var ingest = try store.begin(try store.reserve(1 << 20))
      try ingest.write(image(102).span)
    }
    #expect(store.space.reserved > 1 << 20)
    try await wait { store.unlinker.waiting.callers == 3 }
    let seen: (files: Int, reserved: Int64) = await withCheckedContinuation { continuation in
      store.unlinker.submit(
        .init(then: {
          let files = (try? scratch.blobFiles().count) ?? -1
          continuation.resume(returning: (files, store.space.reserved))
        }))
      gate.raise()
    }
    #expect(seen.files == 41 && seen.reserved == 0, "the collection's files are there still")
    for task in tasks { try await task.value }
    #expect(try await report.results.map(\.blobs) == [40])
    try scratch.expectWhole()
  }

  /// On a slow disk there is never more than one batch to be removed.
  @Test func theCollectorWaitsForItsFiles() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let most = CollectionPace.mostRows
    try await scratch.fill(2 * most)
    let gate = try await hold(store)
    async let report = onThread { try store.collect([Policy(.expired(grace: 0))]) }
    // The batch, and the collector that waits for it; or the next batch.
    try await wait { store.unlinker.waiting.batches >= 2 }
    #expect((4096...Int64(most) * 4096).contains(store.space.awaitingUnlink))
    gate.raise()
    #expect(try await report.results.map(\.blobs) == [2 * most])
    try scratch.expectWhole()
  }

  /// Ends a store while the collector's files are removed; comes back when it is closed.
  private func stopWithin(_ batch: [FreedBlob], of scratch: ScratchStore) async throws {
    let unlinker = scratch.store.unlinker
    let gate = try await hold(scratch.store)
    await withCheckedContinuation { continuation in
      unlinker.submit(batch: .init(freed: batch, then: { continuation.resume() }))
      // Within a turn that has one file of the batch.
      unlinker.submit(.init(then: { unlinker.stop(patience: 0) }))
      gate.raise()
    }
    scratch.store.close()
  }

  /// A stop does not wait for the collector's files: the next start removes them, and counts them
  /// until then.
  @Test func aStopLeavesABatchToTheNextStart() async throws {
    let scratch = try ScratchStore()
    let most = CollectionPace.mostRows
    try await stopWithin(try condemned(most, in: scratch), of: scratch)
    #expect(try scratch.blobFiles().count == most - 1)
    let again = try ScratchStore(copyOf: scratch.path)
    try again.expectWhole()
    #expect(try again.blobFiles().isEmpty)
    #expect(try again.store.collect([Policy(.orphans(grace: 3600))]).results[0].blobs == 0)
    // It is done: the stop after that leaves nothing to a start.
    again.store.close()
    #expect(try again.store.reader().session.leftFiles().blobs.isEmpty)
  }

  /// However many there are within one round of the sweep: what they leave does not look like files
  /// that lost their rows.
  @Test func fourStopsDoNotStopTheSweep() async throws {
    var scratch = try ScratchStore()
    let kept = try await scratch.put(image(10_000), .permanent()).asset
    var first = 0
    for _ in 0..<4 {
      let batch = try condemned(CollectionPace.mostRows, from: first, in: scratch)
      first += batch.count
      try await stopWithin(batch, of: scratch)
      scratch = try ScratchStore(copyOf: scratch.path)
    }
    let report = try scratch.store.collect([Policy(.orphans(grace: 3600))])
    #expect(report.sweepStop == nil && scratch.store.orphanSweepStop == nil)
    try scratch.expectWhole()
    #expect(try scratch.blobFiles() == [kept.blob.name.path])
  }

  /// A row that has such a name is believed, and so is nothing that is no name.
  @Test func whatARowNamesIsNotTakenUp() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1), .permanent()).asset
    let lines = "\(asset.blob.name) 1000\nnonsense\n\(asset.blob.name)\n../lock 5"
    #expect(LeftFiles(text: lines).blobs.map(\.name) == [asset.blob.name])
    try await scratch.store.write { (session) throws(StoreFailure) in
      try session.set(.leftFiles, lines)
    }
    let again = try ScratchStore(copyOf: scratch.path)
    again.store.unlinker.drain()
    #expect(try again.content(asset.id) == image(1))
    try again.expectWhole()
  }

  @Test func aStopCarriesOutWhatIsQueued() async throws {
    let scratch = try ScratchStore()
    let unlinker = scratch.store.unlinker
    let gate = try await hold(scratch.store)
    unlinker.submit(batch: .init(freed: try condemned(20, in: scratch)))
    let isDone = Mutex(false)
    try KernelThread.start(name: "test-stop") {
      unlinker.stop(patience: .max / 2)
      isDone.withLock { $0 = true }
    }
    gate.raise()
    try await wait { isDone.withLock { $0 } }
    #expect(try scratch.blobFiles().isEmpty && unlinker.waiting == (0, 0))
  }

  // MARK: What stays

  private let sweep = [Policy(.orphans(grace: -1_000_000_000))]

  private func unlinkerThread(_ store: Store) async -> Int32 {
    await withCheckedContinuation { continuation in
      store.unlinker.submit(
        .init(then: { continuation.resume(returning: KernelThread.currentID) }))
    }
  }

  /// Invariant 8: the file takes its space as long as it is there, what was reserved beside it is
  /// free.
  @Test(arguments: [false, true])
  func anIngestsFileThatStaysIsCounted(isSettled: Bool) async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let thread = await unlinkerThread(store)
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.unlinkat, nth: 1, code: 5, thread: thread)
    do {
      var ingest = try store.begin(try store.reserve(1 << 20))
      try ingest.write(image(1, bytes: 5000).span)
      if isSettled { _ = try ingest.settle() }
    }
    store.unlinker.drain()
    _ = SystemCallTrace.stop(thread: thread)
    #expect(store.space == SpaceUse(stored: 0, reserved: 0, awaitingUnlink: 8192))
    #expect(try store.collect(sweep).results.map(\.blobs) == [1])
    #expect(try scratch.blobFiles().isEmpty)
    try scratch.expectWhole()
  }

  /// A file in `quarantine/` that could not be removed with its row.
  @Test func aQuarantinedFileThatStaysIsRemovedLater() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let asset = try await scratch.put(image(1)).asset
    let blobs = try Directory.open(path: scratch.path + "/blobs/" + asset.blob.name.folder)
    let quarantine = try Directory.open(path: scratch.path + "/quarantine")
    try blobs.rename("\(asset.blob.name)", to: quarantine, as: "\(asset.blob.name)")
    #expect(throws: StoreFailure.self) { _ = try scratch.content(asset.id) }
    // It has a row: it stays.
    #expect(try store.collect(sweep).results.map(\.blobs) == [0])
    #expect(try quarantine.names().count == 1)
    let thread = await unlinkerThread(store)
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.unlinkat, nth: 2, code: 5, thread: thread)
    #expect(try await store.delete(asset.id, owner: nil))
    _ = SystemCallTrace.stop(thread: thread)
    #expect(try quarantine.names().count == 1)
    #expect(store.space == SpaceUse(stored: 0, reserved: 0, awaitingUnlink: 4096))
    #expect(try store.plan(sweep).results.map(\.blobs) == [1])
    #expect(try store.collect(sweep).results.map(\.blobs) == [1])
    #expect(try quarantine.names().isEmpty && store.damagedBlobs.current == 0)
    try scratch.expectWhole()
  }

  private func untilGood(_ store: Store) async throws { try await wait { store.health == .good } }

  /// A COMMIT failed: nobody knows whether a row names the file, until the log is home.
  @Test func aFileWhoseRowIsInDoubtIsCounted() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let kept = try await scratch.put(image(1)).asset
    var works = [try scratch.settle(image(2, bytes: 5000)).work]
    do {
      let work = works[0]
      WriteFaults.fail(nth: 1, code: 5, thread: store.writer.threadID)
      await #expect(throws: StoreFailure.self) {
        _ = try await store.publish(work, as: .temporary())
      }
    }
    try await untilGood(store)
    #expect(store.space == SpaceUse(stored: 4096, reserved: 0, awaitingUnlink: 8192))
    // The same of a deletion; its row is there after all.
    WriteFaults.fail(nth: 1, code: 5, thread: store.writer.threadID)
    await #expect(throws: StoreFailure.self) { _ = try await store.delete(kept.id, owner: nil) }
    try await untilGood(store)
    #expect(store.space == SpaceUse(stored: 4096, reserved: 0, awaitingUnlink: 8192))
    // As long as its bytes may be on their way to somebody, it stays.
    #expect(try works[0].readAllBack() == image(2, bytes: 5000))
    works = []
    #expect(try store.collect(sweep).results.map(\.blobs) == [1])
    #expect(try scratch.content(kept.id) == image(1))
    try scratch.expectWhole()
  }

  enum Whereabouts: CaseIterable { case blobs, quarantine, nowhere }

  /// The row of a deletion is gone, although its COMMIT said otherwise: its file goes, wherever it
  /// is, and counts until then.
  @Test(arguments: Whereabouts.allCases)
  func aFileWhoseRowIsGoneInDoubtGoes(_ place: Whereabouts) async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let asset = try await scratch.put(image(1)).asset
    let path = scratch.path + "/blobs/" + asset.blob.name.path
    let away = scratch.path + "/quarantine/\(asset.blob.name)"
    switch place {
    case .blobs: break
    case .quarantine: try FileManager.default.moveItem(atPath: path, toPath: away)
    case .nowhere: try FileManager.default.removeItem(atPath: path)
    }
    try await store.write { (session) throws(StoreFailure) in
      _ = try session.delete(asset.id, owner: nil, .deleted, now: 0)
    }
    // As the writer notes it before it opens the catalogue again.
    store.files.stuck.keep(.blobs(asset.blob.name), asset.blob.diskBytes)
    #expect(store.space.awaitingUnlink == 4096)
    WriteFaults.fail(nth: 1, code: 5, thread: store.writer.threadID)
    await #expect(throws: StoreFailure.self) {
      _ = try await store.insert(
        AccessKey(owner: .local, digest: asset.blob.digest, scopes: [], createdAt: 0))
    }
    try await untilGood(store)
    try scratch.expectWhole()
    #expect(!FileManager.default.fileExists(atPath: away))
    #expect(store.files.stuck.blobs.isEmpty)
  }

  /// An orphan that can not be removed ends no collection, says nothing of the disk, and is counted
  /// once.
  @Test func othersDoNotWaitForAFileThatStays() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    for seed in 0..<5 {
      let digest = SHA256.digest(of: image(seed).span)
      try scratch.plantOrphan(digest, modified: scratch.clock.now - 7200)
    }
    try Data([1, 2]).write(to: URL(fileURLWithPath: scratch.path + "/incoming/left"))
    let policies = sweep + [Policy(.records(after: 1))]
    let thread = KernelThread.currentID
    for failing in [4, 3] {
      SystemCallTrace.start(thread: thread)
      defer { _ = SystemCallTrace.stop(thread: thread) }
      for _ in 0..<failing { SystemCallTrace.fail(.unlinkat, nth: 1, code: 1, thread: thread) }
      let report = try store.collect(policies)
      #expect(report.stuck == failing && report.results.count == 2)
      #expect(store.space.awaitingUnlink == Int64(failing) * 4096)
      #expect(store.health == .good)
    }
    #expect(try store.collect(policies).results[0].blobs == 3)
    try scratch.expectWhole()
  }

  /// Nor what can not even be looked at.
  @Test func othersDoNotWaitForWhatCanNotBeRead() async throws {
    let scratch = try ScratchStore()
    for seed in 0..<3 {
      let digest = SHA256.digest(of: image(seed).span)
      try scratch.plantOrphan(digest, modified: scratch.clock.now - 7200)
    }
    let thread = KernelThread.currentID
    do {
      SystemCallTrace.start(thread: thread)
      defer { _ = SystemCallTrace.stop(thread: thread) }
      // Of `incoming/`, and of one of the first folders.
      for nth in [1, 10] { SystemCallTrace.fail(.getdents, nth: nth, code: 5, thread: thread) }
      let report = try scratch.store.collect([Policy(.orphans(grace: 3600))])
      #expect(report.results[0].blobs == 3 && scratch.store.failureCount == 2)
    }
    try scratch.expectWhole()
  }

  /// Garbage that can not be removed keeps no store from starting.
  @Test func incomingThatStaysIsNoReasonNotToStart() throws {
    let scratch = try ScratchStore()
    let copy = try scratch.copy()
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try Directory.open(path: copy + "/incoming").makeDirectory("folder")
    let store = try Store(ScratchStore.options(copy, TestClock()))
    defer { store.close() }
    #expect(try store.collect(sweep).results[0].blobs == 0)
  }
}
