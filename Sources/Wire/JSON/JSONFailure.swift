/// Why a text is not JSON, and where. Shared by the tree parser and the answer scanner, so that
/// both refuse alike.
public enum JSONFault: Error, Hashable {
  /// The text ends inside a value, or holds none.
  case unexpectedEnd
  /// Another byte was needed here.
  case unexpected(UInt8, wanted: Wanted)
  /// `\` with something that RFC 8259 §7 does not list.
  case escape
  /// A raw byte below 0x20 in a string (RFC 8259 §7).
  case controlCharacter
  /// Not UTF-8 (RFC 8259 §8.1, RFC 3629 §3).
  case notUTF8
  /// Not a number (RFC 8259 §6), e.g. `01`, `+1`, `.5`, `1.`, `NaN`.
  case number
  /// Arrays and objects nested deeper than this.
  case tooDeep(limit: Int)
  /// More values than this in all.
  case tooManyValues(limit: Int)
  /// More members than this in one object.
  case tooManyMembers(limit: Int)

  /// What the grammar allowed at a place.
  public enum Wanted: String, Hashable, Sendable {
    /// Any value.
    case value = "a value"
    /// A value, in an array that has none yet.
    case valueOrEnd = "a value or ]"
    /// A member's name.
    case name = "a name in double quotes"
    /// A member's name, in an object that has none yet.
    case nameOrEnd = "a name in double quotes or }"
    /// Between name and value.
    case colon = ":"
    /// After a member.
    case commaOrBrace = ", or }"
    /// After an element.
    case commaOrBracket = ", or ]"
    /// After the whole.
    case end = "nothing more"
    /// The rest of `true`, `false` or `null`.
    case literal = "true, false or null"
  }
}

extension JSONFault {
  /// Whether the text is refused for what it would cost; it may be JSON.
  public var isLimit: Bool {
    switch self {
    case .tooDeep, .tooManyValues, .tooManyMembers: true
    default: false
    }
  }
}

extension JSONFault: CustomStringConvertible {
  /// For a client's error message: no bytes of the text but the one that is wrong, and that only
  /// when printable.
  public var description: String {
    switch self {
    case .unexpectedEnd: "the text ends too early"
    case .unexpected(let byte, let wanted): "expected \(wanted.rawValue), found \(Self.name(byte))"
    case .escape: "invalid escape in a string"
    case .controlCharacter: "unescaped control character in a string"
    case .notUTF8: "invalid UTF-8"
    case .number: "invalid number"
    case .tooDeep(let limit): "nested deeper than \(limit) levels"
    case .tooManyValues(let limit): "more than \(limit) values"
    case .tooManyMembers(let limit): "more than \(limit) members in one object"
    }
  }

  private static func name(_ byte: UInt8) -> String {
    (0x21...0x7E).contains(byte)
      ? String(UnicodeScalar(byte)) : "byte 0x" + Hex.encode([byte].span)
  }
}

/// A text that the parser refused.
public struct JSONFailure: Error, Hashable, CustomStringConvertible {
  /// Why.
  public let fault: JSONFault
  /// Bytes before the place.
  public let offset: Int
  /// The line of the place, from 1.
  public let line: Int
  /// The column of the place in characters (Unicode scalars), from 1.
  public let column: Int

  init(_ fault: JSONFault, offset: Int, in bytes: Span<UInt8>) {
    var line = 1
    var column = 1
    for index in 0..<min(offset, bytes.count) {
      if bytes[index] == 0x0A {
        line += 1
        column = 1
      } else if bytes[index] & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.fault = fault
    self.offset = offset
    self.line = line
    self.column = column
  }

  /// E.g. `line 3, column 14: expected , or }, found x`.
  public var description: String { "line \(line), column \(column): \(fault)" }
}
