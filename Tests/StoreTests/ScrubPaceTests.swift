import Foundation
import Kernel
import Testing

@testable import Store

/// How fast the scrub reads, when it begins again, and where it goes on.
@Suite struct ScrubPaceTests {
  /// Never more than the rate allows, and one piece, whatever the files' sizes.
  @Test(arguments: [Int64(100), 64 << 10, 1 << 20, 64 << 20])
  func paceIsKept(rate: Int64) async throws {
    let bench = try ScrubBench(rate: rate)
    for index in 0..<20 { _ = try await bench.put(index) }
    _ = try await bench.put(20, bytes: 600_000)
    let piece = min(max(rate / 32, 4096), Scrub.mostBytesInTurn)
    let start = bench.now
    var opened = 0
    while bench.store.scrubReport.last == nil {
      let before = bench.store.scrubReport
      let due = bench.turn()
      let after = bench.store.scrubReport
      #expect(after.bytes - before.bytes <= piece)
      opened = after.blobs
      if after.bytes > before.bytes {
        #expect(bench.turn() == due && bench.store.scrubReport.bytes == after.bytes, "not yet due")
      }
      bench.now = due
      let allowed = Double(bench.now - start) / 1e9 * Double(rate)
      #expect(Double(after.bytes) <= allowed + Double(piece))
      // Opening files costs, too: small ones are not read without end.
      #expect(Double(Int64(opened) * Scrub.openingBytes) <= allowed + Double(Scrub.openingBytes))
    }
    #expect(bench.store.scrubReport.bytes == 20 * 1000 + 600_000)
  }

  /// An hour in which nothing could be read is not made up for.
  @Test func whatWasNotReadIsNotMadeUpFor() async throws {
    let bench = try ScrubBench(rate: 1 << 20)
    _ = try await bench.put(1, bytes: 900_000)
    bench.turns(2)
    let read = bench.store.scrubReport.bytes
    bench.now += 3_600_000_000_000
    let due = bench.turn()
    #expect(bench.store.scrubReport.bytes - read <= 32 << 10)
    #expect(due > bench.now)
    #expect(bench.turn() == due && bench.store.scrubReport.bytes - read <= 32 << 10)
  }

  @Test func othersComeFirst() async throws {
    let bench = try ScrubBench()
    _ = try await bench.put(1)
    bench.isBusy = true
    for _ in 0..<100 { bench.turns(1) }
    #expect(bench.store.scrubReport.bytes == 0)
    bench.isBusy = false
    bench.runPass()
    #expect(bench.store.scrubReport.bytes == 1000)
  }

  /// What a damaged catalogue says is no ground for anything.
  @Test func damagedCatalogueIsNotFollowed() async throws {
    let bench = try ScrubBench()
    let asset = try await bench.put(1).asset
    try bench.alter(asset)
    bench.store.files.health.noteDamage("a page is gone")
    bench.turns(100)
    #expect(bench.store.scrubReport.bytes == 0)
    #expect(try bench.quarantined().isEmpty)
  }

  @Test func passesAreOneIntervalApart() async throws {
    let bench = try ScrubBench()
    _ = try await bench.put(1)
    bench.runPass()
    let first = try #require(bench.store.scrubReport.last)
    bench.turns(10)
    bench.scratch.clock.advance(ScrubBench.interval - 1)
    bench.turns(10)
    #expect(bench.store.scrubReport.last == first && bench.store.scrubReport.pass == nil)
    bench.scratch.clock.advance(1)
    bench.runPass()
    #expect(bench.store.scrubReport.last?.startedAt == first.startedAt + ScrubBench.interval)
    // A clock that was put back says nothing.
    bench.scratch.clock.advance(-10 * ScrubBench.interval)
    bench.runPass()
    #expect(bench.store.scrubReport.blobs == 3)
  }

  /// Over a restart it goes on where it was, and the pass is one pass.
  @Test func placeIsKept() async throws {
    let bench = try ScrubBench()
    var bad: [Asset] = []
    for index in 0..<8 { bad.append(try await bench.put(index).asset) }
    bad.sort { $0.blob.name.digest < $1.blob.name.digest }
    while bench.store.scrubReport.blobs < 3 { bench.turns(1) }
    bench.scrub.save(at: bench.now)
    // Behind it and before it.
    for asset in [bad[0], bad[7]] { try bench.alter(asset) }
    let next = try ScrubBench(copyOf: bench.scratch.path)
    #expect(next.store.scrubReport.pass?.blobs == 3)
    #expect(next.store.scrubReport.progress > 0)
    next.runPass()
    #expect(next.store.scrubReport.blobs == 5)
    #expect(next.store.scrubReport.last?.blobs == 8 && next.store.scrubReport.last?.damaged == 1)
    try next.expectDamaged(bad[7])
    #expect(try next.scratch.content(bad[0].id) != nil)
    // Without an interval in between nothing more, after one more restart neither.
    let third = try ScrubBench(copyOf: next.scratch.path)
    third.turns(10)
    #expect(third.store.scrubReport.blobs == 0 && third.store.scrubReport.last?.blobs == 8)
  }

  /// A minute's work at most is done again after a crash; without work nothing is written.
  @Test func placeIsKeptOnceAMinute() async throws {
    let bench = try ScrubBench(rate: 1 << 10)
    for index in 0..<8 { _ = try await bench.put(index) }
    while bench.store.scrubReport.last == nil { bench.turns(1) }
    // 33 s a file: at the beginning, after every second one, at the end.
    #expect((4...7).contains(bench.saves), "\(bench.saves)")
    let saves = bench.saves
    bench.turns(1000)
    #expect(bench.saves == saves)
  }

  @Test(
    arguments: ["", "{}", "[1]", #"{"pass":7,"cursor":"zz","last":{},"unmoved":[7,"zz"]}"#])
  func recordThatMakesNoSenseBeginsAnew(_ text: String) {
    #expect(ScrubRecord(text) ?? ScrubRecord() == ScrubRecord())
  }

  @Test func offMeansOff() async throws {
    let scratch = try ScratchStore()
    #expect(scratch.store.scrub == nil && scratch.store.scrubReport.pace == nil)
    scratch.store.stopScrubbing()
  }

  /// The thread: it finds what is damaged, and ends at once.
  @Test func storeScrubsByItself() async throws {
    let bench = try ScrubBench()
    let bad = try await bench.put(1).asset
    try bench.alter(bad)
    let pace = ScrubPace(interval: 3600, rate: 1 << 30)
    let next = try ScratchStore(copyOf: bench.scratch.path, scrub: pace)
    let end = ContinuousClock.now + .seconds(60)
    while next.store.scrubReport.last == nil {
      try #require(ContinuousClock.now < end)
      await Task.yield()
    }
    #expect(next.store.damagedBlobs == (1, 1))
    next.store.stopScrubbing()
    next.store.close()
    let record = try CatalogReader(root: next.path).session.text(.scrub).flatMap(ScrubRecord.init)
    #expect(record?.last?.damaged == 1)
  }
}
