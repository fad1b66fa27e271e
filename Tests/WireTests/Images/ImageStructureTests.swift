import Foundation
import Testing
import Wire

/// An image is followed to its end, whatever its pieces are.
@Suite struct ImageStructureTests {
  private func isWhole(_ pieces: [[UInt8]]) -> Bool {
    var structure = ImageStructure()
    for piece in pieces { structure.feed(piece.span) }
    return structure.isWhole
  }

  struct Row: CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    /// Cuts at which another image ends: an AVIF between two boxes.
    var otherEnds: [Int] = []
  }

  private static func box(_ name: String, _ body: [UInt8]) -> [UInt8] {
    ImageSnifferTests.box(name, body)
  }

  private static let gif: [UInt8] =
    Array("GIF89a".utf8) + [2, 0, 3, 0, 0x80, 0, 0, 1, 2, 3, 4, 5, 6]
    + [0x21, 0xFF, 3, 1, 2, 0x3B, 2, 9, 9, 0, 0x21, 0xF9, 4, 0, 0, 0, 0, 0]
    + [0x2C, 0, 0, 0, 0, 2, 0, 3, 0, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2, 3, 7, 7, 7, 0]
    + [0x2C, 0, 0, 0, 0, 2, 0, 3, 0, 0, 2, 1, 0x3B, 0, 0x3B]
  private static let avifHead = ImageSnifferTests.avif("avif", [[64, 48]])
  private static let avif = avifHead + box("mdat", [UInt8](repeating: 7, count: 30))
  /// A scan with stuffed zeros and restarts, a second one, NULs and fill bytes between segments.
  private static let jpeg: [UInt8] =
    [0xFF, 0xD8, 0, 0, 0xFF, 0xFF, 0xE0, 0, 4, 0xFF, 0xD9, 0xFF, 0xC0, 0, 11, 8, 0, 9, 0, 16]
    + [1, 1, 0x11, 0, 0, 0, 0xFF, 0xDA, 0, 3, 1, 5, 0xFF, 0, 6, 0xFF, 0xD0, 7]
    + [UInt8](repeating: 3, count: 90) + [0xFF, 0xC4, 0, 4, 0xFF, 0xD9, 0xFF, 0xDA, 0, 2, 8, 0xFF]
    + [0xFF, 0xD9]

  static let rows: [Row] =
    FixtureImages.all.map { image in
      Row(
        testDescription: image.name,
        bytes: Data(base64Encoded: image.base64).map { [UInt8]($0) } ?? [])
    } + [
      Row(testDescription: "gif", bytes: gif), Row(testDescription: "jpeg", bytes: jpeg),
      Row(
        testDescription: "webp of odd size",
        bytes: Array("RIFF".utf8) + [9, 0, 0, 0] + Array("WEBPVP8 ".utf8) + [1]),
      Row(
        testDescription: "avif", bytes: avif,
        otherEnds: [avif.count - 38 - 11, avif.count - 38]),
      Row(
        testDescription: "avif with a 64-bit size",
        bytes: box("ftyp", Array("avif".utf8)) + [0, 0, 0, 1] + Array("mdat".utf8)
          + [0, 0, 0, 0, 0, 0, 0, 20, 1, 2, 3, 4]),
    ]

  @Test(arguments: rows)
  func onlyTheWholeIsWhole(row: Row) {
    for count in 0..<row.bytes.count {
      // Less than the head of a box behind another is what stands behind the end.
      let isEnd = row.otherEnds.contains { (0..<8).contains(count - $0) }
      #expect(isWhole([Array(row.bytes[..<count])]) == isEnd, "\(count) of \(row.bytes.count)")
    }
    #expect(isWhole([row.bytes]))
  }

  @Test(arguments: rows)
  func whatStandsBehindTheEndIsPassedOver(row: Row) {
    let behind: [[UInt8]] = [[0], [0xFF, 0xD8], [UInt8](repeating: 0, count: 40), row.bytes]
    for rest in behind where !row.testDescription.hasPrefix("avif") || rest != row.bytes {
      #expect(isWhole([row.bytes + rest]))
    }
  }

  @Test(arguments: rows)
  func splitProperty(row: Row) {
    for count in [row.bytes.count / 2, row.bytes.count - 1, row.bytes.count] {
      let bytes = Array(row.bytes[..<count])
      let whole = isWhole([bytes])
      for pieces in bytes.splits { #expect(isWhole(pieces) == whole) }
    }
  }

  @Test(arguments: [
    "", "GIF89a", "<svg/>", "\u{0}\u{0}\u{0}\u{10}ftypavif",
  ])
  func whatIsNoImageIsNotWhole(text: String) {
    #expect(!isWhole([Array(text.utf8)]))
  }

  @Test func whatCanNotBeFollowedIsNotWhole() {
    let png = Data(base64Encoded: FixtureImages.base64("a.png")).map { [UInt8]($0) } ?? []
    var damaged = png
    damaged[34] = 0xFF  // the length of a chunk
    #expect(!isWhole([damaged]))
    #expect(!isWhole([png.prefix(33) + [UInt8](repeating: 0xFF, count: 200)]))
    #expect(!isWhole([Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0, 0x99, 0x3B]]))
    #expect(!isWhole([[0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0xFF, 0xD9]]))
    #expect(!isWhole([Self.avifHead.prefix(40) + [0, 0, 0, 5] + Array("free".utf8)]))
  }

  @Test func noMutationTraps() {
    var random = FixedRandom(seed: 6)
    for round in 0..<20_000 {
      var bytes = Self.rows[round % Self.rows.count].bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] =
          [0, 1, 0x7F, 0xFF, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      let cut = Int.random(in: 0...bytes.count, using: &random)
      let whole = isWhole([bytes])
      #expect(isWhole([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
    }
  }
}
