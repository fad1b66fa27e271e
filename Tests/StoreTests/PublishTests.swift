import Crypto
import Foundation
import Kernel
import SQLite
import Testing
import Wire

@testable import Store

@Suite struct PublishTests {
  @Test func sameBytesShareOneFile() async throws {
    let scratch = try ScratchStore()
    let first = try await scratch.put(image(1)).asset
    scratch.clock.advance(5)
    let second = try await scratch.put(image(1), .permanent(owner: owner("gw1")))
    #expect(second.isNew && second.asset.id != first.id)
    #expect(second.asset.blob == first.blob, "the row's file, not the second one")
    #expect(try scratch.blobFiles() == [first.blob.name.path], "gone before publish returned")
    try scratch.expectWhole()
  }

  /// The same for each image of an order that brings what is there already.
  @Test func everyFileThatIsNotNeededGoes() async throws {
    let scratch = try ScratchStore()
    for seed in 1...3 { _ = try await scratch.put(image(seed)) }
    var publication = Publication()
    for seed in 1...3 { publication.add(try scratch.settle(image(seed)), as: .temporary()) }
    #expect(try await scratch.store.publish(publication).count == 3)
    #expect(try scratch.blobFiles().count == 3)
    try scratch.expectWhole()
  }

  /// What is deleted after its answer is nobody else's: who sends the same bytes gets its own.
  @Test func whatPassesIsNotReused() async throws {
    let scratch = try ScratchStore()
    var passage: Passage? = scratch.store.passage()
    var publication = Publication()
    publication.passage = passage
    publication.add(try scratch.settle(image(1)), as: .temporary())
    let passing = try #require(try await scratch.store.publish(publication).first)
    let own = try await scratch.put(image(1), .temporary(reuse: true))
    #expect(own.isNew && own.asset.id != passing.asset.id)
    let again = try await scratch.put(image(1), .temporary(reuse: true))
    #expect(!again.isNew && again.asset.id == own.asset.id)
    _ = try await scratch.store.delete(own.asset.id, owner: own.asset.owner)
    #expect(try await scratch.put(image(1), .temporary(reuse: true)).isNew)
    passage = nil
    #expect(!scratch.store.passing.contains(passing.asset.id))
  }

  @Test func reuseGivesTheSameIDAndTheLaterExpiry() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    let first = try await scratch.put(image(1), .temporary(until: now + 100, reuse: true))
    let rows: [(NewAsset, isNew: Bool, until: Int64?)] = [
      (.temporary(until: now + 300, reuse: true), false, now + 300),
      (.temporary(until: now + 200, reuse: true), false, now + 300),
      (.temporary(until: now + 200), true, now + 200),
      (.temporary(until: now + 200, owner: owner("gw1"), reuse: true), true, now + 200),
      (.permanent(reuse: true), true, nil),
      (.permanent(reuse: true), false, nil),
    ]
    for (index, row) in rows.enumerated() {
      let published = try await scratch.put(image(1), row.0)
      #expect(published.isNew == row.isNew, "row \(index)")
      #expect(published.asset.lifetime.expiresAt == row.until, "row \(index)")
      if index < 2 { #expect(published.asset.id == first.asset.id) }
    }
    try scratch.expectWhole()
  }

