import Crypto
import Foundation
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

/// The orphan sweep stops rather than believe a catalogue that has lost its rows.
@Suite struct SweepBrakeTests {
  private let policy = [Policy(.orphans(grace: 3600))]

  /// Files without rows, as many in each folder as in every other.
  private func plant(_ count: Int, in scratch: ScratchStore) throws {
    for index in 0..<count {
      var bytes = [UInt8](repeating: 0, count: 32)
      bytes[0] = UInt8(truncatingIfNeeded: index)
      bytes[1] = UInt8(truncatingIfNeeded: index >> 8)
      let digest = Digest(bytes.span)
      try scratch.plantOrphan(try #require(digest), modified: scratch.clock.now - 7200)
    }
  }

  @Test func lostRowsCostNoFile() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    try plant(1025, in: scratch)
    let reason = "a whole round would take 1025 of 1026 files"
    for folders in [0..<256, 0..<1, 7..<9] {
      let options = CollectionOptions(folders: folders)
      let plan = try scratch.store.plan(policy, options)
      #expect(plan.sweepStop == reason && plan.results[0].blobs == 0, "\(folders)")
      let report = try scratch.store.collect(policy, options)
      #expect(report.sweepStop == reason && report.results[0].blobs == 0, "\(folders)")
    }
    #expect(scratch.store.orphanSweepStop == reason && scratch.store.orphanSweepStops == 3)
    #expect(try scratch.blobFiles().count == 1026)
    // It is remembered, also when there is less to take by now.
    let copy = try ScratchStore(copyOf: scratch.path)
    #expect(copy.store.orphanSweepStop == reason)
    for file in try copy.blobFiles().dropFirst(10) where file != asset.blob.name.path {
      try FileManager.default.removeItem(atPath: copy.path + "/blobs/" + file)
    }
    #expect(try copy.store.collect(policy).results[0].blobs == 0)
    // An operator has looked.
    let allowed = try copy.store.collect(policy, CollectionOptions(allowsLarge: true))
    #expect(allowed.sweepStop == nil && allowed.results[0].blobs >= 9)
    #expect(copy.store.orphanSweepStop == nil)
    try copy.expectWhole()
    try copy.plantOrphan(SHA256.digest(of: [1].span), modified: copy.clock.now - 7200)
    #expect(try copy.store.collect(policy).results[0].blobs == 1, "it goes on by itself")
  }

  /// A count of all folders that could not see most of them says nothing of the round.
  @Test func foldersThatCouldNotBeReadAreCountedLater() async throws {
    let scratch = try ScratchStore()
    try plant(1025, in: scratch)
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    // One of `incoming/` and two of the folder whose turn it is are good; then none is.
    for nth in [4] + [Int](repeating: 1, count: 255) {
      SystemCallTrace.fail(.openat, nth: nth, code: EMFILE, thread: thread)
    }
    let first = try scratch.store.collect(policy, CollectionOptions(folders: 0..<1))
    _ = SystemCallTrace.stop(thread: thread)
    #expect(first.sweepStop == nil && first.results[0].blobs == 5)
    let second = try scratch.store.collect(policy, CollectionOptions(folders: 1..<2))
    #expect(second.sweepStop == "a whole round would take 1025 of 1025 files")
    #expect(try scratch.blobFiles().count == 1020)
  }

  /// The commit that is to keep the reason fails: the next run keeps it. The same of its end.
  @Test func whatCouldNotBeKeptIsKeptLater() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    try await store.write { (_) throws(StoreFailure) in }
    func failing(_ body: () throws(StoreFailure) -> Void) async throws {
      WriteFaults.fail(nth: 1, code: EIO, thread: store.writer.threadID)
      #expect(throws: StoreFailure.self) { try body() }
      try await until("the log is home") { store.health == .good }
      #expect(store.orphanSweepStop == "lost")
    }
    func kept() throws -> String? { try store.reader().session.text(.sweepStop) }
    try await failing { () throws(StoreFailure) in try store.keep(sweepStop: "lost") }
    #expect(try kept() == nil)
    try store.keep(sweepStop: "lost")
    #expect(try kept() == "lost" && store.orphanSweepStops == 2)
    try await failing { () throws(StoreFailure) in try store.endSweepStop() }
    #expect(try kept() == "lost")
    try store.endSweepStop()
    #expect(try kept() == nil && store.orphanSweepStop == nil)
  }

  @Test func oneFolderAfterTheOtherAddsUp() async throws {
    // Too few in each folder to look at all of them at once: the round's sum stops it.
    let scratch = try ScratchStore()
    try plant(3 * 256, in: scratch)
    var taken = 0
    for folder in 0..<256 {
      let options = CollectionOptions(folders: folder..<folder + 1)
      taken += try scratch.store.collect(policy, options).results[0].blobs
    }
    #expect(taken == 768 && scratch.store.orphanSweepStop == nil)
    #expect(scratch.store.sweepRound.withLock { $0.orphans } == 768)
    try plant(256, in: scratch)
    var round = SweepRound(orphans: 1000, files: 1000)
    let reader = try scratch.store.reader()
    let sweep = OrphanSweep(
      policy: "orphans", grace: 3600, now: scratch.clock.now, files: scratch.store.files,
      session: reader.session)
    let stop = try sweep.run(CollectionOptions(folders: 1..<2), &round) { _ in
      Issue.record("nothing is taken")
    }
    #expect(stop == "a whole round would take 1001 of 1001 files")
  }

  @Test(arguments: [
    (1000, 1000, false), (1001, 1001, true), (1001, 5005, false), (1001, 5004, true),
    (0, 0, false),
  ])
  func muchIsMoreThanAThousandAndAFifth(orphans: Int, files: Int, isTooMuch: Bool) {
    #expect(SweepRound(orphans: orphans, files: files).isTooMuch == isTooMuch)
  }

  @Test func thousandGo() throws {
    let scratch = try ScratchStore()
    try plant(1000, in: scratch)
    #expect(try scratch.store.collect(policy).results[0].blobs == 1000)
    try scratch.expectWhole()
  }

  @Test func olderFileThanTheCatalogueStopsIt() throws {
    let scratch = try ScratchStore()
    let madeAt = try #require(try scratch.store.reader().session.integer(.createdAt))
    #expect(abs(madeAt - SystemClock.wallSeconds) < 600)
    let digest = SHA256.digest(of: [1].span)
    let name = try scratch.plantOrphan(digest, modified: madeAt - 1)
    let report = try scratch.store.collect(policy)
    #expect(report.results[0].blobs == 0)
    #expect(report.sweepStop?.contains("\(name)") == true)
    #expect(try scratch.blobFiles() == [name.path])
  }

  @Test func rebuiltCatalogueStopsIt() async throws {
    let scratch = try ScratchStore()
    try await scratch.store.write { (session) throws(StoreFailure) in
      try session.set(.rebuiltAt, 1)
    }
    #expect(try scratch.store.collect(policy).sweepStop == nil, "there is nothing to take")
    try plant(1, in: scratch)
    let report = try scratch.store.collect(policy)
    #expect(report.results[0].blobs == 0 && report.sweepStop?.contains("rebuilt") == true)
    let allowed = CollectionOptions(allowsLarge: true)
    #expect(try scratch.store.collect(policy, allowed).results[0].blobs == 1)
    try plant(1, in: scratch)
    #expect(try scratch.store.collect(policy).results[0].blobs == 1)
  }
}
