// IP addresses as text: one spelling for IPv4 (four decimals without leading zeros), RFC 4291 §2.2
// for IPv6. What inet_aton(3) would also take (`127.1`, `0x7f000001`, `0177.0.0.1`) is no address.

/// An IP address.
public enum IPAddress: Hashable, Sendable {
  /// IPv4, as its 32 bits.
  case v4(UInt32)
  /// IPv6, as its upper and lower 64 bits.
  case v6(high: UInt64, low: UInt64)

  /// Reads an address; no brackets, no zone, no port.
  public init?(_ text: Span<UInt8>) {
    self.init(text, 0..<text.count)
  }

  init?(_ text: Span<UInt8>, _ range: Range<Int>) {
    if let address = Self.dotted(text, range) {
      self = .v4(address)
    } else if let groups = IPv6Text.groups(text, range) {
      var halves: (high: UInt64, low: UInt64) = (0, 0)
      for index in 0..<4 {
        halves.high = halves.high << 16 | UInt64(groups[index])
        halves.low = halves.low << 16 | UInt64(groups[index + 4])
      }
      self = .v6(high: halves.high, low: halves.low)
    } else {
      return nil
    }
  }

  /// The 4 or 16 bytes of an address in network order; `nil` for another count.
  public init?(networkOrder bytes: Span<UInt8>) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    var halves: (high: UInt64, low: UInt64) = (0, 0)
    for index in bytes.indices {
      halves.high = halves.high << 8 | halves.low >> 56
      halves.low = halves.low << 8 | UInt64(bytes[index])
    }
    self =
      bytes.count == 4
      ? .v4(UInt32(truncatingIfNeeded: halves.low)) : .v6(high: halves.high, low: halves.low)
  }

  /// `a.b.c.d`, each 0 to 255 without leading zeros.
  static func dotted(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32? {
    guard (7...15).contains(range.count) else { return nil }
    var address: UInt32 = 0
    var parts = 0
    var index = range.lowerBound
    while parts < 4 {
      let start = index
      var value: UInt32 = 0
      while index < range.upperBound, text[index].isDigit, index - start < 3 {
        value = value * 10 + UInt32(text[index] - 0x30)
        index += 1
      }
      let digits = index - start
      guard digits > 0, value <= 255, digits == 1 || text[start] != 0x30 else { return nil }
      address = address << 8 | value
      parts += 1
      guard parts < 4 else { break }
      guard index < range.upperBound, text[index] == 0x2E else { return nil }
      index += 1
    }
    return index == range.upperBound ? address : nil
  }

  /// Whether a host that is no address was meant as one: its last label is a number, decimal or
  /// `0x…` (WHATWG URL, "ends in a number"). Resolvers read such names as IPv4 addresses.
  public static func endsInNumber(_ host: Span<UInt8>) -> Bool {
    var end = host.count
    if end > 0, host[end - 1] == 0x2E { end -= 1 }
    var start = end
    while start > 0, host[start - 1] != 0x2E { start -= 1 }
    guard start < end else { return false }
    var isDecimal = true
    for index in start..<end where !host[index].isDigit { isDecimal = false }
    if isDecimal { return true }
    guard end - start >= 2, host[start] == 0x30, host[start + 1] | 0x20 == 0x78 else {
      return false
    }
    for index in start + 2..<end where host[index].hexValue == nil { return false }
    return true
  }
}

/// IPv6 addresses as text.
enum IPv6Text {
  /// The eight groups of an address; `::` once, the last two groups possibly as dotted IPv4.
  static func groups(_ text: Span<UInt8>, _ range: Range<Int>) -> InlineArray<8, UInt16>? {
    guard (2...45).contains(range.count) else { return nil }
    var groups = InlineArray<8, UInt16>(repeating: 0)
    var count = 0
    var gap: Int?
    var index = range.lowerBound
    if text[index] == 0x3A {
      guard text[index + 1] == 0x3A else { return nil }
      gap = 0
      index += 2
    }
    while index < range.upperBound {
      guard count < 8 else { return nil }
      if let tail = IPAddress.dotted(text, index..<range.upperBound) {
        guard count <= 6 else { return nil }
        groups[count] = UInt16(truncatingIfNeeded: tail >> 16)
        groups[count + 1] = UInt16(truncatingIfNeeded: tail)
        count += 2
        break
      }
      guard let group = hexGroup(text, &index, range.upperBound) else { return nil }
      groups[count] = group
      count += 1
      guard index < range.upperBound else { break }
      guard text[index] == 0x3A, index + 1 < range.upperBound else { return nil }
      index += 1
      if text[index] == 0x3A {
        guard gap == nil else { return nil }
        gap = count
        index += 1
      }
    }
    return spread(groups, count, gap)
  }

  /// One to four hex digits.
  private static func hexGroup(_ text: Span<UInt8>, _ index: inout Int, _ end: Int) -> UInt16? {
    let start = index
    var value: UInt16 = 0
    while index < end, index - start < 4, let digit = text[index].hexValue {
      value = value << 4 | UInt16(digit)
      index += 1
    }
    return index > start ? value : nil
  }

  /// Puts zeros into the gap; it stands for one group at least (RFC 4291 §2.2).
  private static func spread(
    _ groups: InlineArray<8, UInt16>, _ count: Int, _ gap: Int?
  ) -> InlineArray<8, UInt16>? {
    guard let gap else { return count == 8 ? groups : nil }
    guard count < 8 else { return nil }
    var result = InlineArray<8, UInt16>(repeating: 0)
    for index in 0..<gap { result[index] = groups[index] }
    for index in gap..<count { result[index + 8 - count] = groups[index] }
    return result
  }
}
