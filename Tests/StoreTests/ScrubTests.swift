import Foundation
import Kernel
import SQLite
import Testing

@testable import Store

/// Altered bytes are found without anybody asking for them, at a pace that nobody feels. The clock
/// of these tests stands still until they move it.
@Suite struct ScrubTests {
  @Test func alteredBytesAreFound() async throws {
    let events = ToldEvents()
    let bench = try ScrubBench(report: { events.add($0) })
    let (good, bad) = try await (bench.put(1).asset, bench.put(2).asset)
    try bench.alter(bad)
    #expect(try bench.scratch.content(bad.id) != nil, "nobody knows yet")
    let epoch = bench.store.epochs.current(good.id)
    bench.runPass()
    #expect(bench.store.damagedBlobs == (1, 1))
    try bench.expectDamaged(bad)
    #expect(bench.store.epochs.current(good.id) != epoch, "open damaged files are let go of")
    #expect(try bench.scratch.content(good.id) == image(1))
    #expect(try bench.quarantined() == ["\(bad.blob.name)"])
    #expect(try bench.scratch.blobFiles() == [good.blob.name.path])
    let pass = try #require(bench.store.scrubReport.last)
    #expect(pass.blobs == 2 && pass.damaged == 1 && pass.bytes >= 2000)
    #expect(events.all.last == .scrubbed(pass))
    if case .damagedBlob(bad.blob.name, let problem) = try #require(events.all.first) {
      #expect(problem.contains("hash to") && problem.contains("quarantine/"))
    } else {
      Issue.record("\(events.all)")
    }
    // Known over a restart, from the first moment, and not found once more.
    let later = ToldEvents()
    let copy = try ScratchStore(copyOf: bench.scratch.path, report: { later.add($0) })
    #expect(copy.store.damagedBlobs == (1, 0) && later.all.count == 1)
    // Sent again, they are whole again, and the bad file goes.
    let again = try await bench.put(2)
    for id in [bad.id, again.asset.id] { #expect(try bench.scratch.content(id) == image(2)) }
    #expect(bench.store.damagedBlobs == (0, 1))
    try bench.scratch.expectWhole()
    #expect(try bench.quarantined().isEmpty)
    bench.runPass(after: ScrubBench.interval)
    #expect(bench.store.scrubReport.last?.damaged == 0)
  }

  @Test(arguments: DamagedBlobTests.Damage.allCases)
  func filesThatAreGoneOrCutAreFound(_ damage: DamagedBlobTests.Damage) async throws {
    let bench = try ScrubBench()
    let (good, bad) = try await (bench.put(1).asset, bench.put(2).asset)
    try damage.apply(to: bench.path(bad))
    bench.runPass()
    #expect(bench.store.damagedBlobs == (1, 1))
    #expect(bench.store.scrubReport.last?.damaged == 1)
    try bench.expectDamaged(bad)
    #expect(try bench.quarantined().count == (damage == .missing ? 0 : 1))
    #expect(try bench.scratch.content(good.id) == image(1))
    _ = try await bench.put(2)
    #expect(try bench.scratch.content(bad.id) == image(2))
    try bench.scratch.expectWhole()
    #expect(bench.store.damagedBlobs == (0, 1))
  }

  /// Whoever takes an image down means its bytes, wherever they are.
  @Test func fileInQuarantineGoesWithItsRow() async throws {
    let bench = try ScrubBench()
    let bad = try await bench.put(1).asset
    try bench.alter(bad)
    bench.runPass()
    #expect(try bench.quarantined().count == 1)
    #expect(try await bench.store.delete(bad.id, owner: nil))
    try bench.scratch.expectWhole()
    #expect(try bench.quarantined().isEmpty)
    #expect(bench.store.damagedBlobs == (0, 1))
  }

  /// The file is good and its row is not: it is told, and the file stays where it is.
  @Test func rowThatIsWrongTakesNoFile() async throws {
    let bench = try ScrubBench()
    let asset = try await bench.put(1).asset
    try bench.store.commit { (session) throws(StoreFailure) in
      try catalog(.change) { () throws(SQLiteFailure) in
        try session.connection.execute("UPDATE blobs SET bytes = bytes + 1")
      }
    }
    bench.runPass()
    try bench.expectDamaged(asset)
    #expect(try bench.scratch.blobFiles() == [asset.blob.name.path])
    #expect(try bench.quarantined().isEmpty)
  }

  // MARK: Collected meanwhile

  @Test func collectedWhileItIsRead() async throws {
    let bench = try ScrubBench(rate: 1 << 20)
    let asset = try await bench.put(1, bytes: 300_000).asset
    bench.turns(2)
    #expect((1..<300_000).contains(bench.store.scrubReport.bytes), "it is being read")
    #expect(try await bench.store.delete(asset.id, owner: nil))
    bench.store.unlinker.drain()
    bench.runPass()
    #expect(bench.store.damagedBlobs == (0, 0))
    #expect(bench.store.scrubReport.last?.damaged == 0)
    #expect(bench.store.scrubReport.last?.bytes == 300_000, "an open file reads to its end")
  }

  /// The row was read, then the file was removed, then it was opened.
  @Test func collectedBeforeItIsOpened() async throws {
    let bench = try ScrubBench()
    let asset = try await bench.put(1).asset
    try FileManager.default.removeItem(atPath: bench.path(asset))
    bench.turns(1)
    #expect(try await bench.store.delete(asset.id, owner: nil))
    bench.runPass()
    #expect(bench.store.damagedBlobs == (0, 0))
    #expect(bench.store.scrubReport.last?.damaged == 0)
  }

