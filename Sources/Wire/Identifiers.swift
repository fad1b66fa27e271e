// Ids of assets and generations: 128 random bits, written as a four-letter prefix and 32 lower case
// hex digits (API.md §3). Values, not strings: a comparison is two words and a copy is free.

/// What the ids have in common: 16 bytes and one spelling.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The four characters before the digits, as bytes.
  static var prefix: InlineArray<4, UInt8> { get }
  /// The 16 bytes as one big-endian number, so that numbers sort as the bytes and the texts do.
  var number: UInt128 { get }
  /// The id of a big-endian number.
  init(number: UInt128)
}

extension Identifier {
  /// Characters in the text of every id.
  @inlinable public static var textLength: Int { 36 }

  /// The id of exactly 16 bytes, or nil.
  @inlinable
  public init?(bytes: Span<UInt8>) {
    guard bytes.count == 16 else { return nil }
    var number: UInt128 = 0
    for index in bytes.indices { number = number << 8 | UInt128(bytes[index]) }
    self.init(number: number)
  }

  /// The id of its one spelling (prefix and lower case digits, nothing around them), or nil.
  @inlinable
  public init?(text: Span<UInt8>) {
    guard text.count == Self.textLength else { return nil }
    let prefix = Self.prefix
    for index in 0..<4 where text[index] != prefix[index] { return nil }
    var number: UInt128 = 0
    for index in 4..<text.count {
      guard let value = Hex.value(text[index]) else { return nil }
      number = number << 4 | UInt128(value)
    }
    self.init(number: number)
  }

  /// The id of its one spelling, or nil.
  public init?(_ text: String) {
    self.init(text: text.utf8.span)
  }

  /// The 16 bytes, first byte first.
  @inlinable
  public var bytes: InlineArray<16, UInt8> {
    InlineArray { index in UInt8(truncatingIfNeeded: number >> UInt128(8 * (15 - index))) }
  }

  /// The 36 characters, without a String.
  @inlinable
  public var text: InlineArray<36, UInt8> {
    let prefix = Self.prefix
    return InlineArray { index in
      index < 4
        ? prefix[index]
        : Hex.digit(UInt8(truncatingIfNeeded: number >> UInt128(4 * (35 - index))))
    }
  }

  /// The 36 characters.
  public var description: String {
    let text = text
    return String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
  }

  /// Order of the bytes, which is the order of the texts.
  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// One hosted image: `img-` and 32 hex digits.
public struct AssetID: Identifier {
  /// The 16 bytes as one big-endian number.
  public let number: UInt128

  /// The id of a big-endian number.
  @inlinable public init(number: UInt128) { self.number = number }

  /// `img-`
  @inlinable public static var prefix: InlineArray<4, UInt8> { [0x69, 0x6D, 0x67, 0x2D] }
}

/// One call of the front: `gen-` and 32 hex digits.
public struct GenerationID: Identifier {
  /// The 16 bytes as one big-endian number.
  public let number: UInt128

  /// The id of a big-endian number.
  @inlinable public init(number: UInt128) { self.number = number }

  /// `gen-`
  @inlinable public static var prefix: InlineArray<4, UInt8> { [0x67, 0x65, 0x6E, 0x2D] }
}
