import Testing

@testable import Upstream

@Suite struct PNGWriterTests {
  /// Rows for which each of the filters is the best one, and rows for which none is.
  @Test(arguments: [(1, 1), (1, 40), (40, 1), (3, 2), (257, 33), (5000, 3)])
  func pixelsComeBack(width: Int, height: Int) throws {
    let noise = DeflateTests.noise(width * 3 * height)
    let kinds: [(String, (Int, Int) -> UInt8)] = [
      ("flat", { _, _ in 200 }),
      ("across", { x, _ in UInt8(truncatingIfNeeded: x * x) }),
      ("down", { _, y in UInt8(truncatingIfNeeded: y * 31) }),
      ("slope", { x, y in UInt8(truncatingIfNeeded: x + y * 7) }),
      ("noise", { x, y in noise[y * width * 3 + x] }),
    ]
    for (kind, value) in kinds {
      let rows = (0..<height).map { y in (0..<width * 3).map { value($0, y) } }
      var png: [UInt8] = []
      var writer = PNGWriter(width: width, height: height, into: &png)
      for row in rows { writer.row(row.span, into: &png) }
      writer.finish(into: &png)
      let read = try PNGReader(png)
      #expect((read.width, read.height) == (width, height))
      let isSame = read.pixels == rows.flatMap { $0 }
      #expect(isSame, "\(kind)")
    }
  }

  @Test func choosesTheBestFilter() throws {
    let across = (0..<300).map { UInt8($0 / 3 * 2) }
    var filter = PNGFilter(width: 100)
    #expect(filter.apply(to: across.span).first == 1)
    #expect(filter.apply(to: across.span).first == 2)
    #expect(filter.apply(to: across.span).dropFirst().allSatisfy { $0 == 0 })
  }
}