  @Test func replacedBeforeItIsOpened() async throws {
    let bench = try ScrubBench()
    let asset = try await bench.put(1).asset
    try FileManager.default.removeItem(atPath: bench.path(asset))
    bench.turns(1)
    _ = try await bench.put(1)
    bench.runPass()
    #expect(bench.store.scrubReport.last?.damaged == 0)
    #expect(bench.store.damagedBlobs.current == 0)
    try bench.scratch.expectWhole()
  }

  /// The row is found, then the deletion ends, then the damage is noted.
  @Test(arguments: [nil, EIO]) func deletedBeforeItsDamageIsNoted(errno: Int32?) async throws {
    let bench = try ScrubBench()
    let asset = try await bench.put(1).asset
    if errno == nil { try FileManager.default.removeItem(atPath: bench.path(asset)) }
    var looks = 0
    let watch = StatementWatch(bench.session) { text in
      guard text == CatalogSQL.blobRow.text else { return }
      looks += 1
      if looks == 2 { bench.scratch.remove(asset) }
    }
    defer { withExtendedLifetime(watch) {} }
    _ = bench.tracedPass { thread in
      for _ in 0..<2 where errno != nil {
        SystemCallTrace.fail(.pread, nth: 1, code: EIO, thread: thread)
      }
    }
    #expect(looks == 3 && bench.store.damagedBlobs == (0, 1))
    #expect(bench.store.files.damaged.refusal(asset.blob.name) == nil)
    try bench.scratch.expectWhole()
  }

  // MARK: Reading

  /// What fails once, fails for another reason than the file.
  @Test(arguments: [(SystemCall.openat, ENOENT), (.pread, EIO), (.fstat, EIO), (.openat, EMFILE)])
  func whatFailsOnceIsNoDamage(_ call: SystemCall, _ code: Int32) async throws {
    let bench = try ScrubBench()
    let asset = try await bench.put(1).asset
    let calls = bench.tracedPass { SystemCallTrace.fail(call, nth: 1, code: code, thread: $0) }
    #expect(bench.store.damagedBlobs == (0, 0))
    #expect(bench.store.scrubReport.last?.blobs == 1)
    #expect(calls.filter { $0 == call }.count > 1)
    #expect(try bench.scratch.content(asset.id) == image(1))
  }

  /// It is not answered with, and not put away: another reading may succeed.
  @Test func unreadableFileIsNotOpened() async throws {
    let bench = try ScrubBench()
    let asset = try await bench.put(1).asset
    _ = bench.tracedPass {
      for _ in 0..<2 { SystemCallTrace.fail(.pread, nth: 1, code: EIO, thread: $0) }
    }
    #expect(bench.store.damagedBlobs == (1, 1))
    #expect(bench.store.health == .good && bench.store.failureCount == 1)
    try bench.expectDamaged(asset)
    #expect(try bench.quarantined().isEmpty)
    bench.runPass(after: ScrubBench.interval)
    #expect(try bench.scratch.content(asset.id) == image(1), "it can be read again")
    #expect(bench.store.damagedBlobs == (0, 1))
    // The same once more; then its bytes come again.
    _ = bench.tracedPass(after: ScrubBench.interval) {
      for _ in 0..<2 { SystemCallTrace.fail(.pread, nth: 1, code: EIO, thread: $0) }
    }
    try bench.expectDamaged(asset)
    #expect(try await bench.put(1).asset.blob.name != asset.blob.name)
    #expect(try bench.scratch.content(asset.id) == image(1))
    try bench.scratch.expectWhole()
  }

  @Test func whatCanNotBePutAwayIsNotOpened() async throws {
    let bench = try ScrubBench()
    let bad = try await bench.put(1).asset
    try bench.alter(bad)
    _ = bench.tracedPass { SystemCallTrace.fail(.rename, nth: 1, code: EROFS, thread: $0) }
    try bench.expectDamaged(bad)
    #expect(try bench.quarantined().isEmpty)
    // After a restart neither, from the first moment, and it is not found once more.
    let next = try ScrubBench(copyOf: bench.scratch.path)
    #expect(next.store.damagedBlobs == (1, 0))
    try next.expectDamaged(bad)
    // It can be put away later.
    next.runPass(after: ScrubBench.interval)
    #expect(try next.quarantined().count == 1 && next.store.scrubbed.record.unmoved.isEmpty)
    try next.expectDamaged(bad)
    // Its bytes come again.
    _ = try await bench.put(1)
    #expect(try bench.scratch.content(bad.id) == image(1))
    try bench.scratch.expectWhole()
    #expect(bench.store.scrubbed.record.unmoved == [bad.blob.name])
    bench.runPass(after: ScrubBench.interval)
    #expect(bench.store.scrubbed.record.unmoved.isEmpty, "nobody needs to know of it any more")
  }

  /// What was not in memory does not stay there; what was, others use.
  @Test(arguments: [true, false])
  func memoryIsLeftToOthers(isCold: Bool) async throws {
    let bench = try ScrubBench()
    _ = try await bench.put(1).asset
    let calls = bench.tracedPass {
      if isCold { SystemCallTrace.fail(.preadv2, nth: 1, code: EAGAIN, thread: $0) }
    }
    let last = calls.lastIndex(of: .pread)
    #expect(calls.contains(.fadvise) == isCold)
    if isCold, let last { #expect(calls[last...].contains(.fadvise)) }
  }
}
