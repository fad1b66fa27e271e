import Crypto
import Wire

/// Images of the right structure: the store decodes nothing, so what is inside may be anything.
enum TestImages {
  /// A PNG of this size with a chunk of `count` bytes that `seed` tells apart.
  static func png(
    _ width: UInt32 = 16, _ height: UInt32 = 9, seed: UInt8 = 0, padding count: Int = 64
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    bytes += Array("IHDR".utf8)
    for value in [width, height] {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    bytes += [8, 2, 0, 0, 0, 0, 0, 0, 0]
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
    bytes += Array("teSt".utf8)
    var state = UInt32(seed) &+ 1
    for _ in 0..<count {
      state = state &* 1_664_525 &+ 1_013_904_223
      bytes.append(UInt8(truncatingIfNeeded: state >> 24))
    }
    return bytes + [0, 0, 0, 0] + end
  }

  /// IEND with its CRC.
  static let end: [UInt8] = [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]

  static func digest(_ bytes: [UInt8]) -> Digest {
    var hash = SHA256()
    hash.update(bytes.span)
    return hash.finalize()
  }

  static func base64(_ bytes: InlineArray<32, UInt8>) -> String { Base64.encode(bytes.span) }

  static func base64(_ bytes: [UInt8]) -> String { Base64.encode(bytes.span) }
}
