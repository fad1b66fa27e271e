// JSON5 (https://spec.json5.org), bounded: at most 1 MiB and 32 levels. Operators write this file
// by hand, so every failure says where it is, in which key, and what to write instead.

/// Reads one JSON5 document.
struct JSON5Parser {
  static let maximumBytes = 1 << 20
  static let maximumDepth = 32

  let bytes: [UInt8]
  var offset = 0
  private var trail = KeyTrail()
  private var depth = 0
  private var duplicates: [JSON5Document.Duplicate] = []

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads the whole of `bytes` as one value with nothing but space and comments around it.
  static func parse(_ bytes: [UInt8]) throws(JSON5Failure) -> JSON5Document {
    var parser = JSON5Parser(bytes)
    guard bytes.count <= maximumBytes else {
      throw parser.failure("the file is larger than 1 MiB", at: 0)
    }
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw parser.failure("these bytes are not UTF-8", at: error.byteOffsets.lowerBound)
    }
    let root = try parser.value()
    try parser.skipSpace()
    guard parser.offset == bytes.count else {
      throw parser.failure("nothing may follow the document's one value", at: parser.offset)
    }
    return JSON5Document(root: root, duplicates: parser.duplicates)
  }

  /// Whether there is no value at all: only space and comments, which end.
  static func holdsNothing(_ bytes: [UInt8]) -> Bool {
    var parser = JSON5Parser(bytes)
    guard bytes.count <= maximumBytes, (try? parser.skipSpace()) != nil else { return false }
    return parser.offset == bytes.count
  }

  func failure(_ message: String, at offset: Int) -> JSON5Failure {
    JSON5Failure(offset: offset, path: trail.description, message: message)
  }

  /// The byte `ahead` of the next one; nil past the end.
  func peek(_ ahead: Int = 0) -> UInt8? {
    offset + ahead < bytes.count ? bytes[offset + ahead] : nil
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    offset += 1
    return true
  }

  private mutating func value() throws(JSON5Failure) -> JSON5Node {
    try skipSpace()
    let start = offset
    switch peek() {
    case nil: throw failure("the file ends where a value is expected", at: start)
    case UInt8(ascii: "{"): return try nested(Self.object)
    case UInt8(ascii: "["): return try nested(Self.array)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      return JSON5Node(value: .string(try string()), offset: start)
    case let byte? where byte.startsNumber:
      return JSON5Node(value: .number(try number()), offset: start)
    default: return JSON5Node(value: try word(), offset: start)
    }
  }

  /// `true`, `false`, `null`, `Infinity`, `NaN`; any other word wants quotes.
  private mutating func word() throws(JSON5Failure) -> JSON5Node.Value {
    let start = offset
    guard let name = try identifier() else {
      throw failure("expected a value", at: start)
    }
    switch name {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    case "Infinity":
      return .number(JSON5Number(text: name, double: .infinity, integer: nil))
    case "NaN": return .number(JSON5Number(text: name, double: .nan, integer: nil))
    default: throw failure("a word needs quotes as a value: \(quoted(name))", at: start)
    }
  }

  private mutating func nested(
    _ read: (inout JSON5Parser) throws(JSON5Failure) -> JSON5Node
  ) throws(JSON5Failure) -> JSON5Node {
    guard depth < Self.maximumDepth else {
      throw failure("nested deeper than \(Self.maximumDepth) levels", at: offset)
    }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  private static func array(_ parser: inout JSON5Parser) throws(JSON5Failure) -> JSON5Node {
    let start = parser.offset
    parser.offset += 1
    var items: [JSON5Node] = []
    while true {
      try parser.skipSpace()
      if parser.take(UInt8(ascii: "]")) { break }
      parser.trail.enter(index: items.count)
      items.append(try parser.value())
      parser.trail.leave()
      try parser.skipSpace()
      if parser.take(UInt8(ascii: ",")) { continue }
      guard parser.take(UInt8(ascii: "]")) else {
        throw parser.unclosed("[", from: start, expected: "a comma or \"]\"")
      }
      break
    }
    return JSON5Node(value: .array(items), offset: start)
  }

  private static func object(_ parser: inout JSON5Parser) throws(JSON5Failure) -> JSON5Node {
    let start = parser.offset
    parser.offset += 1
    var members: [JSON5Member] = []
    var seen: [String: Int] = [:]
    while true {
      try parser.skipSpace()
      if parser.take(UInt8(ascii: "}")) { break }
      let member = try parser.member(openedAt: start)
      if let first = seen[member.key] {
        let path = parser.trail.adding(key: member.key).description
        parser.duplicates.append(.init(path: path, offset: member.offset, firstOffset: first))
      } else {
        seen[member.key] = member.offset
        members.append(member)
      }
      try parser.skipSpace()
      if parser.take(UInt8(ascii: ",")) { continue }
      guard parser.take(UInt8(ascii: "}")) else {
        throw parser.unclosed("{", from: start, expected: "a comma or \"}\"")
      }
      break
    }
    return JSON5Node(value: .object(members), offset: start)
  }

  private mutating func member(openedAt start: Int) throws(JSON5Failure) -> JSON5Member {
    let keyOffset = offset
    let key: String
    if peek() == UInt8(ascii: "\"") || peek() == UInt8(ascii: "'") {
      key = try string()
    } else if let name = try identifier() {
      key = name
    } else {
      throw unclosed("{", from: start, expected: "a key or \"}\"")
    }
    trail.enter(key: key)
    try skipSpace()
    guard take(UInt8(ascii: ":")) else {
      throw failure("expected \":\" after the key", at: offset)
    }
    let node = try value()
    trail.leave()
    return JSON5Member(key: key, offset: keyOffset, node: node)
  }

  /// What went wrong inside a bracket: at the end of the file the bracket's own line is what helps.
  private func unclosed(_ bracket: String, from start: Int, expected: String) -> JSON5Failure {
    guard offset < bytes.count else {
      return failure("\"\(bracket)\" is never closed", at: start)
    }
    return failure("expected \(expected)", at: offset)
  }
}

extension UInt8 {
  var isDigit: Bool { self >= 0x30 && self <= 0x39 }

  var startsNumber: Bool {
    isDigit || self == UInt8(ascii: "+") || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
  }

  /// The value of a hex digit of either case.
  var hexValue: UInt32? {
    switch self {
    case 0x30...0x39: UInt32(self - 0x30)
    case 0x41...0x46: UInt32(self - 0x41 + 10)
    case 0x61...0x66: UInt32(self - 0x61 + 10)
    default: nil
    }
  }
}