  @Test func renewalTellsCaches() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    let first = try await scratch.put(image(1), .temporary(until: now + 100, reuse: true)).asset
    let epoch = scratch.store.epochs.current(first.id)
    _ = try await scratch.put(image(1), .temporary(until: now + 200, reuse: true))
    #expect(scratch.store.epochs.current(first.id) != epoch)
  }

  @Test func generationAndItsImagesAreOneTransaction() async throws {
    let scratch = try ScratchStore()
    let id = GenerationID(number: 7)
    let fingerprint = SHA256.digest(of: [1].span)
    let generation = Generation(
      id: id, owner: .local, fingerprint: fingerprint, idempotencyKey: "k", status: .completed,
      answer: [1, 2, 3], model: "sample", createdAt: 1, expiresAt: 2)
    var publication = Publication(generation: generation)
    for index in [2, 0, 1] {
      var new = NewAsset.temporary()
      new.generation = id
      new.index = index
      publication.add(try scratch.settle(image(index)), as: new)
    }
    let published = try await scratch.store.publish(publication)
    #expect(published.map(\.asset.index) == [2, 0, 1])
    let reader = try scratch.store.reader()
    #expect(try reader.assets(of: id).map(\.index) == [0, 1, 2])
    #expect(try reader.generation(id) == generation)
    #expect(try reader.generation(fingerprint, of: .local) == generation)
    #expect(try reader.generation(key: "k", of: .local) == generation)
    #expect(try reader.generation(key: "k", of: owner("x")) == nil)
    try await scratch.store.markDelivered(id)
    #expect(try reader.generation(id)?.isDelivered == true)
    try scratch.expectWhole()
  }

  @Test func onePartThatFailsKeepsNothingOfAll() async throws {
    let scratch = try ScratchStore()
    var publication = Publication()
    publication.add(try scratch.settle(image(1)), as: .temporary())
    var over = NewAsset.temporary(owner: owner("small"))
    over.quota = 999
    publication.add(try scratch.settle(image(2)), as: over)
    do {
      _ = try await scratch.store.publish(publication)
      Issue.record("it must fail")
    } catch {
      #expect(error.kind == .full(.quota))
    }
    #expect(try scratch.store.reader().totals().assets == 0)
    try scratch.expectWhole()
    #expect(try scratch.blobFiles().isEmpty)
  }

  /// Fifty uploads that stand in one transaction: each sees the bytes of those before it.
  @Test func fiftyUploadsAtOnceAreExact() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let key = owner("gw1")
    let writer = try await HeldWriter(store)
    let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
      for seed in 0..<50 {
        group.addTask {
          var new = NewAsset.temporary(owner: key)
          new.quota = 20 * 1000
          do {
            _ = try await scratch.put(image(seed), new)
            return true
          } catch let error as StoreFailure {
            #expect(error.kind == .full(.quota))
            return false
          }
        }
      }
      try await writer.untilWaiting(50)
      writer.letGo()
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(taken == 20)
    #expect(try store.reader().totals(of: key).bytes == 20 * 1000)
    try scratch.expectWhole()
  }

  @Test func quotaIsExact() async throws {
    let scratch = try ScratchStore()
    var new = NewAsset.temporary(owner: owner("gw1"))
    new.quota = 2000
    _ = try await scratch.put(image(1), new)
    _ = try await scratch.put(image(1), new)
    let failure = await #expect(throws: StoreFailure.self) {
      _ = try await scratch.put(image(3, bytes: 24), new)
    }
    #expect(failure?.kind == .full(.quota))
    #expect(try scratch.store.reader().totals(of: owner("gw1")).bytes == 2000)
    try scratch.expectWhole()
  }

  @Test func bytesThatWereTakenDownAreRefused() async throws {
    let scratch = try ScratchStore()
    let digest = SHA256.digest(of: image(1).span)
    try await scratch.store.write { (session) throws(StoreFailure) in
      _ = try catalog(.record) { () throws(SQLiteFailure) in
        try session.connection.execute(
          "INSERT INTO blocked (digest, blocked_at) VALUES (x'\(digest.hex)', 0)")
      }
    }
    let failure = await #expect(throws: StoreFailure.self) { _ = try await scratch.put(image(1)) }
    #expect(failure?.kind == .blocked)
    try scratch.expectWhole()
  }

  @Test func whatWaitsIsCommittedTogether() async throws {
    let scratch = try ScratchStore()
    let before = scratch.store.commitStatistics
    try await withThrowingTaskGroup(of: Void.self) { group in
      for seed in 0..<64 {
        let settled = try scratch.settle(image(seed))
        let work = settled.work
        _ = consume settled
        group.addTask {
          var publication = Publication()
          publication.add(try SettledBlob(work), as: .temporary())
          _ = try await scratch.store.publish(publication)
        }
      }
      try await group.waitForAll()
    }
    let after = scratch.store.commitStatistics
    #expect(after.jobs - before.jobs == 64)
    #expect(after.commits - before.commits < 64)
    try scratch.expectWhole()
  }

  @Test func listsGoFromNewToOldInPages() async throws {
    let scratch = try ScratchStore()
    var newest: [AssetID] = []
    for seed in 0..<7 {
      newest.insert(try await scratch.put(image(seed)).asset.id, at: 0)
      _ = try await scratch.put(image(seed), .temporary(owner: owner("other")))
      scratch.clock.advance(1)
    }
    let reader = try scratch.store.reader()
    var query = AssetQuery(owner: .local, limit: 3)
    func ids(_ query: AssetQuery) throws -> [AssetID]? {
      try reader.assets(query)?.assets.map(\.id)
    }
    #expect(try ids(query) == Array(newest[..<3]))
    query.after = newest[2]
    #expect(try ids(query) == Array(newest[3..<6]))
    query.after = AssetID(number: 1)
    #expect(try ids(query) == nil)
    #expect(try ids(AssetQuery(owner: nil))?.count == 14)
    #expect(try reader.ownerTotals().map(\.assets) == [7, 7])
  }
}
