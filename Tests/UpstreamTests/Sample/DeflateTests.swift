import Testing

@testable import Upstream

@Suite struct DeflateTests {
  struct Stream: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    var testDescription: String { name }

    init(_ name: String, _ bytes: [UInt8]) {
      (self.name, self.bytes) = (name, bytes)
    }
  }

  /// Streams that lead into every corner of the encoder.
  static let streams: [Stream] = [
    Stream("nothing", []),
    Stream("one byte", [7]),
    Stream("shorter than a match", Array("abcab".utf8)),
    Stream("one match", Array("abcdefgh-abcdefgh".utf8)),
    Stream("one byte many times", [UInt8](repeating: 0, count: 200_000)),
    Stream("noise", noise(100_000)),
    Stream("few symbols", noise(70_000).map { $0 & 3 }),
    Stream("noise again at 32767", noise(32_767) + noise(32_767)),
    Stream("noise again at 32768", noise(32_768) + noise(32_768)),
    Stream("noise again at 32769", noise(32_769) + noise(32_769)),
    Stream("noise again, often", (0..<40).flatMap { _ in noise(5000) }),
    Stream(
      "matches of every length", (3...300).flatMap { noise(300).prefix($0) + [UInt8($0 & 0xFF)] }),
    Stream(
      "steep frequencies",
      (0..<22).flatMap { [UInt8](repeating: UInt8($0), count: 1 << ($0 / 2)) }),
  ]

  static func noise(_ count: Int) -> [UInt8] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
  }

  static func compressed(_ bytes: [UInt8], pieces: Int) -> [UInt8] {
    var deflate = Deflate()
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      deflate.append(bytes.span.extracting(start..<min(start + pieces, bytes.count)))
      result += deflate.take()
    }
    deflate.finish()
    return result + deflate.take()
  }

  @Test(arguments: streams)
  func roundTrip(stream: Stream) throws {
    // Compared outside of #expect, which would take minutes to describe the difference.
    let isSame =
      try Inflate(zlib: Self.compressed(stream.bytes, pieces: 100_000)).output == stream.bytes
    #expect(isSame)
  }

  @Test(arguments: streams)
  func cutsDoNotMatter(stream: Stream) {
    let whole = Self.compressed(stream.bytes, pieces: .max)
    for pieces in [1, 257, 3073, 65_536] {
      let isSame = Self.compressed(stream.bytes, pieces: pieces) == whole
      #expect(isSame, "pieces of \(pieces)")
    }
  }

  @Test func sizes() throws {
    let zeros = [UInt8](repeating: 0, count: 200_000)
    #expect(Self.compressed(zeros, pieces: .max).count < 400)
    // Noise cannot shrink, but must not grow by more than the ninth bit of a fixed code.
    #expect(Self.compressed(Self.noise(100_000), pieces: .max).count < 104_000)
    #expect(Self.compressed([7], pieces: .max).count <= 9)
  }

  @Test func usesWhatItHas() throws {
    #expect(try Inflate(zlib: Self.compressed([7], pieces: 1)).blocks == [0, 1, 0])
    let few = Self.noise(70_000).map { $0 & 3 }
    #expect(try Inflate(zlib: Self.compressed(few, pieces: 999)).blocks[2] > 1)
    let again = Self.noise(32_000) + Self.noise(32_000)
    #expect(try Inflate(zlib: Self.compressed(again, pieces: 999)).longestDistance == 32_000)
  }

  /// Every length and distance as the table of RFC 1951 §3.2.5 has it, by its rows' borders.
  @Test(arguments: [
    (3, 257, 0, 0), (10, 264, 0, 0), (11, 265, 1, 0), (12, 265, 1, 1), (18, 268, 1, 1),
    (19, 269, 2, 0), (114, 279, 4, 15), (115, 280, 4, 0), (257, 284, 5, 30), (258, 285, 0, 0),
  ])
  func lengthCodes(length: Int, symbol: Int, bits: UInt64, extra: UInt32) {
    let code = LengthCode(length)
    #expect((code.symbol, code.extraBits, code.extra) == (symbol, bits, extra))
  }

  @Test(arguments: [
    (1, 0, 0, 0), (4, 3, 0, 0), (5, 4, 1, 0), (6, 4, 1, 1), (24, 8, 3, 7), (25, 9, 3, 0),
    (24_576, 28, 13, 8191), (24_577, 29, 13, 0), (32_768, 29, 13, 8191),
  ])
  func distanceCodes(distance: Int, symbol: Int, bits: UInt64, extra: UInt32) {
    let code = DistanceCode(distance)
    #expect((code.symbol, code.extraBits, code.extra) == (symbol, bits, extra))
  }
}
