/// Bits from the lowest of each byte on (RFC 1951 §3.1.1), over pieces of a stream.
struct BitReader: Sendable {
  /// The bits that were taken from the input and not used.
  private(set) var held: UInt64 = 0
  private(set) var count = 0

  /// Holds at least 57 bits, as far as the input has them.
  @inline(__always)
  mutating func fill(_ input: Span<UInt8>, _ index: inout Int) {
    while count <= 56, index < input.count {
      held |= UInt64(input[index]) << UInt64(count)
      count += 8
      index += 1
    }
  }

  /// The next bits, at most 32, which stay; `nil` when there are too few.
  func peek(_ amount: Int) -> Int? {
    amount <= count ? Int(held & (1 << UInt64(amount) - 1)) : nil
  }

  /// The next bits, at most 32; `nil` when there are too few.
  mutating func take(_ amount: Int) -> Int? {
    guard let value = peek(amount) else { return nil }
    drop(amount)
    return value
  }

  /// Drops bits that are there.
  @inline(__always)
  mutating func drop(_ amount: Int) {
    held >>= UInt64(amount)
    count -= amount
  }

  /// Drops what is left of a byte that was begun.
  mutating func dropPartByte() { drop(count & 7) }
}
