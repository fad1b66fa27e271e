import Testing
import Wire

/// What upstreams send as JSON, made UTF-8.
@Suite struct AnswerTextTests {
  private func repaired(_ pieces: [[UInt8]]) -> [UInt8] {
    var text = AnswerText()
    var buffer = ByteBuffer(capacity: 1)
    for piece in pieces { text.append(piece.span, to: &buffer) }
    return buffer.withSpan { bytes in bytes.indices.map { bytes[$0] } }
  }

  private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  @Test(arguments: [
    [UInt8]("{\"a\":\"é😀\"}".utf8), [0x61, 0xFF, 0x62], [0xC3, 0x28], [0xE2, 0x82, 0x28],
    [0xED, 0xA0, 0x80, 0x41], [0xF0, 0x9F, 0x98, 0x41], [0xC0, 0x80], [0x80, 0x80, 0x41],
    [0xF4, 0x90, 0x80, 0x80, 0x41], [0xE2, 0x82, 0xE2, 0x82, 0xAC], [UInt8]("x\u{FEFF}y".utf8),
  ])
  func whatIsNotUTF8IsReplaced(bytes: [UInt8]) {
    let expected = Array(String(decoding: bytes, as: UTF8.self).utf8)
    for pieces in bytes.splits { #expect(repaired(pieces) == expected) }
    let long = [UInt8](repeating: 0x61, count: 600) + bytes
    #expect(repaired([long]) == [UInt8](repeating: 0x61, count: 600) + expected)
  }

  @Test func aByteOrderMarkIsDroppedOnce() {
    for pieces in (Self.mark + Array("{}".utf8)).splits {
      #expect(repaired(pieces) == Array("{}".utf8))
    }
    #expect(repaired([Self.mark + Self.mark + [0x41]]) == Self.mark + [0x41])
    #expect(repaired([[0x41] + Self.mark]) == [0x41] + Self.mark)
  }

  @Test func anyBytesBecomeWhatSwiftMakesOfThem() {
    var random = FixedRandom(seed: 9)
    let pool: [UInt8] = [0x41, 0x7F, 0x80, 0xBF, 0xC3, 0xE2, 0x82, 0xAC, 0xED, 0xF0, 0x9F, 0xFF]
    for _ in 0..<3000 {
      let count = Int.random(in: 0...12, using: &random)
      let bytes = [0x2E] + (0..<count).map { _ in pool.randomElement(using: &random) ?? 0 } + [0x2E]
      let cut = Int.random(in: 0...bytes.count, using: &random)
      let expected = Array(String(decoding: bytes, as: UTF8.self).utf8)
      #expect(repaired([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
    }
  }
}
