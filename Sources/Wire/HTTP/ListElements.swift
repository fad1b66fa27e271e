// Comma-separated lists (RFC 9110 §5.6.1), used by Connection, If-None-Match, Accept and the like.

/// Walks over the elements of a list; a comma inside a quoted string does not separate.
public struct ListElements: Sendable {
  private var index: Int
  private let end: Int

  /// A walk over `range` of the bytes.
  public init(_ range: Range<Int>) {
    index = range.lowerBound
    end = range.upperBound
  }

  /// Where the next element stands, without the white space around it; empty elements are skipped,
  /// `nil` ends. A quoted string that does not end makes the rest one element.
  public mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
    next(in: bytes, separator: 0x2C)
  }

  /// The same with another separator, such as `;` between parameters.
  mutating func next(in bytes: Span<UInt8>, separator: UInt8) -> Range<Int>? {
    while index < end {
      var start = index
      var quoted = false
      while index < end, quoted || bytes[index] != separator {
        if bytes[index] == 0x22 { quoted.toggle() }
        if quoted, bytes[index] == 0x5C, index + 1 < end { index += 1 }
        index += 1
      }
      var stop = index
      index = min(index + 1, end)
      while start < stop, bytes[start].isBlank { start += 1 }
      while stop > start, bytes[stop - 1].isBlank { stop -= 1 }
      if start < stop { return start..<stop }
    }
    return nil
  }
}
