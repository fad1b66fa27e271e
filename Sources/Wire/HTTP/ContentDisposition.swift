// Content-Disposition (RFC 6266) with a file name from anywhere: a safe ASCII form for everyone,
// and RFC 8187's extended form when that is not the whole name.

/// How a browser is to present a body.
public enum ContentDisposition: Sendable {
  /// Shown in the page.
  case inline
  /// Saved to a file.
  case attachment

  /// Bytes of a file name that are kept at most; most file systems end at 255.
  public static var maxFileName: Int { 200 }

  /// The field value: `attachment; filename="…"; filename*=UTF-8''…`.
  ///
  /// `fileName` is any UTF-8; malformed bytes become U+FFFD, control characters and path
  /// separators `_`. An empty name leaves only the disposition. Allocates.
  public func value(fileName: Span<UInt8>) -> [UInt8] {
    var value = Array((self == .inline ? "inline" : "attachment").utf8)
    let name = Self.cleaned(fileName)
    guard !name.isEmpty else { return value }
    value += Array("; filename=\"".utf8)
    for scalar in name { value.append(Self.isPlain(scalar) ? UInt8(scalar.value) : 0x5F) }
    value.append(0x22)
    guard !name.allSatisfy(Self.isPlain) else { return value }
    value += Array("; filename*=UTF-8''".utf8)
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in name.flatMap({ Array(String($0).utf8) }) {
      if Self.isAttributeCharacter(byte) {
        value.append(byte)
      } else {
        value += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return value
  }

  /// An extension of more bytes than this, its dot included, is a part of the name like others.
  private static let maxExtension = 16

  /// The characters that are kept of a name, at most `maxFileName` bytes of them. A longer one
  /// keeps its extension: without it no program knows what the file is.
  private static func cleaned(_ fileName: Span<UInt8>) -> [Unicode.Scalar] {
    var bytes: [UInt8] = []
    for index in fileName.indices { bytes.append(fileName[index]) }
    let name = String(decoding: bytes, as: UTF8.self).unicodeScalars.map(harmless)
    guard width(name[...]) > maxFileName else { return name }
    var ending = name.lastIndex(of: ".").map { name[$0...] } ?? []
    if width(ending) > maxExtension { ending = [] }
    var room = maxFileName - width(ending)
    let stem = name.prefix { scalar in
      room -= UTF8.width(scalar)
      return room >= 0
    }
    return Array(stem + ending)
  }

  private static func width(_ text: ArraySlice<Unicode.Scalar>) -> Int {
    text.reduce(0) { $0 + UTF8.width($1) }
  }

  /// The character, or `_` for one that no file name should have.
  private static func harmless(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    let isSeparator = scalar == "/" || scalar == "\\"
    let isHidden = scalar.properties.generalCategory == .control
    let turnsText = scalar.properties.isBidiControl  // "gpj.exe" shown backwards
    return isSeparator || isHidden || turnsText ? "_" : scalar
  }

  /// Whether a character can stand in the quoted form. `%` can not: some browsers decode it.
  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    (0x20..<0x7F).contains(scalar.value) && scalar != "\"" && scalar != "\\" && scalar != "%"
  }

  /// attr-char (RFC 8187 §3.2.1): a token without `*`, `'` and `%`.
  private static func isAttributeCharacter(_ byte: UInt8) -> Bool {
    byte.isToken && byte != 0x2A && byte != 0x27 && byte != 0x25
  }
}
