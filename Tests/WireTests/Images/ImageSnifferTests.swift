import Foundation
import Testing
import Wire

// A macro's operand may not hold a Span.
private func read(_ bytes: [UInt8]) -> ImageVerdict { ImageHeader.read(prefix: bytes.span) }
private func accepts(_ type: MediaType, _ name: String) -> Bool {
  type.accepts(extension: name.utf8.span)
}

@Suite struct ImageSnifferTests {
  struct Row: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let type: MediaType
    let width: Int
    let height: Int

    var testDescription: String { name }
    var verdict: ImageVerdict {
      ImageFacts(mediaType: type, width: width, height: height).map { .image($0) } ?? .notAnImage
    }
  }

  static let rows: [Row] =
    FixtureImages.all.map { image in
      let bytes = Data(base64Encoded: image.base64).map { [UInt8]($0) } ?? []
      let type: MediaType =
        image.name.hasSuffix("png") ? .png : image.name.hasSuffix("jpg") ? .jpeg : .webp
      return Row(name: image.name, bytes: bytes, type: type, width: 2, height: 2)
    } + [
      Row(
        name: "gif 89a", bytes: [UInt8](text: "GIF89a") + [0x40, 1, 0xF0, 0, 0], type: .gif,
        width: 320, height: 240),
      Row(
        name: "webp lossy", bytes: webp("VP8 ", [0x10, 0, 0, 0x9D, 1, 0x2A, 0x40, 0x41, 0xF0, 0]),
        type: .webp, width: 320, height: 240),
      Row(
        name: "webp extended", bytes: webp("VP8X", [0x10, 0, 0, 0, 0xFF, 3, 0, 0xFF, 7, 1]),
        type: .webp, width: 1024, height: 67_584),
      Row(
        name: "jpeg behind 500 KB of APP1",
        bytes: [0xFF, 0xD8] + app1s(8) + [0xFF, 0xFF, 0xC2, 0, 11, 8, 1, 2, 3, 4, 1, 1, 0x11, 0],
        type: .jpeg, width: 772, height: 258),
      Row(
        name: "gif without a screen's size",
        bytes: [UInt8](text: "GIF89a") + [0, 0, 0, 0, 0x80, 0, 0, 1, 2, 3, 4, 5, 6]
          + [0x21, 0xF9, 4, 0, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0x40, 1, 0xF0, 0, 0, 2],
        type: .gif, width: 320, height: 240),
      Row(
        name: "jpeg with zeros between segments",
        bytes: [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 1, 0, 0, 0, 0xFF, 0xE1, 0, 2, 0, 0]
          + [0xFF, 0xC2, 0, 11, 8, 1, 2, 3, 4, 1, 1, 0x11, 0],
        type: .jpeg, width: 772, height: 258),
      Row(
        name: "avif behind a profile of 70 KB",
        bytes: avif("avif", [[64, 48]], profile: 70_000), type: .avif, width: 64, height: 48),
      Row(name: "avif", bytes: avif("avif", [[64, 48]]), type: .avif, width: 64, height: 48),
      Row(
        name: "avif grid and thumbnail", bytes: avif("mif1", [[512, 512], [1000, 900], [9, 9]]),
        type: .avif, width: 1000, height: 900),
    ]

  static func webp(_ chunk: String, _ body: [UInt8]) -> [UInt8] {
    [UInt8](text: "RIFF") + [0, 1, 0, 0] + [UInt8](text: "WEBP" + chunk) + [10, 0, 0, 0] + body
  }

  static func app1s(_ count: Int) -> [UInt8] {
    let segment: [UInt8] = [0xFF, 0xE1, 0xFF, 0xFF] + [UInt8](repeating: 0xFF, count: 65_533)
    return (0..<count).flatMap { _ in segment }
  }

  static func big(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 255) } }

  static func box(_ name: String, _ body: [UInt8]) -> [UInt8] {
    big(body.count + 8) + [UInt8](text: name) + body
  }

  static func avif(_ brand: String, _ extents: [[Int]], profile: Int = 0) -> [UInt8] {
    let ispes = extents.flatMap { box("ispe", big(0) + big($0[0]) + big($0[1])) }
    let colours = box("colr", [UInt8](repeating: 0x63, count: profile)) + box("pixi", big(0))
    let properties = box("iprp", box("ipco", colours + ispes) + box("ipma", big(0)))
    let meta = box("meta", big(0) + box("hdlr", big(0) + big(0)) + properties)
    return box("ftyp", [UInt8](text: brand) + big(0) + [UInt8](text: "mif1avif")) + box("free", [])
      + meta + box("mdat", [1, 2, 3])
  }

  @Test(arguments: rows) func typeAndSize(row: Row) {
    #expect(read(row.bytes) == row.verdict)
  }

  @Test(arguments: rows.filter { $0.bytes.count < 2000 }) func splitProperty(row: Row) {
    for pieces in row.bytes.splits {
      var sniffer = ImageSniffer()
      for piece in pieces { sniffer.feed(piece.span) }
      #expect(sniffer.verdict == row.verdict)
    }
  }

  @Test func longHeaderByteByByte() {
    for row in Self.rows where row.bytes.count >= 2000 {
      var sniffer = ImageSniffer()
      for byte in row.bytes { sniffer.feed([byte].span) }
      #expect(sniffer.verdict == row.verdict)
    }
  }

  @Test(arguments: [
    "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "<html><script>", "<?xml version", "%PDF-1.7",
    "BM123456789012345678901234", "II*\u{0}8901234567890", "MM\u{0}*8901234567890",
    "RIFF1234WAVEfmt ",
    "GIF88a1234", "GIF89b1234", "{\"error\":{}}",
    "\u{0}\u{0}\u{0}\u{18}ftypheic\u{0}\u{0}\u{0}\u{0}mif1heic",
    "\u{0}\u{0}\u{0}\u{10}ftypavif",
  ])
  func anythingElseIsNotAnImage(text: String) {
    var bytes = [UInt8](text: text)
    bytes += [UInt8](repeating: 0, count: 16)
    #expect(read(bytes) == .notAnImage)
  }

  @Test func hostileHeaders() {
    let rows: [[UInt8]] = [
      [0xFF, 0xD8, 0xFF, 0xD9], [0xFF, 0xD8, 0xFF, 0xDA, 0, 0], [0xFF, 0xD8, 0xFF, 0xE0, 0, 1],
      [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 0, 0, 9], [0xFF, 0xD8, 0xFF, 0xE0, 0, 2, 1, 2],
      [UInt8](text: "GIF89a") + [0, 0, 1, 0, 0, 0, 0, 0x3B],
      [UInt8](text: "GIF89a") + [0, 0, 0, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0, 0, 1, 0],
      [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
        + [0x80, 0, 0, 0, 0, 0, 0, 1],
      Self.avif("avif", []), Self.avif("avif", [[0, 5]]), Self.avif("avif", [[0x8000_0000, 5]]),
      Self.avif("avif", [[0xFFFF_FFFF, 0xFFFF_FFFF]]),
    ]
    for row in rows { #expect(read(row) == .notAnImage) }
  }

  @Test func noMutationTraps() {
    var random = FixedRandom(seed: 1)
    let seeds = Self.rows.map { Array($0.bytes.prefix(700)) }
    for round in 0..<20_000 {
      var bytes = seeds[round % seeds.count]
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes[index] =
          [0, 1, 8, 0xFF, 0x7F, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      let whole = ImageHeader.read(prefix: bytes.span)
      var sniffer = ImageSniffer()
      let cut = Int.random(in: 0...bytes.count, using: &random)
      sniffer.feed(bytes.span.extracting(0..<cut))
      sniffer.feed(bytes.span.extracting(cut..<bytes.count))
      #expect(sniffer.verdict == whole)
    }
  }

  @Test func extensions() {
    #expect(accepts(.jpeg, "jpg"))
    #expect(accepts(.jpeg, "jpeg"))
    #expect(!accepts(.jpeg, "JPG"))
    #expect(!accepts(.png, "jpg"))
    #expect(!accepts(.png, ""))
    for type in MediaType.allCases {
      #expect(accepts(type, type.fileExtension))
      #expect(MediaType(contentType: type.contentType) == type)
    }
    #expect(MediaType(contentType: "image/svg+xml") == nil)
  }
}
