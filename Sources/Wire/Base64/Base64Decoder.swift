internal import CLinux

/// Decodes a stream of base64 text, however it is split.
///
/// Accepted: both alphabets, also mixed; white space anywhere; full, partial or no padding. A space
/// inside a line is no white space: the decoding of a form made it of a `+` (WHATWG URL §5.1), so
/// it is read as one. A run of spaces that touches a line break, a tab or an end of the text is
/// white space, and so is one that is longer than any run of `+` in an image.
/// Non-zero bits behind the last whole byte are accepted and dropped: an image is told by its own
/// bytes, and encoders that leave such bits are in the field. Anything but white space after
/// padding is malformed.
///
///     body ──=──▶ padded     any foreign byte: stop there, and stay
public struct Base64Decoder: Sendable {
  /// Why `decode` or `finish` returned.
  public enum Stop: Hashable, Sendable {
    /// All was taken (`finish`: the text is whole).
    case inputEnd
    /// The output has no room for the next bytes: empty it and call again.
    case outputFull
    /// The byte at the offset is not base64: `"` ends a JSON string, `\` escapes, anything else is
    /// an error.
    case foreign
    /// The text is not base64: a lone last character, or something after or wrong with the padding.
    case malformed
  }

  /// Sextets of the quantum under way, and how many: 0…3.
  private var quantum: UInt32 = 0
  private var sextets = 0
  private var padding = 0
  private var isMalformed = false
  /// The most spaces in a row that may be `+` each: three bytes 0xFB 0xEF 0xBE for four of them.
  private static let mostSpaces = 1024
  /// Spaces of which the next character tells what they are; none where they are white space.
  private var spaces = 0
  /// Whether nothing but white space came since a line break, or the start.
  private var isAtEdge = true

  /// A decoder at the start of a text.
  public init() {}

  /// Takes `text[start...]` and writes to `output[end...]`, moving both offsets. Up to 8 bytes of
  /// `output` behind the new `end` may be overwritten. Give it room for at least 3 bytes.
  public mutating func decode(
    _ text: Span<UInt8>, from start: inout Int, into output: inout MutableSpan<UInt8>,
    at end: inout Int
  ) -> Stop {
    while start < text.count {
      if isMalformed { return .malformed }
      if sextets == 0, padding == 0, spaces == 0 {
        let taken = Base64Blocks.decode(text, from: start, into: &output, at: end)
        if taken > 0 { isAtEdge = false }
        start += taken
        end += taken / 4 * 3
      }
      skipSpace(text, from: &start)
      guard start < text.count else { break }
      if let stop = take(text[start], into: &output, at: &end) { return stop }
      start += 1
    }
    return .inputEnd
  }

  /// White space is passed over in a run of its own: the block decoder is entered once for it, not
  /// once for each byte.
  private mutating func skipSpace(_ text: Span<UInt8>, from start: inout Int) {
    let first = start
    while start < text.count {
      let character = text[start]
      if character == 0x20 {
        spaces += 1
      } else if clinux_base64_class(character) == 0x40 {
        spaces = 0
        isAtEdge = true
      } else {
        break
      }
      start += 1
    }
    if spaces > Self.mostSpaces { isAtEdge = true }
    if start > first, isAtEdge || padding > 0 { spaces = 0 }
  }

  /// Ends the text: writes the 0…2 bytes of an unfinished quantum.
  public mutating func finish(into output: inout MutableSpan<UInt8>, at end: inout Int) -> Stop {
    guard !isMalformed, sextets != 1 else { return .malformed }
    let count = max(sextets - 1, 0)
    guard output.count - end >= count else { return .outputFull }
    let bits = quantum << UInt32(6 * (4 - sextets))
    for index in 0..<count {
      output[end + index] = UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * index))
    }
    end += count
    sextets = 0
    return .inputEnd
  }

  /// Takes one character; the answer is nil when there is no reason to stop.
  private mutating func take(
    _ character: UInt8, into output: inout MutableSpan<UInt8>, at end: inout Int
  ) -> Stop? {
    let meaning = clinux_base64_class(character)
    guard meaning != 0xFF else { return .foreign }
    while spaces > 0 {
      guard put(Self.plus, into: &output, at: &end) else { return .outputFull }
      spaces -= 1
    }
    switch meaning {
    case 0...63 where padding == 0:
      guard put(UInt32(meaning), into: &output, at: &end) else { return .outputFull }
      isAtEdge = false
      return nil
    case 0x41 where sextets + padding < 4 && sextets >= 2:
      padding += 1
      return nil
    default:
      isMalformed = true
      return .malformed
    }
  }

  /// The sextet of `+` (RFC 4648 §4).
  private static let plus: UInt32 = 62

  /// Takes one sextet; `false` when the output has no room for its quantum.
  private mutating func put(
    _ sextet: UInt32, into output: inout MutableSpan<UInt8>, at end: inout Int
  ) -> Bool {
    guard sextets < 3 || output.count - end >= 3 else { return false }
    quantum = quantum << 6 | sextet
    sextets += 1
    if sextets == 4 { write(into: &output, at: &end) }
    return true
  }

  private mutating func write(into output: inout MutableSpan<UInt8>, at end: inout Int) {
    output[end] = UInt8(truncatingIfNeeded: quantum >> 16)
    output[end + 1] = UInt8(truncatingIfNeeded: quantum >> 8)
    output[end + 2] = UInt8(truncatingIfNeeded: quantum)
    end += 3
    sextets = 0
    quantum = 0
  }
}
