// The two checksums of a PNG file: CRC-32 guards each chunk, Adler-32 the uncompressed rows. A gzip
// stream ends with the one, a zlib stream with the other.

/// CRC-32 as PNG and gzip want it (W3C PNG annex D, RFC 1952 §8): 0xEDB88320, reflected.
public struct CRC32: Sendable {
  /// The remainder of every byte value.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in
      rest & 1 == 1 ? 0xEDB8_8320 ^ (rest >> 1) : rest >> 1
    }
  }

  private var rest: UInt32 = 0xFFFF_FFFF

  /// The checksum of nothing.
  public init() {}

  /// The checksum of all bytes so far.
  public var value: UInt32 { ~rest }

  /// Adds bytes.
  public mutating func update(_ bytes: Span<UInt8>) {
    let table = Self.table.span
    for i in bytes.indices {
      rest = table[Int((rest ^ UInt32(bytes[i])) & 0xFF)] ^ (rest >> 8)
    }
  }
}

/// Adler-32 (RFC 1950 §8.2): two sums modulo 65521.
public struct Adler32: Sendable {
  private var a: UInt32 = 1
  private var b: UInt32 = 0

  /// The checksum of nothing.
  public init() {}

  /// The checksum of all bytes so far.
  public var value: UInt32 { b << 16 | a }

  /// Adds bytes.
  public mutating func update(_ bytes: Span<UInt8>) {
    var start = 0
    while start < bytes.count {
      // 5552 is the most bytes after which `b` cannot have overflowed 32 bits (RFC 1950 §9).
      let end = min(start + 5552, bytes.count)
      for i in start..<end {
        a &+= UInt32(bytes[i])
        b &+= a
      }
      a %= 65521
      b %= 65521
      start = end
    }
  }
}
