/// Makes UTF-8 of what an upstream sent as JSON, piece by piece: a byte order mark is dropped (RFC
/// 8259 §8.1), and what is not UTF-8 becomes U+FFFD, one for each maximal part of a character as
/// Unicode §3.9 has it. One bad byte in a prompt is no reason to lose a paid image.
public struct AnswerText: Sendable {
  private var grammar = UTF8Grammar()
  /// The bytes of the character under way.
  private var held: InlineArray<4, UInt8> = [0, 0, 0, 0]
  private var heldCount = 0
  private var isAtStart = true

  /// At the first byte of a text.
  public init() {}

  /// Appends what `bytes` add to the text; makes room for it. Up to 3 bytes of a character that is
  /// not whole wait for the next call; at the end of the text they are no loss.
  public mutating func append(_ bytes: Span<UInt8>, to buffer: inout ByteBuffer) {
    buffer.reserve(bytes.count + 4)
    var offset = 0
    while offset < bytes.count {
      let end = heldCount == 0 ? Self.endOfASCII(bytes, from: offset) : offset
      if end > offset {
        isAtStart = false
        buffer.reserve(end - offset)
        buffer.append(bytes.extracting(offset..<end))
        offset = end
      } else {
        take(bytes[offset], &buffer)
        offset += 1
      }
    }
  }

  private mutating func take(_ byte: UInt8, _ buffer: inout ByteBuffer) {
    if !grammar.take(byte) {
      let isFirst = heldCount == 0
      grammar = UTF8Grammar()
      heldCount = 0
      replace(&buffer)
      // The byte that broke a character may begin the next one.
      if !isFirst { take(byte, &buffer) }
      return
    }
    held[heldCount] = byte
    heldCount += 1
    guard grammar.isWhole else { return }
    let isMark =
      isAtStart && heldCount == 3 && held[0] == 0xEF && held[1] == 0xBB
      && held[2] == 0xBF
    if !isMark {
      buffer.reserve(heldCount)
      for index in 0..<heldCount { buffer.append(held[index]) }
    }
    isAtStart = false
    heldCount = 0
  }

  private mutating func replace(_ buffer: inout ByteBuffer) {
    isAtStart = false
    buffer.reserve(3)
    for byte: UInt8 in [0xEF, 0xBF, 0xBD] { buffer.append(byte) }
  }

  /// Where the first byte above 0x7F is. Looked for block by block without a way out, which the
  /// compiler turns into vector code.
  private static func endOfASCII(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var end = start
    while end + block <= bytes.count {
      var union: UInt8 = 0
      for index in end..<end + block { union |= bytes[index] }
      guard union < 0x80 else { break }
      end += block
    }
    while end < bytes.count, bytes[end] < 0x80 { end += 1 }
    return end
  }

  private static let block = 256
}
