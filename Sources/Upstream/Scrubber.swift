internal import Wire

/// Takes secrets out of what upstreams say: several repeat a part of the key.
public struct Scrubber: Sendable {
  private let key: [UInt8]

  /// `key` is the configured one, if there is one.
  public init(key: String? = nil) { self.key = Array((key ?? "").utf8) }

  /// The text without the key, without words that look like one, without control characters, and
  /// at most `UpstreamFailure.messageLimit` characters.
  func scrub(_ text: String) -> String {
    // Bounded before anything is searched.
    let bytes = replacingKey(Array(text.utf8.prefix(8 * UpstreamFailure.messageLimit)))
    var words = bytes.split(omittingEmptySubsequences: false) { Self.isSpace($0) }
    for index in words.indices where index > 0 && Self.isScheme(words[index - 1]) {
      words[index] = Self.masked[...]
    }
    let clean = words.map { Self.maskKeys($0) }
    let joined = String(decoding: Array(clean.joined(separator: [0x20])), as: UTF8.self)
    // Not in what one calls characters: to find where each ends takes long.
    guard joined.unicodeScalars.count > UpstreamFailure.messageLimit else { return joined }
    return String(joined.unicodeScalars.prefix(UpstreamFailure.messageLimit - 1)) + "…"
  }

  /// A name or a code as `scrub` leaves it, at most `UpstreamFailure.codeLimit` bytes.
  func scrub(code: String?) -> String? {
    code.map { scrub($0).cut(toBytes: UpstreamFailure.codeLimit) }
  }

  /// The text without the key, and else as it is.
  public func withoutKey(_ text: String) -> String {
    String(decoding: replacingKey(Array(text.utf8)), as: UTF8.self)
  }

  private func replacingKey(_ bytes: [UInt8]) -> [UInt8] {
    key.count >= 8 ? Self.replacing(key, in: bytes) : bytes
  }

  /// Where the key is in JSON.
  func keys(in json: ArraySlice<UInt8>) -> [SkeletonRenderer.Rewrite] {
    guard key.count >= 8 else { return [] }
    // A slash may be written as an escape.
    let spellings = Set([key, key.flatMap { $0 == 0x2F ? [0x5C, 0x2F] : [$0] }])
    var found: [SkeletonRenderer.Rewrite] = []
    var index = json.startIndex
    while index < json.endIndex {
      let spelling =
        json[index] != key[0] && json[index] != 0x5C
        ? nil : spellings.first { json[index...].starts(with: $0) }
      if let spelling {
        found.append(.init(range: index..<index + spelling.count, bytes: Self.masked))
      }
      index += spelling?.count ?? 1
    }
    return found
  }

  private static let masked = Array("[key]".utf8)

  /// White space and control characters.
  private static func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x7F }

  private static func isScheme(_ word: ArraySlice<UInt8>) -> Bool {
    word.map { $0 | 0x20 }.elementsEqual("bearer".utf8)
  }

  /// `sk-…`, `ck-…`, `rk-…` and the like, also within quotes, also shortened with asterisks.
  private static func maskKeys(_ word: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var index = word.startIndex
    while index < word.endIndex {
      let isStart = index == word.startIndex || !isKeyByte(word[index - 1])
      if isStart, let end = endOfKey(word, index) {
        result += masked
        index = end
      } else {
        result.append(word[index])
        index += 1
      }
    }
    return result
  }

  /// Two letters, the second a `k`, a hyphen and at least three characters of a key.
  private static func endOfKey(_ word: ArraySlice<UInt8>, _ start: Int) -> Int? {
    guard word.endIndex - start >= 6, (0x61...0x7A).contains(word[start] | 0x20),
      word[start + 1] | 0x20 == 0x6B, word[start + 2] == 0x2D
    else { return nil }
    var end = start + 3
    while end < word.endIndex, isKeyByte(word[end]) { end += 1 }
    return end - start >= 6 ? end : nil
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F, 0x2A: true
    default: false
    }
  }

  private static func replacing(_ key: [UInt8], in bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == key[0], bytes[index...].starts(with: key) {
        result += masked
        index += key.count
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }
}
