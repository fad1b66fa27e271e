import Foundation
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

@Suite struct DeleteTests {
  @Test func fileGoesWithItsLastAsset() async throws {
    let scratch = try ScratchStore()
    let first = try await scratch.put(image(1)).asset
    let second = try await scratch.put(image(1)).asset
    #expect(try await scratch.store.delete(first.id, owner: .local))
    #expect(try scratch.content(second.id) == image(1), "other assets on the blob live on")
    #expect(try await scratch.store.delete(second.id, owner: .local))
    #expect(try scratch.blobFiles().isEmpty, "gone before delete returned")
    try scratch.expectWhole()
  }

  @Test func onlyItsOwnerDeletesIt() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    #expect(try await !scratch.store.delete(asset.id, owner: owner("gw1")))
    #expect(try await !scratch.store.delete(AssetID(number: 5), owner: .local))
    #expect(try scratch.store.reader().asset(asset.id) == asset)
    #expect(try await scratch.store.delete(asset.id, owner: nil))
    #expect(try await !scratch.store.delete(asset.id, owner: nil))
  }

  @Test func whatWasRemovedIsRemembered() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    let early = try await scratch.put(image(1), .temporary(until: now + 10)).asset
    let late = try await scratch.put(image(2), .temporary(until: now)).asset
    let permanent = try await scratch.put(image(3), .permanent()).asset
    for asset in [early, late, permanent] {
      #expect(try await scratch.store.delete(asset.id, owner: nil))
    }
    let reader = try scratch.store.reader()
    func tombstone(_ wasPermanent: Bool) -> AssetLookup {
      .removed(
        Tombstone(removedAt: now, reason: .deleted, wasPermanent: wasPermanent, owner: .local))
    }
    #expect(try reader.lookUp(early.id) == tombstone(false))
    #expect(try reader.lookUp(permanent.id) == tombstone(true))
    #expect(try reader.lookUp(late.id) == tombstone(false))
  }

  @Test func pagesGoOnBehindWhatWasRemoved() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    var assets: [Asset] = []
    for seed in 1...4 {
      let new = NewAsset.temporary(until: now + Int64(seed), owner: owner("gw1"))
      assets.append(try await scratch.put(image(seed), new).asset)
    }
    let reader = try scratch.store.reader()
    func ids(after asset: Asset, _ name: Owner?) throws -> [AssetID]? {
      try reader.assets(AssetQuery(owner: name, after: asset.id, limit: 10))?.assets.map(\.id)
    }
    scratch.clock.advance(3)
    // One that has expired, one that has not; seen by their owner, and by the operator.
    for (index, rest) in [(1, [0]), (3, [2, 0])] {
      #expect(try await scratch.store.delete(assets[index].id, owner: nil))
      for name in [owner("gw1"), nil] {
        #expect(try ids(after: assets[index], name) == rest.map { assets[$0].id })
      }
      #expect(try ids(after: assets[index], .local) == nil, "another owner's is unknown")
    }
  }

  @Test func openDownloadEndsWhole() async throws {
    // Invariant 6.
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let opened = try scratch.store.open(asset.id, reader: try scratch.store.reader())
    _ = try await scratch.store.delete(asset.id, owner: nil)
    #expect(try opened.file?.readAll(limit: 1 << 20) == image(1))
  }

  @Test func readerLooksAgainWhenTheFileIsGone() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let reader = try scratch.store.reader()
    try FileManager.default.removeItem(
      atPath: scratch.path + "/blobs/" + asset.blob.name.path)
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    let failure = #expect(throws: StoreFailure.self) {
      _ = try scratch.store.open(asset.id, reader: reader)
    }
    #expect(SystemCallTrace.stop(thread: thread) == [.openat, .openat])
    #expect(failure?.kind == .assetDamaged)
    #expect(scratch.store.damagedBlobs == (1, 1))
  }

  @Test func blobThatCanNotBeRemovedStaysCounted() async throws {
    // Invariant 8, and the sweep's second try.
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let folder = scratch.path + "/blobs/" + asset.blob.name.folder
    let thread = try await unlinkerThread(scratch.store)
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.unlinkat, nth: 1, code: 5, thread: thread)
    #expect(try await scratch.store.delete(asset.id, owner: nil))
    _ = SystemCallTrace.stop(thread: thread)
    #expect(scratch.store.space.awaitingUnlink == 4096)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    let report = try scratch.store.collect([Policy(.orphans(grace: -1_000_000_000))])
    #expect(report.results.map(\.blobs) == [1])
    try scratch.expectWhole()
  }

  private func unlinkerThread(_ store: Store) async throws -> Int32 {
    await withCheckedContinuation { continuation in
      store.unlinker.submit(
        .init(then: { continuation.resume(returning: KernelThread.currentID) }))
    }
  }

  @Test func changesShow() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let pinned = try await scratch.store.change(
      asset.id, owner: .local, AssetChange(lifetime: .permanent, isPinned: true))
    #expect(pinned?.isPinned == true && pinned?.lifetime == .permanent)
    #expect(
      try await scratch.store.change(asset.id, owner: owner("x"), AssetChange()) == nil)
    let temporary = try await scratch.store.change(
      asset.id, owner: nil, AssetChange(lifetime: .temporary(until: 5)))
    #expect(temporary?.isPinned == true && temporary?.lifetime == .temporary(until: 5))
  }

  @Test func lastAccessIsWrittenInBatches() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    #expect(asset.lastAccessAt == nil)
    scratch.store.accessLog.note(asset.id, at: 1_900_000_000)
    scratch.store.accessLog.note(asset.id, at: 1_800_000_100)
    scratch.store.accessLog.note(AssetID(number: 1), at: 1)
    try await scratch.store.flushAccessLog()
    #expect(try scratch.store.reader().asset(asset.id)?.lastAccessAt == 1_900_000_000)
  }

  /// B4: short transactions, and nothing is lost when one fails.
  @Test func lastAccessesThatCouldNotBeWrittenAreKept() async throws {
    let scratch = try ScratchStore()
    var assets: [Asset] = []
    for seed in 0..<120 { assets.append(try await scratch.put(image(seed % 3)).asset) }
    for asset in assets { scratch.store.accessLog.note(asset.id, at: 1_900_000_000) }
    WriteFaults.fail(nth: 1, code: 28, thread: scratch.store.writer.threadID)
    await #expect(throws: StoreFailure.self) { try await scratch.store.flushAccessLog() }
    let before = scratch.store.commitStatistics.commits
    try await scratch.store.flushAccessLog()
    // 50, 50, 20, and the look at the clock's mark.
    #expect(scratch.store.commitStatistics.commits - before == 4)
    let reader = try scratch.store.reader()
    for asset in assets { #expect(try reader.asset(asset.id)?.lastAccessAt == 1_900_000_000) }
  }

  /// At the end of the program nobody waits for a turn, and each commit costs an fsync.
  @Test func theLastAccessesAreWrittenInFewCommits() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let asset = try await scratch.put(image(1)).asset
    for number in 1..<2500 { store.accessLog.note(AssetID(number: UInt128(number)), at: 1) }
    store.accessLog.note(asset.id, at: 1_900_000_000)
    let before = store.commitStatistics.commits
    try await store.flushLastAccesses { true }
    // 1000, 1000, 500, and the look at the clock's mark.
    #expect(store.commitStatistics.commits - before == 4)
    #expect(try store.reader().asset(asset.id)?.lastAccessAt == 1_900_000_000)
  }

  /// Who says that the end shall not wait is heard within one of them.
  @Test func theLastAccessesAreGivenUp() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    _ = try await scratch.put(image(1))
    for number in 0..<2500 { store.accessLog.note(AssetID(number: UInt128(number)), at: 1) }
    let before = store.commitStatistics.commits
    let asked = Mutex(0)
    try await store.flushLastAccesses {
      asked.withLock { asked in
        asked += 1
        return asked == 1
      }
    }
    #expect(store.commitStatistics.commits - before == 1)
    #expect(store.accessLog.take().count == 1500)
  }

  /// A link that was made for a longer life is answered with 410 after the collection, too.
  @Test func collectedBeforeTheEndOfItsLinksIsRemembered() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    func shortened(_ first: NewAsset) async throws -> AssetID {
      let id = try await scratch.put(image(1), first).asset.id
      let change = AssetChange(lifetime: .temporary(until: now + 10))
      _ = try await scratch.store.change(id, owner: nil, change)
      return id
    }
    let ids = [
      try await shortened(.temporary(until: now + 3600)), try await shortened(.permanent()),
      // This one lives longer than its links.
      try await shortened(.temporary(until: now + 5)),
    ]
    scratch.clock.advance(60)
    #expect(try scratch.store.collect([Policy(.expired(grace: 0))]).results[0].assets == 3)
    let reader = try scratch.store.reader()
    let tombstone = Tombstone(
      removedAt: now + 60, reason: .collected, wasPermanent: false, owner: .local)
    #expect(try reader.lookUp(ids[0]) == .removed(tombstone))
    #expect(try reader.lookUp(ids[1]) == .removed(tombstone))
    #expect(try reader.lookUp(ids[2]) == .unknown)
  }

  @Test func keysAreMadeFoundAndRevoked() async throws {
    let scratch = try ScratchStore()
    let digest = image(9).span.extracting(0..<24)
    let key = AccessKey(
      owner: owner("gw1"), digest: .init(sha256Of: digest), scopes: [.host, .read], quota: 5,
      defaults: .init(responseFormat: "url", retention: .permanent, base64: "raw"), createdAt: 3)
    let stored = try await scratch.store.insert(key)
    let reader = try scratch.store.reader()
    #expect(try reader.key(key.digest) == stored)
    #expect(stored.id > 0 && stored.scopes == [.host, .read] && stored.defaults == key.defaults)
    var twin = key
    twin.digest = .init(sha256Of: [1].span)
    // An owner may have two: the next one before the last one is revoked.
    _ = try await scratch.store.insert(twin)
    #expect(try reader.keys().map(\.revokedAt) == [nil, nil])
    let failure = await #expect(throws: StoreFailure.self) {
      _ = try await scratch.store.insert(twin)
    }
    #expect(failure?.kind == .taken)
    #expect(try await scratch.store.revokeKeys("gw2") == .unknown)
    #expect(try await scratch.store.revokeKeys("gw1", id: 99) == .unknown)
    #expect(try await scratch.store.revokeKeys("gw1", id: stored.id) == .revoked)
    #expect(try reader.key(key.digest) == nil && reader.key(twin.digest) != nil)
    #expect(try await scratch.store.revokeKeys("gw1", id: stored.id) == .alreadyRevoked)
    #expect(try await scratch.store.revokeKeys("gw1") == .revoked)
    #expect(try reader.key(key.digest) == nil && reader.key(twin.digest) == nil)
    #expect(try await scratch.store.revokeKeys("gw1") == .alreadyRevoked)
  }

  @Test func aKeysLastUseIsKept() async throws {
    let scratch = try ScratchStore()
    let key = try await scratch.store.insert(
      AccessKey(
        owner: owner("gw1"), digest: .init(sha256Of: [1].span), scopes: [.read], createdAt: 3))
    #expect(key.lastUsedAt == nil)
    let uses = scratch.store.keyUses
    for time in [50, 70, 60] as [Int64] { uses.note(key.id, at: time) }
    #expect(uses.latest == [key.id: 70])
    try await scratch.store.flushKeyUses()
    #expect(uses.latest.isEmpty)
    #expect(try scratch.store.reader().keys().map(\.lastUsedAt) == [70])
    // The clock was set back, or a key is gone: neither takes anything away.
    uses.note(key.id, at: 9)
    uses.note(99, at: 9)
    try await scratch.store.flushKeyUses()
    #expect(try scratch.store.reader().keys().map(\.lastUsedAt) == [70])
  }
}
