import Testing

@testable import Store

/// How many assets are chosen before the first file goes.
@Suite struct CollectionChoiceTests {
  /// Whoever waits for space gets it after a thousand assets; else pages are saved.
  @Test(arguments: [true, false]) func aFullStoreChoosesFew(isFull: Bool) async throws {
    let scratch = try ScratchStore(maxBytes: 64 << 20)
    let store = scratch.store
    try await scratch.fill(2500)
    let rest = isFull ? try store.reserve((64 << 20) - 2500 * 4096) : nil
    var seen = 0
    var blobs = 0
    let report = try store.collect([Policy(.expired(grace: 0))]) { _ in
      seen += 1
      // The first of the second thousand.
      if seen == 1001 { blobs = (try? store.reader().totals().blobs) ?? -1 }
    }
    #expect(blobs == (isFull ? 1500 : 2500))
    #expect(report.results.map(\.assets) == [2500] && report.results.map(\.blobs) == [2500])
    #expect(try store.reader().session.lastPerhapsUnused() == 0)
    _ = consume rest
  }
}
