// The token of a link: 39 bytes of fixed fields, so that no boundary can be
// shifted, written as exactly 52 characters of base64url, so that there is one spelling.
//
//    0        1        2           7              23           39
//    ├ version┼ key id ┼ expiry 5  ┼ asset id 16  ┼ mac 16     ┤
//    └──────────── what the mac is over ──────────┘
internal import Crypto
internal import Wire

/// The bytes of a token.
struct Token {
  static let textLength = 52
  static let version: UInt8 = 1
  /// The greatest expiry that five bytes hold; unix seconds, in the year 36812.
  static let lastExpiry: Int64 = (1 << 40) - 1

  /// Where the fields lie in `bytes`.
  private enum Field {
    static let token = 21..<60
    static let expiry = 23..<28
    static let asset = 28..<44
    static let mac = 44..<60
    /// All before the mac, with the domain: what the mac is over.
    static let signed = 0..<44
  }

  /// The domain and behind it the token, so that the mac is over one run of bytes.
  private var bytes = Token.domain

  /// The token that `text` spells; nil for another length, alphabet or version.
  init?(text: Span<UInt8>) {
    var fields = InlineArray<39, UInt8>(repeating: 0)
    var out = fields.mutableSpan
    guard text.count == Token.textLength, Base64URL.decodeCanonical(text, into: &out),
      fields[0] == Token.version
    else { return nil }
    for index in 0..<39 { bytes[21 + index] = fields[index] }
  }

  /// A token with its mac; `expiry` is 0...lastExpiry.
  init(asset: AssetID, expiry: Int64, keyID: UInt8, key: HMACSHA256Key) {
    bytes[21] = Token.version
    bytes[22] = keyID
    for index in Field.expiry {
      bytes[index] = UInt8(truncatingIfNeeded: expiry >> Int64(8 * (27 - index)))
    }
    for index in Field.asset {
      bytes[index] = UInt8(truncatingIfNeeded: asset.number >> UInt128(8 * (43 - index)))
    }
    let mac = mac(key)
    for index in Field.mac { bytes[index] = mac[index - 44] }
  }

  var keyID: UInt8 { bytes[22] }

  /// Unix seconds.
  var expiry: Int64 {
    var expiry: Int64 = 0
    for index in Field.expiry { expiry = expiry << 8 | Int64(bytes[index]) }
    return expiry
  }

  var asset: AssetID {
    var number: UInt128 = 0
    for index in Field.asset { number = number << 8 | UInt128(bytes[index]) }
    return AssetID(number: number)
  }

  /// Whether the mac is that of `key`; takes the same time wherever they differ.
  func isSigned(by key: HMACSHA256Key) -> Bool {
    let wanted = mac(key)
    return constantTimeEquals(
      bytes.span.extracting(Field.mac), wanted.span.extracting(0..<Field.mac.count))
  }

  /// The 52 characters, as ASCII.
  var text: InlineArray<52, UInt8> {
    var text = InlineArray<52, UInt8>(repeating: 0)
    var out = text.mutableSpan
    let isWhole = Base64URL.encode(bytes.span.extracting(Field.token), into: &out)
    precondition(isWhole, "39 bytes are 52 characters")
    return text
  }

  /// HMAC-SHA-256 of the domain and the fields before the mac; a token has its first half.
  private func mac(_ key: HMACSHA256Key) -> InlineArray<32, UInt8> {
    key.mac(of: bytes.span.extracting(Field.signed))
  }

  /// `assetd/temp-image/v1` and a NUL, with room for the token: no other use of the key can make
  /// this message.
  private static let domain: InlineArray<60, UInt8> = {
    var bytes = InlineArray<60, UInt8>(repeating: 0)
    for (index, byte) in "assetd/temp-image/v1".utf8.enumerated() { bytes[index] = byte }
    return bytes
  }()
}
