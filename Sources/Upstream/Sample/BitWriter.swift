/// Packs numbers into bytes, least significant bit first (RFC 1951 §3.1.1).
struct BitWriter {
  /// The whole bytes so far; whoever empties it takes them in order.
  var bytes: [UInt8] = []

  private var held: UInt64 = 0
  private var heldBits: UInt64 = 0

  /// Appends the low `count` bits of `value` (at most 32, with nothing set above them).
  @inline(__always)
  mutating func put(_ value: UInt32, bits count: UInt64) {
    held |= UInt64(value) &<< heldBits
    heldBits &+= count
    guard heldBits >= 32 else { return }
    put32LittleEndian(UInt32(truncatingIfNeeded: held))
    held &>>= 32
    heldBits &-= 32
  }

  /// Pads with zero bits to the next whole byte.
  mutating func align() {
    while heldBits > 0 {
      bytes.append(UInt8(truncatingIfNeeded: held))
      held &>>= 8
      heldBits = heldBits > 8 ? heldBits - 8 : 0
    }
  }

  private mutating func put32LittleEndian(_ word: UInt32) {
    bytes.append(UInt8(truncatingIfNeeded: word))
    bytes.append(UInt8(truncatingIfNeeded: word &>> 8))
    bytes.append(UInt8(truncatingIfNeeded: word &>> 16))
    bytes.append(UInt8(truncatingIfNeeded: word &>> 24))
  }
}
