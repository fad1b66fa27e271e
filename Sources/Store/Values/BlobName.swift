public import Crypto
internal import Wire

/// The name of one file under `blobs/`: the digest of its bytes and a random tail.
///
/// The tail makes every name unique: a file is never replaced, and a collector can never unlink a
/// name that a later row uses.
public struct BlobName: Hashable, Sendable, CustomStringConvertible {
  /// SHA-256 of the file's bytes.
  public let digest: Digest
  /// The eight hex digits at the end.
  public let tail: UInt32

  /// The name with this tail.
  public init(digest: Digest, tail: UInt32) {
    self.digest = digest
    self.tail = tail
  }

  /// A new name for these bytes.
  static func random(_ digest: Digest) -> BlobName {
    let bytes = SystemRandom.bytes16()
    return BlobName(digest: digest, tail: (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[$1]) })
  }

  /// The name spelt by `<64 hex>-<8 hex>`; `nil` for any other text.
  public init?(_ text: String) {
    let bytes = text.utf8.span
    guard bytes.count == 73, bytes[64] == UInt8(ascii: "-"),
      let digest = Digest(hex: bytes.extracting(0..<64))
    else { return nil }
    var tail: UInt32 = 0
    for index in 65..<73 {
      guard let value = Hex.value(bytes[index]) else { return nil }
      tail = tail << 4 | UInt32(value)
    }
    self.init(digest: digest, tail: tail)
  }

  /// `<64 hex>-<8 hex>`.
  public var description: String { String(path.dropFirst(3)) }

  /// The folder under `blobs/`: the first two digits.
  public var folder: String { String(digest.hex.prefix(2)) }

  /// Where the file is, from `blobs/`: `ab/<64 hex>-<8 hex>`. Spelled out for every file opened.
  var path: String {
    let hex = digest.hexBytes
    var text: [UInt8] = []
    text.reserveCapacity(76)
    text.append(hex[0])
    text.append(hex[1])
    text.append(UInt8(ascii: "/"))
    for index in hex.indices { text.append(hex[index]) }
    text.append(UInt8(ascii: "-"))
    for shift in stride(from: UInt32(28), through: 0, by: -4) {
      text.append(Hex.digit(UInt8(truncatingIfNeeded: tail >> shift)))
    }
    return String(decoding: text, as: UTF8.self)
  }
}
