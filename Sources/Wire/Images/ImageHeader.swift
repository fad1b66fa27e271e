/// The verdict on bytes that are at hand.
public enum ImageHeader {
  /// Reads a prefix (or the whole) of a file.
  public static func read(prefix: Span<UInt8>) -> ImageVerdict {
    var sniffer = ImageSniffer()
    return sniffer.feed(prefix)
  }

  /// Fewer bytes than this are no image of any type that is in use, when they are none of ours.
  private static let leastBytes = 32

  /// Whether bytes that are none of the hosted types are no other image either: too few, or text
  /// that is no SVG (an error's sentence, HTML, `null`).
  ///
  /// - Parameter prefix: the first 512 bytes, or all.
  public static func holdsNone(prefix: Span<UInt8>) -> Bool {
    guard prefix.count >= leastBytes else { return true }
    return isText(prefix) && !holdsSVG(prefix)
  }

  /// UTF-8 without control characters but line breaks and tabs; a character may be cut at the end.
  private static func isText(_ bytes: Span<UInt8>) -> Bool {
    var utf8 = UTF8Grammar()
    for index in bytes.indices {
      let byte = bytes[index]
      let isControl = byte < 0x20 && !isJSONSpace(byte) || byte == 0x7F
      guard !isControl, utf8.take(byte) else { return false }
    }
    return true
  }

  private static func holdsSVG(_ bytes: Span<UInt8>) -> Bool {
    let name: InlineArray<4, UInt8> = [0x3C, 0x73, 0x76, 0x67]  // <svg
    guard bytes.count >= name.count else { return false }
    return (0...bytes.count - name.count).contains { start in
      name.indices.allSatisfy { index in
        let byte = bytes[start + index]
        return ((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) == name[index]
      }
    }
  }
}
