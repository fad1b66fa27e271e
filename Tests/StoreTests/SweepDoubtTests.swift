import Crypto
import Foundation
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

/// An older catalogue beside newer images costs none of them.
@Suite struct SweepDoubtTests {
  private let policy = [Policy(.orphans(grace: 3600))]

  /// A store with a catalogue that was last in use a day ago, by its own mark, and so many images
  /// that were stored after that.
  private func restored(_ lost: Int) async throws -> ScratchStore {
    let scratch = try ScratchStore()
    for seed in 0..<3 { _ = try await scratch.put(image(seed), .permanent()) }
    scratch.store.close()
    let root = try scratch.copy()
    defer { try? FileManager.default.removeItem(atPath: root) }
    let backup = root + "/catalog.backup"
    try FileManager.default.moveItem(atPath: root + "/catalog.sqlite", toPath: backup)
    try FileManager.default.copyItem(atPath: backup, toPath: root + "/catalog.sqlite")
    let later = try Store(ScratchStore.options(root, scratch.clock))
    for seed in 0..<lost {
      var ingest = try later.begin(try later.reserve(1000))
      try ingest.write(image(100 + seed).span)
      _ = try await later.publish(try ingest.settle(), as: .permanent())
    }
    later.close()
    for tail in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: root + "/catalog.sqlite" + tail)
    }
    try FileManager.default.moveItem(atPath: backup, toPath: root + "/catalog.sqlite")
    try setFact("used_at", SystemClock.wallSeconds - 86_400, in: root)
    try setFact("created_at", SystemClock.wallSeconds - 1_000_000, in: root)
    return try ScratchStore(copyOf: root)
  }

  private func setFact(_ name: String, _ value: Int64, in root: String) throws {
    try Connection(path: root + "/catalog.sqlite", access: .readWrite)
      .execute("UPDATE meta SET value = \(value) WHERE name = '\(name)'")
  }

  @Test func anOlderCatalogueCostsNoImage() async throws {
    let scratch = try await restored(SweepDoubt.few + 1)
    let folder = CollectionOptions(folders: 7..<8)
    for options in [folder, CollectionOptions()] {
      #expect(try scratch.store.plan(policy, options).sweepStop?.contains("not name 11") == true)
      let report = try scratch.store.collect(policy, options)
      #expect(report.sweepStop?.contains("it may be an older one") == true)
      #expect(report.results.map(\.blobs) == [0])
    }
    #expect(try scratch.blobFiles().count == 14)
    // An operator has looked.
    let allowed = try scratch.store.collect(policy, CollectionOptions(allowsLarge: true))
    #expect(allowed.results.map(\.blobs) == [11] && scratch.store.orphanSweepStop == nil)
    try scratch.plantOrphan(SHA256.digest(of: [1].span), modified: scratch.clock.now - 7200)
    #expect(try scratch.store.collect(policy).results[0].blobs == 1, "it goes on by itself")
    try scratch.expectWhole()
  }

  /// The next start, and what is stored in between, do not hide what the first one saw.
  @Test func theDoubtIsKeptOverStarts() async throws {
    let scratch = try await restored(SweepDoubt.few + 1)
    _ = try await scratch.put(image(50), .permanent())
    scratch.store.close()
    let again = try ScratchStore(copyOf: scratch.path)
    #expect(try again.store.collect(policy).sweepStop?.contains("not name 11") == true)
    #expect(try again.blobFiles().count == 15)
  }

  /// A crash leaves a few files that nobody names.
  @Test func aFewFilesAreACrashs() async throws {
    let scratch = try await restored(SweepDoubt.few)
    let reader = try scratch.store.reader()
    #expect(try reader.session.doubt() != nil)
    let report = try scratch.store.collect(policy)
    #expect(report.sweepStop == nil && report.results.map(\.blobs) == [10])
    #expect(try reader.session.doubt() == nil, "it was looked at")
    try scratch.expectWhole()
  }

  /// A run that ends looks at nothing more, and clears up nothing.
  @Test func aRunThatEndsLeavesTheDoubt() async throws {
    let scratch = try await restored(1)
    scratch.store.stopCollecting()
    #expect(try scratch.store.collect(policy).results.map(\.blobs) == [0])
    #expect(try scratch.store.reader().session.doubt() != nil)
  }

  /// What is not seen may be the files of lost rows.
  @Test(arguments: [(SystemCall.getdents, EIO), (.openat, EMFILE), (.fstatat, EACCES)])
  func aFolderThatCanNotBeReadClearsUpNothing(_ call: SystemCall, _ code: Int32) async throws {
    try await expectDoubt(after: call, code) { _ in 20 }
  }

  @Test func aFileThatCanNotBeLookedAtClearsUpNothing() async throws {
    // Each of the folders before is looked at, and its own, and then it.
    try await expectDoubt(after: .fstatat, EIO) { Int($0.bytes[0]) + 2 }
  }

  private func expectDoubt(
    after call: SystemCall, _ code: Int32, _ nth: (Digest) -> Int
  ) async throws {
    let scratch = try await restored(1)
    let store = scratch.store
    let number = nth(SHA256.digest(of: image(100).span))
    for run in [store.collect, store.plan] {
      let thread = KernelThread.currentID
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(call, nth: number, code: code, thread: thread)
      let failure = #expect(throws: StoreFailure.self) {
        _ = try run(policy, CollectionOptions()) { _ in }
      }
      _ = SystemCallTrace.stop(thread: thread)
      #expect(failure?.kind == .io(Errno(call, code: code)))
      #expect(try store.reader().session.doubt() != nil)
      #expect(store.doubt.withLock { $0 } != nil && store.orphanSweepStop == nil)
    }
    #expect(try scratch.blobFiles().count == 4)
    #expect(try store.collect(policy).results.map(\.blobs) == [1], "it can be read again")
    #expect(try store.reader().session.doubt() == nil)
    try scratch.expectWhole()
  }

  /// The end of the doubt is a commit, and that may fail.
  @Test func aDoubtWhoseEndIsNotDurableGoesOn() async throws {
    let scratch = try await restored(1)
    let store = scratch.store
    try await store.write { (_) throws(StoreFailure) in }
    WriteFaults.fail(nth: 1, code: EIO, thread: store.writer.threadID)
    #expect(throws: StoreFailure.self) { try store.endDoubt() }
    #expect(store.doubt.withLock { $0 } != nil)
    try await until("the log is home") { store.health == .good }
    try store.endDoubt()
    #expect(try store.reader().session.doubt() == nil && store.doubt.withLock { $0 } == nil)
  }

  @Test func aCleanStopLeavesNone() async throws {
    let scratch = try ScratchStore()
    scratch.store.close()
    let root = try scratch.copy()
    defer { try? FileManager.default.removeItem(atPath: root) }
    for round in 0..<2 {
      let store = try await open(root)
      if round == 1 { #expect(store.doubt.withLock { $0 } == nil) }
      // The copy's folders are younger than the mark of what was copied.
      _ = try store.collect(policy)
      for seed in 0..<20 {
        var ingest = try store.begin(try store.reserve(1000))
        try ingest.write(image(seed).span)
        _ = try await store.publish(try ingest.settle(), as: .permanent())
      }
      store.close()
    }
  }

  /// The threads of a store that was closed may hold its lock for a moment.
  private func open(_ root: String) async throws -> Store {
    let end = ContinuousClock.now + .seconds(120)
    while true {
      do { return try Store(ScratchStore.options(root, TestClock())) } catch {
        guard error.kind == .locked, ContinuousClock.now < end else { throw error }
      }
      await Task.yield()
    }
  }

  /// With what is written, and with the end of a store.
  @Test func theMarkIsMovedOn() async throws {
    let scratch = try ScratchStore()
    let start = SystemClock.wallSeconds - SweepDoubt.interval
    func mark() throws -> Int64? { try scratch.store.reader().session.integer(.usedAt) }
    #expect(try mark() ?? 0 >= start)
    // The writer has not read it yet.
    try setFact("used_at", 5, in: scratch.path)
    _ = try await scratch.put(image(1))
    #expect(try mark() ?? 0 >= start)
    let other = try ScratchStore()
    try setFact("used_at", 5, in: other.path)
    other.store.close()
    #expect(try other.store.reader().session.integer(.usedAt) ?? 0 >= start)
  }

  @Test(
    arguments: [
      // before, mark, last change of blobs/, expected
      (nil, 1000, 900, nil), (nil, 1000, 1010, nil),
      (nil, 1000, 1011, SweepDoubt(from: 1000, to: 5000)),
      (SweepDoubt(from: 7, to: 9), 1000, 900, SweepDoubt(from: 7, to: 5000)),
      (SweepDoubt(from: 7, to: 9), 1000, 1011, SweepDoubt(from: 7, to: 5000)),
    ] as [(SweepDoubt?, Int64, Int64, SweepDoubt?)])
  func changesAfterTheMarkAreInDoubt(
    before: SweepDoubt?, mark: Int64, change: Int64, expected: SweepDoubt?
  ) {
    #expect(SweepDoubt(before: before, mark: mark, change: change, start: 5000) == expected)
  }
}
