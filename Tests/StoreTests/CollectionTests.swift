import Crypto
import Foundation
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

extension Digest {
  init(sha256Of bytes: Span<UInt8>) { self = SHA256.digest(of: bytes) }
}

@Suite struct CollectionTests {
  /// What a call of `plan` or `collect` told.
  private func listed(
    _ run: (_ each: (CollectionItem) -> Void) throws -> CollectionReport
  ) throws -> (items: Set<CollectionItem>, report: CollectionReport) {
    var items: [CollectionItem] = []
    var report = try run { items.append($0) }
    report.nanoseconds = 0
    #expect(Set(items).count == items.count)
    return (Set(items), report)
  }

  /// Fifty assets over twenty blobs, expired ones and others, and two orphans.
  private func filled() async throws -> ScratchStore {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    for index in 0..<50 {
      let bytes = image(index % 20, bytes: 1000 + index % 20)
      let new: NewAsset =
        switch index % 5 {
        case 0: .permanent()
        case 1: .temporary(until: now + 5000)
        default: .temporary(until: now + Int64(index))
        }
      _ = try await scratch.put(bytes, new)
    }
    let pinned = try await scratch.put(image(100), .temporary(until: now)).asset
    _ = try await scratch.store.change(pinned.id, owner: nil, AssetChange(isPinned: true))
    try plantOrphan(scratch, 1)
    try plantOrphan(scratch, 2)
    return scratch
  }

  private func plantOrphan(_ scratch: ScratchStore, _ seed: Int, age: Int64 = 7200) throws {
    let digest = SHA256.digest(of: image(1000 + seed).span)
    try scratch.plantOrphan(digest, modified: scratch.clock.now - age)
  }

  @Test func runRemovesExactlyWhatTheDryRunNames() async throws {
    // G2: and a second run removes nothing.
    let scratch = try await filled()
    let store = scratch.store
    scratch.clock.advance(640)
    let files = try scratch.blobFiles().count
    let totals = try store.reader().totals()
    let dry = try listed { try store.plan(Policy.builtIn, each: $0) }
    #expect(try store.reader().totals() == totals && scratch.blobFiles().count == files)
    let real = try listed { try store.collect(Policy.builtIn, each: $0) }
    #expect(dry.items == real.items)
    #expect(dry.report == real.report)
    #expect(real.report.results.map(\.policy) == ["expired", "orphans", "records"])
    // Of 50: 2, 3, 4, 7 … 39 have expired by 40 s and the grace.
    #expect(real.report.results[0].assets == 24)
    #expect(real.report.results[1].blobs == 2)
    #expect(try scratch.blobFiles().count == files - 2 - real.report.results[0].blobs)
    try scratch.expectWhole()
    let second = try listed { try store.collect(Policy.builtIn, each: $0) }
    #expect(second.items.isEmpty)
  }

