/// Images to send: the head of a PNG of 1024 × 1024, then noise. Each differs from all others in
/// its first bytes, so that none is stored already, and shares the rest, so that making one costs
/// nothing.
struct TestImage {
  /// Bytes of `head`: whole base64 quanta, more than the PNG's signature, IHDR and a chunk's head.
  static let headCount = 60
  static let least = 80
  /// What follows the head.
  let rest: [UInt8]
  private var serial = UInt64.random(in: 0 ... .max)

  /// Images of `size` bytes.
  init(size: Int) {
    var random = UInt64.random(in: 1 ... .max)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size + 8)
    while bytes.count < size - Self.headCount {
      // xorshift64: nothing here needs better.
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: random >> shift))
      }
    }
    rest = Array(bytes.prefix(size - Self.headCount - Self.end.count)) + Self.end
  }

  var size: Int { Self.headCount + rest.count }

  /// The same for another client: it makes other images.
  func forAnotherClient() -> TestImage {
    var copy = self
    copy.serial = UInt64.random(in: 0 ... .max)
    return copy
  }

  /// The first bytes of the next image.
  mutating func nextHead() -> [UInt8] {
    serial &+= 1
    var bytes = Self.header
    // One chunk holds the serial and the noise.
    let noise = size - bytes.count - 8 - Self.end.count
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: noise >> shift)) }
    bytes += Array("teSt".utf8)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: serial >> shift))
    }
    return bytes + Array(repeating: 0, count: Self.headCount - bytes.count)
  }

  /// The CRC of the noise, which nobody checks, and IEND.
  private static let end: [UInt8] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
  ]

  /// The signature and IHDR (PNG specification, 5.2 and 11.2.1): 1024 × 1024, 8 bits, RGB.
  private static let header: [UInt8] = [
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52,
    0, 0, 4, 0, 0, 0, 4, 0, 8, 2, 0, 0, 0, 0xF0, 0x7F, 0xBC, 0xD4,
  ]
}
