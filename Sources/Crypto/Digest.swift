/// A SHA-256 digest: 32 bytes, the name of a blob.
///
/// Ordered by its bytes. Kept as four big-endian words, so that comparing and hashing are four
/// integer operations and not a loop.
public struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The number of bytes.
  public static let count = 32
  private let word0, word1, word2, word3: UInt64

  /// The digest of exactly 32 bytes; `nil` for another number.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Digest.count else { return nil }
    self.init(words: bytes)
  }

  /// The digest of 32 bytes.
  public init(_ bytes: InlineArray<32, UInt8>) {
    self.init(words: bytes.span)
  }

  private init(words bytes: Span<UInt8>) {
    func word(_ start: Int) -> UInt64 {
      var word: UInt64 = 0
      for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
      return word
    }
    self.init(word(0), word(8), word(16), word(24))
  }

  /// The digest spelt by exactly 64 lower case hexadecimal digits; `nil` for any other text.
  public init?(hex: Span<UInt8>) {
    guard hex.count == 2 * Digest.count else { return nil }
    func word(_ start: Int) -> UInt64? {
      var word: UInt64 = 0
      for index in start..<start + 16 {
        switch hex[index] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
          word = word << 4 | UInt64(hex[index] - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"):
          word = word << 4 | UInt64(hex[index] - UInt8(ascii: "a") + 10)
        default: return nil
        }
      }
      return word
    }
    guard let word0 = word(0), let word1 = word(16), let word2 = word(32), let word3 = word(48)
    else { return nil }
    self.init(word0, word1, word2, word3)
  }

  private init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
    (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
  }

  /// The 32 bytes.
  public var bytes: InlineArray<32, UInt8> {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    func put(_ word: UInt64, at start: Int) {
      for index in 0..<8 {
        bytes[start + index] = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * index))
      }
    }
    put(word0, at: 0)
    put(word1, at: 8)
    put(word2, at: 16)
    put(word3, at: 24)
    return bytes
  }

  /// The 64 lower case hexadecimal digits, as ASCII.
  public var hexBytes: InlineArray<64, UInt8> {
    var digits = InlineArray<64, UInt8>(repeating: 0)
    func put(_ word: UInt64, at start: Int) {
      for index in 0..<16 {
        let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index)) & 15
        // From '9' + 1 to 'a' are 39 places.
        digits[start + index] = UInt8(ascii: "0") &+ nibble &+ (nibble > 9 ? 39 : 0)
      }
    }
    put(word0, at: 0)
    put(word1, at: 16)
    put(word2, at: 32)
    put(word3, at: 48)
    return digits
  }

  /// The 64 lower case hexadecimal digits.
  public var hex: String {
    let digits = hexBytes
    return unsafe String(unsafeUninitializedCapacity: 2 * Digest.count) { text in
      for index in 0..<2 * Digest.count { unsafe text[index] = digits[index] }
      return 2 * Digest.count
    }
  }

  /// The same as `hex`.
  public var description: String { hex }

  /// Orders digests as their bytes.
  public static func < (left: Digest, right: Digest) -> Bool {
    if left.word0 != right.word0 { return left.word0 < right.word0 }
    if left.word1 != right.word1 { return left.word1 < right.word1 }
    if left.word2 != right.word2 { return left.word2 < right.word2 }
    return left.word3 < right.word3
  }
}
