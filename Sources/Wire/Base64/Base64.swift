// Base64 (RFC 4648). What comes in is read liberally (API.md §1): either alphabet, white space,
// padding or none. What goes out has one spelling: standard alphabet, padded, one line.

/// Base64 of values that are at hand; for streams see `Base64Decoder` and `Base64Encoder`.
public enum Base64 {
  /// Characters of the padded text of so many bytes. Bytes: 0…2⁶²; more is taken as that.
  public static func encodedLength(_ bytes: Int64) -> Int64 {
    (min(max(bytes, 0), 1 << 62) + 2) / 3 * 4
  }

  /// The padded text in the standard alphabet.
  public static func encode(_ bytes: Span<UInt8>) -> String {
    var text = [UInt8](repeating: 0, count: Int(encodedLength(Int64(bytes.count))))
    var encoder = Base64Encoder()
    var start = 0
    var end = 0
    var output = text.mutableSpan
    _ = encoder.encode(bytes, from: &start, into: &output, at: &end)
    _ = encoder.finish(into: &output, at: &end)
    return String(decoding: text, as: UTF8.self)
  }

  /// Where the first character is that may stand in a text and not in an encoder's, but at its end:
  /// white space, padding, the other alphabet, and what begins an escape; or the end. Some GB/s.
  public static func plainEnd(of text: Span<UInt8>) -> Int {
    ByteScan.first(text, 0, text.count) { word in
      ByteScan.below(0x21, word) | ByteScan.equal(0x3D, word) | ByteScan.equal(0x2D, word)
        | ByteScan.equal(0x5F, word) | ByteScan.equal(0x5C, word) | ByteScan.equal(0x25, word)
    }
  }

  /// The bytes of a whole text, read liberally; or nil.
  public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3 + 3)
    var decoder = Base64Decoder()
    var start = 0
    var end = 0
    var output = bytes.mutableSpan
    guard decoder.decode(text, from: &start, into: &output, at: &end) == .inputEnd,
      decoder.finish(into: &output, at: &end) == .inputEnd
    else { return nil }
    bytes.removeLast(bytes.count - end)
    return bytes
  }
}
