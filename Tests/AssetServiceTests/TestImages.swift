import Crypto
import Wire

/// Images by their heads: the store reads no further, so what follows may be anything.
enum TestImages {
  /// A PNG head of this size, and `count` bytes that `seed` tells apart.
  static func png(
    _ width: UInt32 = 16, _ height: UInt32 = 9, seed: UInt8 = 0, padding count: Int = 64
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    bytes += Array("IHDR".utf8)
    for value in [width, height] {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    bytes += [8, 2, 0, 0, 0, 0, 0, 0, 0]
    var state = UInt32(seed) &+ 1
    for _ in 0..<count {
      state = state &* 1_664_525 &+ 1_013_904_223
      bytes.append(UInt8(truncatingIfNeeded: state >> 24))
    }
    return bytes
  }

  static func digest(_ bytes: [UInt8]) -> Digest {
    var hash = SHA256()
    hash.update(bytes.span)
    return hash.finalize()
  }

  static func base64(_ bytes: InlineArray<32, UInt8>) -> String { Base64.encode(bytes.span) }

  static func base64(_ bytes: [UInt8]) -> String { Base64.encode(bytes.span) }
}