  @Test func graceIsKeptToTheSecond() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    let asset = try await scratch.put(image(1), .temporary(until: now + 10)).asset
    let policy = Policy(.expired(grace: 600))
    scratch.clock.advance(609)
    #expect(try scratch.store.collect([policy]).results[0].assets == 0)
    scratch.clock.advance(1)
    let epoch = scratch.store.epochs.current(asset.id)
    #expect(try scratch.store.collect([policy]).results[0].assets == 1)
    #expect(scratch.store.epochs.current(asset.id) != epoch)
    #expect(try scratch.store.reader().lookUp(asset.id) == .unknown, "its time had come")
    try scratch.expectWhole()
  }

  @Test func manyBatchesAndALimit() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    let settled = try scratch.settle(image(1)).blob
    _ = settled
    let first = try await scratch.put(image(1), .temporary(until: now)).asset
    try await scratch.store.write { (session) throws(StoreFailure) in
      for _ in 0..<1500 {
        _ = try session.insert(first.blob, as: .temporary(until: now), now: now)
      }
    }
    scratch.clock.advance(1000)
    let policy = [Policy(.expired(grace: 600), name: "old")]
    let limited = CollectionOptions(limit: 700)
    let plan = try scratch.store.plan(policy, limited).results
    #expect(plan.map(\.assets) == [700] && plan.map(\.blobs) == [0])
    #expect(try scratch.store.collect(policy, limited).results == plan)
    let rest = try scratch.store.collect(policy).results[0]
    #expect(rest.assets == 801 && rest.blobs == 1 && rest.bytes == 801_000)
    #expect(rest.policy == "old")
    let reader = try scratch.store.reader()
    #expect(
      try reader.session.connection.text("SELECT group_concat(assets) FROM collections")
        == "700,801")
    try scratch.expectWhole()
  }

  @Test func youngOrphansAndForeignNamesStay() async throws {
    let scratch = try ScratchStore()
    try plantOrphan(scratch, 1, age: 3599)
    let folder = try Directory.open(path: scratch.path + "/blobs/ab")
    try folder.file("notes.txt", .createNew).setModified(0)
    let policy = [Policy(.orphans(grace: 3600))]
    #expect(try scratch.store.collect(policy).results[0].blobs == 0)
    scratch.clock.advance(1)
    #expect(try scratch.store.collect(policy).results[0].blobs == 1)
    #expect(try scratch.blobFiles() == ["ab/notes.txt"])
  }

  /// A13: what the daemon does by itself looks at one folder each time, and comes round.
  @Test func sweepTakesOneFolderATurn() async throws {
    let scratch = try ScratchStore()
    try plantOrphan(scratch, 1)
    let name = try #require(try scratch.blobFiles().first)
    let folder = try #require(Int64(name.prefix(2), radix: 16))
    var options = CollectionOptions()
    options.sweepsNextFolder = true
    let policy = [Policy(.orphans(grace: 3600))]
    func begin(at folder: Int64) async throws {
      try await scratch.store.write { (session) throws(StoreFailure) in
        try session.set(.nextFolder, folder & 255)
      }
    }
    try await begin(at: folder + 1)
    #expect(try scratch.store.collect(policy, options).results[0].blobs == 0)
    #expect(try scratch.store.reader().session.integer(.nextFolder) == (folder + 2) & 255)
    try await begin(at: folder - 1)
    #expect(try scratch.store.collect(policy, options).results[0].blobs == 0)
    #expect(try scratch.store.collect(policy, options).results[0].blobs == 1)
    try await begin(at: 255)
    #expect(try scratch.store.collect(policy, options).results[0].blobs == 0)
    #expect(try scratch.store.reader().session.integer(.nextFolder) == 0)
  }

  @Test func sweepNeverTakesWhatIsInFlight() async throws {
    let scratch = try ScratchStore()
    var ingest = try scratch.store.begin(try scratch.store.reserve(1000))
    try ingest.write(image(1).span)
    let settled = try scratch.settle(image(2))
    let policy = [Policy(.orphans(grace: -1_000_000_000))]
    #expect(try scratch.store.collect(policy).results[0].blobs == 0)
    let second = try ingest.settle()
    let assets = [
      try await scratch.store.publish(settled, as: .temporary()),
      try await scratch.store.publish(second, as: .temporary()),
    ]
    #expect(try scratch.store.collect(policy).results[0].blobs == 0)
    #expect(try scratch.content(assets[0].asset.id) == image(2))
    #expect(try scratch.content(assets[1].asset.id) == image(1))
    try scratch.expectWhole()
  }

  @Test func leftoversAndUnusedRowsGo() async throws {
    let scratch = try ScratchStore()
    _ = try await scratch.put(image(1))
    try await scratch.store.write { (session) throws(StoreFailure) in
      _ = try catalog(.delete) { () throws(SQLiteFailure) in
        try session.connection.execute("DELETE FROM assets")
      }
    }
    try Data([1, 2]).write(to: URL(fileURLWithPath: scratch.path + "/incoming/left"))
    let policy = [Policy(.orphans(grace: -1_000_000_000))]
    let dry = try listed { try scratch.store.plan(policy, each: $0) }
    let real = try listed { try scratch.store.collect(policy, each: $0) }
    #expect(dry.items == real.items && dry.report == real.report)
    #expect(real.report.results[0].blobs == 2 && real.report.results[0].bytes == 1002)
    try scratch.expectWhole()
  }

  @Test func oldRecordsAreForgotten() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    _ = try await scratch.store.delete(asset.id, owner: nil)
    try await scratch.store.record(
      Generation(
        id: GenerationID(number: 1), owner: .local, fingerprint: asset.blob.digest,
        status: .failed, createdAt: 0, expiresAt: scratch.clock.now))
    let policy = [Policy(.records(after: 3600))]
    scratch.clock.advance(3599)
    #expect(try scratch.store.collect(policy).results[0].records == 0)
    scratch.clock.advance(1)
    #expect(try scratch.store.plan(policy).results[0].records == 2)
    #expect(try scratch.store.collect(policy).results[0].records == 2)
    #expect(try scratch.store.reader().lookUp(asset.id) == .unknown)
  }

  @Test func jumpedClockSuspendsCollection() async throws {
    let scratch = try ScratchStore()
    _ = try await scratch.put(image(1), .temporary(until: scratch.clock.now))
    scratch.clock.advance(10 * 365 * 24 * 3600)
    let policy = [Policy(.expired(grace: 600))]
    let suspended = try scratch.store.collect(policy)
    #expect(suspended.clockJump == 10 * 365 * 24 * 3600 && suspended.results.isEmpty)
    #expect(try scratch.store.plan(policy).clockJump != nil)
    let accepted = try scratch.store.collect(policy, CollectionOptions(acceptsClock: true))
    #expect(accepted.clockJump == nil && accepted.results[0].assets == 1)
    #expect(try scratch.store.collect(policy).clockJump == nil)
  }

  @Test func fullDiskGivesUpTheBallast() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    _ = try await scratch.put(image(1), .temporary(until: now))
    scratch.clock.advance(1000)
    // The first commit of the run finds no room.
    WriteFaults.fail(nth: 1, code: 28, thread: scratch.store.writer.threadID)
    let report = try scratch.store.collect([Policy(.expired(grace: 0))])
    #expect(report.results[0].assets == 1)
    #expect(scratch.store.health == .good)
    try scratch.expectWhole()
  }

  /// A drain waits for one batch, not for all of them; what that removed stays removed.
  @Test func aCollectionCanBeStopped() async throws {
    let scratch = try ScratchStore()
    let (store, now) = (scratch.store, scratch.clock.now)
    let blob = try await scratch.put(image(1), .permanent()).asset.blob
    try await store.write { (session) throws(StoreFailure) in
      for _ in 0..<500 { _ = try session.insert(blob, as: .temporary(until: now), now: now) }
    }
    scratch.clock.advance(10)
    let policies = [
      Policy(.expired(grace: 0)), Policy(.orphans(grace: 0)), Policy(.records(after: 1)),
    ]
    let stopped = try store.collect(policies) { _ in store.stopCollecting() }
    #expect(stopped.results.map(\.assets) == [50, 0, 0])
    #expect(try store.reader().totals().assets == 451)
    try scratch.plantOrphan(SHA256.digest(of: image(7).span), modified: 0)
    #expect(
      try store.collect(policies, .init(allowsLarge: true)).results.map(\.blobs) == [0, 0, 0])
    #expect(try scratch.blobFiles().count == 2)
  }

  /// Blobs go after the assets of a whole choice: a run that is ended in between leaves their rows,
  /// and a note of each to the next run, which takes no others and counts none of them.
  @Test func theNextRunFinishesWhatAStopLeft() async throws {
    let scratch = try ScratchStore()
    let clock = scratch.clock
    let shared = try await scratch.put(image(1), .temporary(until: clock.now))
    _ = try await scratch.put(image(1), .permanent())
    for seed in 2..<10 { _ = try await scratch.put(image(seed), .temporary(until: clock.now)) }
    clock.advance(10)
    let expired = [Policy(.expired(grace: 0))]
    let stopped = try scratch.store.collect(expired) { _ in scratch.store.stopCollecting() }
    #expect(stopped.results.map(\.assets) == [9] && stopped.results.map(\.blobs) == [0])
    #expect(try scratch.store.reader().totals().blobs == 9)
    scratch.store.close()
    let next = try ScratchStore(copyOf: scratch.path)
    next.clock.advance(10)
    let store = next.store
    #expect(try store.reader().session.lastPerhapsUnused() == 9)
    let report = try store.collect(expired)
    #expect(report.results.map(\.assets) == [0] && report.results.map(\.blobs) == [0])
    #expect(try store.reader().session.lastPerhapsUnused() == 0)
    let totals = try store.reader().totals()
    #expect(totals.blobs == 1 && totals.assets == 1)
    #expect(try next.blobFiles().count == 1)
    #expect(store.space.awaitingUnlink == 0 && store.space.stored == 4096)
    #expect(try store.reader().asset(shared.asset.id) == nil)
    try next.expectWhole()
  }

  /// It is no catalogue that lost its rows either: the sweep does not stop for them.
  @Test func whatAStopLeftDoesNotStopTheSweep() async throws {
    let scratch = try ScratchStore()
    try await scratch.fill(1500)
    var removed = 0
    _ = try scratch.store.collect([Policy(.expired(grace: 0))]) { _ in
      removed += 1
      if removed == SweepRound.maxOrphans + 200 { scratch.store.stopCollecting() }
    }
    let left = try scratch.store.reader().totals()
    #expect(removed > SweepRound.maxOrphans && left.assets == 1500 - removed && left.blobs == 1500)
    scratch.store.close()
    let next = try ScratchStore(copyOf: scratch.path)
    next.clock.advance(7200)
    let dry = try listed { try next.store.plan(Policy.builtIn, each: $0) }
    let real = try listed { try next.store.collect(Policy.builtIn, each: $0) }
    #expect(dry.items == real.items && dry.report == real.report && real.report.sweepStop == nil)
    #expect(real.report.results.map(\.blobs) == [left.assets, 0, 0])
    #expect(try next.store.reader().totals().blobs == 0)
  }

  /// Files make room: those of what was removed go, although the run fails for want of it.
  @Test func aFullDiskLosesFilesFirst() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    try await scratch.fill(400)
    var seen = 0
    let failure = #expect(throws: StoreFailure.self) {
      _ = try store.collect([Policy(.expired(grace: 0))]) { _ in
        seen += 1
        guard seen == 1 else { return }
        // The COMMIT, the log that is brought home then, and the COMMIT once more.
        WriteFaults.fail(nth: 1, code: 28, thread: store.writer.threadID, times: 3)
      }
    }
    let totals = try store.reader().totals()
    #expect(failure?.kind == .full(.disk) && (1..<400).contains(totals.assets))
    #expect(totals.blobs == totals.assets)
    #expect(try store.reader().session.lastPerhapsUnused() == 0)
    #expect(try store.collect([Policy(.expired(grace: 0))]).results[0].blobs == totals.assets)
  }

  /// What is chosen goes in the order of the rows: batches of neighbours, whatever expired first.
  @Test func aChoiceIsRemovedInTheOrderOfItsRows() async throws {
    let scratch = try ScratchStore()
    try await scratch.fill(300)
    var serials: [AssetID: Int64] = [:]
    let (reader, policy) = (try scratch.store.reader(), ExpiredPolicy(grace: 0))
    let now = scratch.clock.now
    for asset in try reader.session.candidates(policy, now: now, after: nil, limit: 300) {
      serials[asset.id] = asset.place.serial
    }
    var order: [Int64] = []
    _ = try scratch.store.collect([Policy(.expired(grace: 0))], .init(limit: 250)) {
      order.append($0.id.flatMap { serials[$0] } ?? -1)
    }
    #expect(order.count == 250 && order == order.sorted())
    #expect(try scratch.store.reader().session.lastPerhapsUnused() == 0)
    // Those that expired first were chosen.
    let oldest = serials.values.sorted { ($0 % 97, -$0) > ($1 % 97, -$1) }.prefix(250)
    #expect(Set(order) == Set(oldest))
  }

  /// Records go in short batches too: the writer is for everyone.
  @Test func recordsArePaced() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    func jobs() throws -> Int {
      let before = store.commitStatistics.jobs
      _ = try store.collect([Policy(.records(after: 60))])
      return store.commitStatistics.jobs - before
    }
    let none = try jobs()
    try await store.write { (session) throws(StoreFailure) in
      for number in 0..<150 {
        let place = AssetPlace(serial: Int64(number), owner: "local", retention: "permanent")
        try session.bury(AssetID(number: UInt128(number)), place, .deleted, now: 0)
      }
    }
    #expect(try jobs() > none)
  }

  /// What a collection frees is out of the sum before the writer's next work: after a failed commit
  /// that reads the sum from the rows.
  @Test func theWriterSeesTheSumOfItsRows() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    for seed in 0..<40 {
      _ = try await scratch.put(image(seed), .temporary(until: scratch.clock.now))
    }
    scratch.clock.advance(10)
    let done = Flag()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { done.raise() }
        for _ in 0..<40 {
          let report = try store.collect([Policy(.expired(grace: 0))], .init(limit: 1))
          #expect(report.results[0].assets == 1)
        }
      }
      group.addTask {
        while !done.isRaised {
          let sums = try await store.write { (session) throws(StoreFailure) in
            (try session.totals().diskBytes, store.space.stored)
          }
          #expect(sums.0 == sums.1)
        }
      }
      try await group.waitForAll()
    }
    try scratch.expectWhole()
  }

  private final class Flag: Sendable {
    private let state = Atomic<Bool>(false)
    var isRaised: Bool { state.load(ordering: .relaxed) }
    func raise() { state.store(true, ordering: .relaxed) }
  }
}
