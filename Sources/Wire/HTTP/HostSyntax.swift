// What may stand in a Host field or an authority: narrower than RFC 3986 §3.2.2, because the value
// ends up in the URLs of our answers.

/// The syntax of a host with an optional port.
enum HostSyntax {
  /// Whether `range` is a name or IPv4 address (letters, digits, `-._~`) or a bracketed IPv6
  /// address, then an optional port of at most 65535. Neither part may be empty (RFC 9110 §4.2.1).
  static func isHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard let hostEnd = endOfHost(bytes, range), hostEnd > range.lowerBound else { return false }
    guard hostEnd < range.upperBound else { return true }
    guard bytes[hostEnd] == 0x3A else { return false }
    return port(bytes, hostEnd + 1..<range.upperBound) != nil
  }

  /// Whether no label of a name is empty; one dot may stand at its end, for the root (RFC 1034
  /// §3.1). Of `a..` another reader would ask for `a`.
  static func hasWholeLabels(_ bytes: Span<UInt8>, _ host: Range<Int>) -> Bool {
    var isEmpty = true
    for index in host {
      if bytes[index] == 0x2E, isEmpty { return false }
      isEmpty = bytes[index] == 0x2E
    }
    return true
  }

  /// A port: one to five digits, at most 65535.
  static func port(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt16? {
    guard (1...5).contains(range.count) else { return nil }
    var value: UInt32 = 0
    for index in range {
      guard bytes[index].isDigit else { return nil }
      value = value * 10 + UInt32(bytes[index] - 0x30)
    }
    return UInt16(exactly: value)
  }

  /// Where the host ends: at a colon or at the end; `nil` when it holds another character.
  static func endOfHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    guard let first = range.first else { return nil }
    if bytes[first] == 0x5B { return endOfLiteral(bytes, range) }
    var index = range.lowerBound
    while index < range.upperBound, bytes[index].isUnreserved { index += 1 }
    return index == range.upperBound || bytes[index] == 0x3A ? index : nil
  }

  /// The end of `[…]` with hex digits, colons and dots inside.
  private static func endOfLiteral(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    for index in range.dropFirst() {
      switch bytes[index] {
      case 0x5D: return index > range.lowerBound + 2 ? index + 1 : nil
      case 0x30...0x3A, 0x41...0x46, 0x61...0x66, 0x2E: continue
      default: return nil
      }
    }
    return nil
  }
}
