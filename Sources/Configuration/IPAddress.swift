/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is its IPv4 address.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64
  /// Whether this is an IPv4 address.
  public let isIPv4: Bool

  /// An address from 4 or 16 bytes in network order; nil for another count.
  public init?(bytes: Span<UInt8>) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for index in bytes.indices {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(bytes[index])
    }
    self.init(high: high, low: low, isIPv4: bytes.count == 4)
  }

  private init(high: UInt64, low: UInt64, isIPv4: Bool) {
    let isMapped = !isIPv4 && high == 0 && low >> 32 == 0xFFFF
    self.high = high
    self.low = isMapped ? low & 0xFFFF_FFFF : low
    self.isIPv4 = isIPv4 || isMapped
  }

  /// An IPv4 address from its four numbers.
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    let value = UInt64(a) << 24 | UInt64(b) << 16 | UInt64(c) << 8 | UInt64(d)
    self.init(high: 0, low: value, isIPv4: true)
  }

  /// Reads the one spelling of IPv4 (four decimal numbers) or RFC 4291 §2.2's of IPv6, no zone.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count <= 45 else { return nil }
    if let value = Self.parseIPv4(bytes[...]) {
      self.init(high: 0, low: UInt64(value), isIPv4: true)
    } else if let groups = Self.parseIPv6(bytes[...]) {
      var halves: [UInt64] = [0, 0]
      for (index, group) in groups.enumerated() {
        halves[index / 4] = halves[index / 4] << 16 | UInt64(group)
      }
      self.init(high: halves[0], low: halves[1], isIPv4: false)
    } else {
      return nil
    }
  }

  /// The address in network order: 4 or 16 bytes.
  public var bytes: [UInt8] {
    let last = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: low >> $0) }
    guard !isIPv4 else { return Array(last.suffix(4)) }
    return stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: high >> $0) } + last
  }

  /// 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    isIPv4 ? low >> 24 == 127 : high == 0 && low == 1
  }

  /// 0.0.0.0 or ::, which listen on every address.
  public var isUnspecified: Bool { high == 0 && low == 0 }

  /// `127.0.0.1`, or RFC 5952's spelling of an IPv6 address without brackets.
  public var description: String {
    guard !isIPv4 else { return bytes.map { "\($0)" }.joined(separator: ".") }
    let bytes = self.bytes
    let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    // The longest run of two or more zero groups, the first of equals (RFC 5952 §4.2).
    var best = 0..<0
    var start = 0
    for index in 0...8 where index == 8 || groups[index] != 0 {
      if index - start > max(best.count, 1) { best = start..<index }
      start = index + 1
    }
    func joined(_ part: some Sequence<UInt16>) -> String {
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard !best.isEmpty else { return joined(groups) }
    return joined(groups[..<best.lowerBound]) + "::" + joined(groups[best.upperBound...])
  }

  /// The bits below a prefix of this length are zero.
  func isAligned(to prefix: Int) -> Bool { masked(to: prefix) == self }

  func masked(to prefix: Int) -> IPAddress {
    if isIPv4 {
      let mask = prefix == 0 ? 0 : UInt64(0xFFFF_FFFF) << UInt64(32 - prefix) & 0xFFFF_FFFF
      return IPAddress(high: 0, low: low & mask, isIPv4: true)
    }
    let highMask: UInt64 = prefix >= 64 ? .max : ~(.max >> UInt64(prefix))
    let lowMask: UInt64 = prefix <= 64 ? 0 : ~(.max >> UInt64(prefix - 64))
    return IPAddress(high: high & highMask, low: low & lowMask, isIPv4: false)
  }

  private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.allSatisfy(\.isDigit),
        part.count == 1 || part.first != UInt8(ascii: "0")
      else { return nil }
      let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 0x30) }
      guard number <= 255 else { return nil }
      value = value << 8 | number
    }
    return value
  }

  private static func parseIPv6(_ text: ArraySlice<UInt8>) -> [UInt16]? {
    let colon = UInt8(ascii: ":")
    let gap = text.indices.first {
      $0 + 1 < text.endIndex && text[$0] == colon && text[$0 + 1] == colon
    }
    guard let gap else {
      let groups = parseGroups(text)
      return groups?.count == 8 ? groups : nil
    }
    guard let before = parseGroups(text[..<gap], endsText: false),
      let after = parseGroups(text[(gap + 2)...]),
      before.count + after.count < 8
    else { return nil }
    return before + [UInt16](repeating: 0, count: 8 - before.count - after.count) + after
  }

  /// Groups between single colons; at the text's end an IPv4 address may stand for two. None for
  /// no text.
  private static func parseGroups(
    _ text: ArraySlice<UInt8>, endsText: Bool = true
  ) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
      if endsText, index == parts.count - 1, let value = parseIPv4(part) {
        groups.append(UInt16(value >> 16))
        groups.append(UInt16(truncatingIfNeeded: value))
        continue
      }
      guard (1...4).contains(part.count) else { return nil }
      var group: UInt32 = 0
      for byte in part {
        guard let digit = byte.hexValue else { return nil }
        group = group << 4 | digit
      }
      groups.append(UInt16(group))
    }
    return groups.count <= 8 ? groups : nil
  }
}

/// A network: an address and how many of its leading bits count.
public struct Network: Hashable, Sendable, CustomStringConvertible {
  /// The first address of the network.
  public let address: IPAddress
  /// Leading bits that count: 0...32 or 0...128.
  public let prefix: Int

  /// A network whose other bits are cut to zero; nil when `prefix` is out of range.
  public init?(_ address: IPAddress, prefix: Int) {
    guard (0...(address.isIPv4 ? 32 : 128)).contains(prefix) else { return nil }
    self.address = address.masked(to: prefix)
    self.prefix = prefix
  }

  /// Whether an address is in it; one of the other family never is.
  public func contains(_ other: IPAddress) -> Bool {
    other.isIPv4 == address.isIPv4 && other.masked(to: prefix) == address
  }

  /// `10.0.0.0/8`.
  public var description: String { "\(address)/\(prefix)" }
}
