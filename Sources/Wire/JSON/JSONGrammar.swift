// The byte-by-byte parts of JSON (RFC 8259) that the tree parser and the answer scanner share:
// UTF-8, strings, numbers. Each takes one byte and keeps a few words of state, so that no split
// can be seen.

/// UTF-8 as RFC 3629 §4 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
struct UTF8Grammar {
  private var pending = 0
  private var low: UInt8 = 0x80
  private var high: UInt8 = 0xBF

  /// Whether no character is under way.
  var isWhole: Bool { pending == 0 }

  /// Takes one byte; false when no character goes on so.
  mutating func take(_ byte: UInt8) -> Bool {
    if pending == 0 { return start(byte) }
    guard byte >= low, byte <= high else { return false }
    pending -= 1
    low = 0x80
    high = 0xBF
    return true
  }

  private mutating func start(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x00...0x7F: return true
    case 0xC2...0xDF: pending = 1
    case 0xE0...0xEF: pending = 2
    case 0xF0...0xF4: pending = 3
    default: return false
    }
    switch byte {
    case 0xE0: low = 0xA0
    case 0xED: high = 0x9F
    case 0xF0: low = 0x90
    case 0xF4: high = 0x8F
    default: break
    }
    return true
  }
}

/// The inside of a string (RFC 8259 §7), from behind the opening quote to the closing one.
///
///     plain ──\──▶ escape ──u──▶ hex ×4 ──▶ plain
struct StringGrammar {
  enum Step: Equatable {
    /// Inside an escape.
    case more
    /// A byte that stands for itself.
    case byte(UInt8)
    /// What an escape stood for, as a UTF-16 code unit.
    case unit(UInt16)
    /// The closing quote.
    case end
    case fault(JSONFault)
  }

  private enum State {
    case plain
    case escape
    case hex(left: Int, value: UInt16)
  }

  private var state = State.plain
  private var utf8 = UTF8Grammar()

  /// Whether no escape and no character is under way.
  var isPlain: Bool {
    if case .plain = state { utf8.isWhole } else { false }
  }

  /// Whether a byte stands for itself where `isPlain`: printable ASCII (and DEL) but `"` and `\`.
  static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
  }

  mutating func take(_ byte: UInt8) -> Step {
    switch state {
    case .plain: return plain(byte)
    case .escape: return escape(byte)
    case .hex(let left, let value):
      guard let digit = Hex.value(anyCase: byte) else { return .fault(.escape) }
      let unit = value << 4 | UInt16(digit)
      state = left == 1 ? .plain : .hex(left: left - 1, value: unit)
      return left == 1 ? .unit(unit) : .more
    }
  }

  private mutating func plain(_ byte: UInt8) -> Step {
    guard utf8.take(byte) else { return .fault(.notUTF8) }
    switch byte {
    case 0x22: return .end
    case 0x5C:
      state = .escape
      return .more
    case 0x00..<0x20: return .fault(.controlCharacter)
    default: return .byte(byte)
    }
  }

  private mutating func escape(_ byte: UInt8) -> Step {
    state = .plain
    if let character = Self.character(escapedAs: byte) { return .unit(UInt16(character)) }
    guard byte == 0x75 else { return .fault(.escape) }
    state = .hex(left: 4, value: 0)
    return .more
  }

  /// What a backslash and this byte stand for; `nil` for `u`, and where they stand for nothing.
  static func character(escapedAs byte: UInt8) -> UInt8? {
    switch byte {
    case 0x22, 0x5C, 0x2F: byte
    case 0x62: 0x08
    case 0x66: 0x0C
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    default: nil
    }
  }
}

/// The text of a string as it is taken in. Half a surrogate pair, which JSON's grammar allows and
/// truncated emoji produce, becomes U+FFFD.
struct StringText {
  private(set) var bytes: [UInt8] = []
  private var highSurrogate: UInt16?

  var string: String {
    var whole = self
    whole.flush()
    return String(decoding: whole.bytes, as: UTF8.self)
  }

  mutating func append(byte: UInt8) {
    if highSurrogate != nil { flush() }
    bytes.append(byte)
  }

  /// Appends a run of bytes that stand for themselves.
  mutating func append(_ run: Span<UInt8>) {
    if highSurrogate != nil { flush() }
    bytes.append(run)
  }

  mutating func append(unit: UInt16) {
    if let high = highSurrogate, (0xDC00...0xDFFF).contains(unit) {
      highSurrogate = nil
      append(scalar: 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(unit) - 0xDC00))
      return
    }
    flush()
    switch unit {
    case 0xD800...0xDBFF: highSurrogate = unit
    case 0xDC00...0xDFFF: append(scalar: 0xFFFD)
    default: append(scalar: UInt32(unit))
    }
  }

  private mutating func flush() {
    guard highSurrogate != nil else { return }
    highSurrogate = nil
    append(scalar: 0xFFFD)
  }

  /// By hand: a text of escapes alone has a hundred thousand of them, and the library's way takes
  /// ten times as long.
  private mutating func append(scalar: UInt32) {
    guard scalar >= 0x80 else { return bytes.append(UInt8(scalar)) }
    if scalar < 0x800 {
      bytes.append(UInt8(0xC0 | scalar >> 6))
    } else {
      if scalar < 0x10000 {
        bytes.append(UInt8(0xE0 | scalar >> 12))
      } else {
        bytes.append(UInt8(0xF0 | scalar >> 18))
        bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
      }
      bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
    }
    bytes.append(UInt8(0x80 | scalar & 0x3F))
  }
}

extension [UInt8] {
  /// Appends a run at once.
  mutating func append(_ run: Span<UInt8>) {
    append(addingCapacity: run.count) { free in
      for index in run.indices { free.append(run[index]) }
    }
  }
}

/// A number (RFC 8259 §6); the state after its last byte.
enum NumberGrammar {
  case minus
  case zero
  case integer
  case point
  case fraction
  case exponent
  case exponentSign
  case exponentDigits

  /// The state after a first byte, or nil when no number starts so.
  init?(first byte: UInt8) {
    switch byte {
    case 0x2D: self = .minus
    case 0x30: self = .zero
    case 0x31...0x39: self = .integer
    default: return nil
    }
  }

  /// Whether the number may end here.
  var isWhole: Bool {
    switch self {
    case .zero, .integer, .fraction, .exponentDigits: true
    case .minus, .point, .exponent, .exponentSign: false
    }
  }

  /// The state after one more byte, or nil when it does not belong to the number.
  func after(_ byte: UInt8) -> NumberGrammar? {
    switch (self, byte) {
    case (.minus, 0x30): .zero
    case (.minus, 0x31...0x39), (.integer, 0x30...0x39): .integer
    case (.zero, 0x2E), (.integer, 0x2E): .point
    case (.point, 0x30...0x39), (.fraction, 0x30...0x39): .fraction
    case (.zero, 0x65), (.integer, 0x65), (.fraction, 0x65): .exponent
    case (.zero, 0x45), (.integer, 0x45), (.fraction, 0x45): .exponent
    case (.exponent, 0x2B), (.exponent, 0x2D): .exponentSign
    case (.exponent, 0x30...0x39), (.exponentSign, 0x30...0x39): .exponentDigits
    case (.exponentDigits, 0x30...0x39): .exponentDigits
    default: nil
    }
  }
}
