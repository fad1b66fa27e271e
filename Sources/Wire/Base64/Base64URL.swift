internal import CLinux

/// Base64url without padding in its one spelling (RFC 4648 §5, §3.5): the text of link tokens and
/// cursors, where two spellings of one value would be two cache keys.
public enum Base64URL {
  /// Characters of the text of so many bytes.
  public static func encodedLength(_ bytes: Int) -> Int {
    let (quanta, rest) = bytes.quotientAndRemainder(dividingBy: 3)
    return quanta * 4 + (rest == 0 ? 0 : rest + 1)
  }

  /// Writes the text of `bytes` to the start of `output`; false when its length is not exactly
  /// that of the text.
  public static func encode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Bool {
    guard output.count == encodedLength(bytes.count) else { return false }
    var bits: UInt32 = 0
    var held: UInt32 = 0
    var end = 0
    for index in bytes.indices {
      bits = bits << 8 | UInt32(bytes[index])
      held += 8
      while held >= 6 {
        held -= 6
        output[end] = clinux_base64url_character(UInt8(truncatingIfNeeded: bits >> held) & 63)
        end += 1
      }
    }
    if held > 0 {
      output[end] = clinux_base64url_character(UInt8(truncatingIfNeeded: bits << (6 - held)) & 63)
    }
    return true
  }

  /// The text of `bytes`.
  public static func encode(_ bytes: Span<UInt8>) -> String {
    var text = [UInt8](repeating: 0, count: encodedLength(bytes.count))
    var output = text.mutableSpan
    _ = encode(bytes, into: &output)
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads the one spelling of exactly `output.count` bytes: no padding, no white space, no `+` or
  /// `/`, no bits left over. False otherwise; `output` then holds anything. Does not allocate.
  public static func decodeCanonical(
    _ text: Span<UInt8>, into output: inout MutableSpan<UInt8>
  ) -> Bool {
    guard text.count == encodedLength(output.count) else { return false }
    for index in text.indices where text[index] == 0x2B || text[index] == 0x2F { return false }
    let whole = Base64Blocks.decode(text, from: 0, into: &output, at: 0)
    guard whole == text.count & ~3 else { return false }
    return decodeRest(text, from: whole, into: &output)
  }

  /// The last 0, 2 or 3 characters, which are 0…2 bytes.
  private static func decodeRest(
    _ text: Span<UInt8>, from start: Int, into output: inout MutableSpan<UInt8>
  ) -> Bool {
    var bits: UInt32 = 0
    var held: UInt32 = 0
    var end = start / 4 * 3
    for index in start..<text.count {
      let sextet = clinux_base64_class(text[index])
      guard sextet < 64 else { return false }
      bits = bits << 6 | UInt32(sextet)
      held += 6
      if held >= 8 {
        held -= 8
        output[end] = UInt8(truncatingIfNeeded: bits >> held)
        end += 1
      }
    }
    return bits & ((1 << held) - 1) == 0
  }
}
