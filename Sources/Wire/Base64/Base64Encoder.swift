internal import CLinux

/// Encodes a stream of bytes, however it is split: standard alphabet, padded, one line.
public struct Base64Encoder: Sendable {
  /// Why `encode` or `finish` returned.
  public enum Stop: Hashable, Sendable {
    /// All was taken (`finish`: the text is whole).
    case inputEnd
    /// The output has no room for four more characters: empty it and call again.
    case outputFull
  }

  /// Bytes of the quantum under way, and how many: 0…2.
  private var quantum: UInt32 = 0
  private var held = 0

  /// An encoder at the start of a text.
  public init() {}

  /// Takes `bytes[start...]` and writes to `output[end...]`, moving both offsets.
  public mutating func encode(
    _ bytes: Span<UInt8>, from start: inout Int, into output: inout MutableSpan<UInt8>,
    at end: inout Int
  ) -> Stop {
    while start < bytes.count {
      if held == 0 {
        let taken = Base64Blocks.encode(bytes, from: start, into: &output, at: end)
        start += taken
        end += taken / 3 * 4
        guard start < bytes.count else { break }
      }
      if held == 2 {
        guard output.count - end >= 4 else { return .outputFull }
        write(quantum << 8 | UInt32(bytes[start]), into: &output, at: &end)
        held = 0
        quantum = 0
      } else {
        quantum = quantum << 8 | UInt32(bytes[start])
        held += 1
      }
      start += 1
    }
    return .inputEnd
  }

  /// Ends the text: writes the last 1…2 bytes and their padding.
  public mutating func finish(into output: inout MutableSpan<UInt8>, at end: inout Int) -> Stop {
    guard held > 0 else { return .inputEnd }
    guard output.count - end >= 4 else { return .outputFull }
    let isOne = held == 1
    write(quantum << (isOne ? 16 : 8), into: &output, at: &end)
    output[end - 1] = UInt8(ascii: "=")
    if isOne { output[end - 2] = UInt8(ascii: "=") }
    held = 0
    quantum = 0
    return .inputEnd
  }

  private func write(
    _ bits: UInt32, into output: inout MutableSpan<UInt8>, at end: inout Int
  ) {
    for index in 0..<4 {
      let sextet = UInt8(truncatingIfNeeded: bits >> UInt32(18 - 6 * index) & 63)
      output[end + index] = clinux_base64_character(sextet)
    }
    end += 4
  }
}
