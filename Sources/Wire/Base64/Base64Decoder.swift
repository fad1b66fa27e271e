internal import CLinux

/// Decodes a stream of base64 text, however it is split.
///
/// Accepted: both alphabets, also mixed; white space anywhere; full, partial or no padding.
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
      if sextets == 0, padding == 0 {
        let taken = Base64Blocks.decode(text, from: start, into: &output, at: end)
        start += taken
        end += taken / 4 * 3
        guard start < text.count else { break }
      }
      if let stop = take(text[start], into: &output, at: &end) { return stop }
      start += 1
    }
    return .inputEnd
  }

  /// Takes one character that is not in any input: what a JSON escape stood for. `outputFull`: it
  /// was not taken.
  public mutating func decode(
    character: UInt8, into output: inout MutableSpan<UInt8>, at end: inout Int
  ) -> Stop {
    isMalformed ? .malformed : take(character, into: &output, at: &end) ?? .inputEnd
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
    switch meaning {
    case 0...63 where padding == 0:
      guard sextets < 3 || output.count - end >= 3 else { return .outputFull }
      quantum = quantum << 6 | UInt32(meaning)
      sextets += 1
      if sextets == 4 { write(into: &output, at: &end) }
      return nil
    case 0x40:
      return nil
    case 0x41 where sextets + padding < 4 && sextets >= 2:
      padding += 1
      return nil
    case 0xFF:
      return .foreign
    default:
      isMalformed = true
      return .malformed
    }
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
