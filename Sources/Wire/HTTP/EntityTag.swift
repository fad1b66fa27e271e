// Entity tags (RFC 9110 §8.8.3) and the lists of them in If-Match and If-None-Match.

/// An entity tag in a field value.
struct EntityTag {
  let isWeak: Bool
  /// What stands between the quotes.
  let opaque: Range<Int>

  /// Reads the tag at `index` and moves behind it; `nil` when there is none.
  init?(_ bytes: Span<UInt8>, at index: inout Int, end: Int) {
    var cursor = index
    isWeak = cursor + 1 < end && bytes[cursor] == 0x57 && bytes[cursor + 1] == 0x2F
    if isWeak { cursor += 2 }
    guard cursor < end, bytes[cursor] == 0x22 else { return nil }
    cursor += 1
    let start = cursor
    // A backslash is a plain character here, unlike in quoted strings.
    while cursor < end, bytes[cursor] != 0x22 {
      guard bytes[cursor] > 0x20, bytes[cursor] != 0x7F else { return nil }
      cursor += 1
    }
    guard cursor < end else { return nil }
    opaque = start..<cursor
    index = cursor + 1
  }

  /// Whether a list of tags, or `*`, names `etag` (its opaque part; strong). A list that is
  /// malformed names what stands before the fault.
  static func list(
    _ bytes: Span<UInt8>, _ range: Range<Int>, names etag: Span<UInt8>, weakly: Bool
  ) -> Bool {
    var index = range.lowerBound
    if range.count == 1, bytes[index] == 0x2A { return true }
    while true {
      while index < range.upperBound, bytes[index].isBlank || bytes[index] == 0x2C { index += 1 }
      guard let tag = EntityTag(bytes, at: &index, end: range.upperBound) else { return false }
      if weakly || !tag.isWeak, tag.isOpaque(etag, bytes) { return true }
      while index < range.upperBound, bytes[index].isBlank { index += 1 }
      guard index < range.upperBound, bytes[index] == 0x2C else { return false }
    }
  }

  /// Whether the opaque parts are the same bytes.
  func isOpaque(_ etag: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
    guard opaque.count == etag.count else { return false }
    for index in etag.indices where etag[index] != bytes[opaque.lowerBound + index] {
      return false
    }
    return true
  }
}
