// The inner loops of the head parsers: eight bytes at a time in a UInt64 (SIMD masks are scalarised
// by today's compiler). One of the named files that may say `unsafe`: reading a UInt64 out of bytes
// is unsafe; every read stays inside bounds that are checked once per scan.

/// Scans over bytes that stop at the first byte of a class.
enum ByteScan {
  static let ones: UInt64 = 0x0101_0101_0101_0101
  static let high: UInt64 = 0x8080_8080_8080_8080

  /// Marks the bytes below `limit` (1...128); exact up to and including the lowest mark.
  @inline(__always)
  static func below(_ limit: UInt64, _ word: UInt64) -> UInt64 {
    (word &- ones &* limit) & ~word & high
  }

  /// Marks the bytes equal to `byte`; exact up to and including the lowest mark.
  @inline(__always)
  static func equal(_ byte: UInt64, _ word: UInt64) -> UInt64 {
    below(1, word ^ (ones &* byte))
  }

  /// The first index in `from..<end` whose byte is marked, or `end`.
  @inline(__always)
  static func first(
    _ bytes: Span<UInt8>, _ from: Int, _ end: Int, _ marks: (UInt64) -> UInt64
  ) -> Int {
    precondition(from >= 0 && end <= bytes.count, "ByteScan: outside of the bytes")
    return unsafe bytes.withUnsafeBytes { raw in
      var index = from
      while index &+ 8 <= end {
        let word = unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let found = marks(word.littleEndian)
        if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
        index &+= 8
      }
      while index < end, unsafe marks(UInt64(raw[index]) | 0x4141_4141_4141_4100) == 0 {
        index &+= 1
      }
      return index
    }
  }

  /// The first control character (below 0x20, or DEL) in `from..<end`, or `end`.
  @inline(__always)
  static func control(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
    first(bytes, from, end) { below(0x20, $0) | equal(0x7F, $0) }
  }

  /// The first byte in `from..<end` that ends a field name: a colon, white space, a control
  /// character or a byte above ASCII; or `end`.
  @inline(__always)
  static func nameEnd(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
    first(bytes, from, end) {
      below(0x21, $0) | equal(0x3A, $0) | equal(0x7F, $0) | ($0 & high)
    }
  }

  /// The first byte in `from..<end` that a request path must look at: `/ % ? #`, or one that is not
  /// visible ASCII; or `end`.
  @inline(__always)
  static func pathStop(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
    first(bytes, from, end) {
      below(0x21, $0) | equal(0x2F, $0) | equal(0x25, $0) | equal(0x3F, $0) | equal(0x23, $0)
        | equal(0x7F, $0) | ($0 & high)
    }
  }

  /// The first byte in `from..<end` that is not visible ASCII, or is `#`; or `end`.
  static func queryStop(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
    first(bytes, from, end) { below(0x21, $0) | equal(0x23, $0) | equal(0x7F, $0) | ($0 & high) }
  }

  /// Whether `range` holds exactly these bytes.
  @inline(__always)
  static func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
    matches(bytes, range, text, folding: 0)
  }

  /// Whether `range` holds this lowercase text, letters in either case.
  ///
  /// `text` holds letters, digits, `-` and the like only, and the bytes must be free of control
  /// characters: setting bit 5 makes a letter lowercase, but would also turn CR into `-`.
  @inline(__always)
  static func equalsIgnoringCase(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString
  ) -> Bool {
    matches(bytes, range, text, folding: 0x20)
  }

  /// The byte at `index` of a literal; traps outside.
  static func byte(_ text: StaticString, _ index: Int) -> UInt8 {
    precondition(index >= 0 && index < text.utf8CodeUnitCount)
    return unsafe text.utf8Start[index]
  }

  @inline(__always)
  private static func matches(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString, folding: UInt8
  ) -> Bool {
    let length = text.utf8CodeUnitCount
    guard range.count == length else { return false }
    let raw = unsafe bytes.bytes
    let literal = unsafe UnsafeRawPointer(text.utf8Start)
    if length < 8 { return unsafe matchesShort(bytes, range, literal, folding) }
    let fold = ones &* UInt64(folding)
    var index = 0
    while true {
      let left = unsafe raw.unsafeLoadUnaligned(
        fromByteOffset: range.lowerBound + index, as: UInt64.self)
      let right = unsafe literal.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      guard left | fold == right | fold else { return false }
      if index == length - 8 { return true }
      index = min(index + 8, length - 8)  // the last word may overlap the one before
    }
  }
}

extension ByteScan {
  /// The same for less than eight bytes: two words of four that may overlap, or single bytes.
  @inline(__always)
  private static func matchesShort(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ literal: UnsafeRawPointer, _ folding: UInt8
  ) -> Bool {
    let raw = unsafe bytes.bytes
    let length = range.count
    guard length >= 4 else {
      for index in 0..<length
      where unsafe bytes[range.lowerBound + index] | folding
        != literal.load(fromByteOffset: index, as: UInt8.self) | folding
      {
        return false
      }
      return true
    }
    let fold = UInt32(truncatingIfNeeded: ones) &* UInt32(folding)
    let last = length - 4
    let start = range.lowerBound
    let first = unsafe raw.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self)
    let rest = unsafe raw.unsafeLoadUnaligned(fromByteOffset: start + last, as: UInt32.self)
    return unsafe first | fold == literal.loadUnaligned(as: UInt32.self) | fold
      && rest | fold == literal.loadUnaligned(fromByteOffset: last, as: UInt32.self) | fold
  }
}

extension UInt8 {
  /// The characters of a token (RFC 9110 §5.6.2) as two bit sets: below 64, and 64 to 127.
  private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
  private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE

  /// Whether the byte may stand in a token (RFC 9110 §5.6.2).
  @inline(__always)
  var isToken: Bool {
    if (self | 0x20) &- 0x61 < 26 || self == 0x2D { return true }  // nearly all of a name
    if self < 64 { return Self.tokenLow >> UInt64(self) & 1 == 1 }
    return self < 128 && Self.tokenHigh >> UInt64(self & 63) & 1 == 1
  }

  /// Whether the byte may stand anywhere in a URL unencoded (unreserved, RFC 3986 §2.3).
  @inline(__always)
  var isUnreserved: Bool {
    (self | 0x20) &- 0x61 < 26 || isDigit || self == 0x2D || self == 0x2E || self == 0x5F
      || self == 0x7E
  }

  /// Whether the byte is a decimal digit.
  @inline(__always)
  var isDigit: Bool { self &- 0x30 < 10 }

  /// Whether the byte is optional white space: SP or HTAB (RFC 9110 §5.6.3).
  @inline(__always)
  var isBlank: Bool { self == 0x20 || self == 0x09 }

  /// The ASCII letter in lowercase; any other byte as it is.
  @inline(__always)
  var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

  /// The value of a hex digit in either case.
  @inline(__always)
  var hexValue: UInt8? {
    if isDigit { return self - 0x30 }
    let letter = self | 0x20
    return letter &- 0x61 < 6 ? letter - 0x57 : nil
  }

  /// CR and LF, the only line end there is.
  static var carriageReturn: UInt8 { 0x0D }
  static var lineFeed: UInt8 { 0x0A }
}
