/// What a document may cost; its size is the caller's to bound.
public struct JSONLimits: Hashable, Sendable {
  /// Arrays and objects within each other.
  public var depth: Int
  /// Values in all, each some tens of bytes of memory.
  public var values: Int
  /// Members in one object, those of one name counted one by one.
  public var members: Int

  /// 64 levels, 100,000 values, of which all may be members of one object.
  public init(depth: Int = 64, values: Int = 100_000, members: Int = .max) {
    self.depth = depth
    self.values = values
    self.members = members
  }

  /// What the body of an API call may cost (API.md §3): 16 levels, 256 members in one object, and
  /// so many values that reading them all takes about a millisecond.
  public static let body = JSONLimits(depth: 16, values: 10_000, members: 256)
}

extension JSONValue {
  /// Reads one whole document: strict RFC 8259, UTF-8 checked, white space around it allowed, no
  /// byte order mark.
  public static func parse(
    _ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()
  ) throws(JSONFailure) -> JSONValue {
    var parser = JSONParser(limits: limits)
    do throws(JSONFault) {
      return try parser.document(bytes)
    } catch {
      throw JSONFailure(error, offset: parser.offset, in: bytes)
    }
  }
}

/// Recursive descent, as deep as the limit allows. `offset` is the first byte not taken; after a
/// fault it is the byte at fault.
private struct JSONParser {
  let limits: JSONLimits
  var offset = 0
  private var depth = 0
  private var values = 0

  init(limits: JSONLimits) { self.limits = limits }

  mutating func document(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONValue {
    let value = try value(bytes, wanted: .value)
    skipSpace(bytes)
    guard offset == bytes.count else { throw .unexpected(bytes[offset], wanted: .end) }
    return value
  }

  private mutating func value(
    _ bytes: Span<UInt8>, wanted: JSONFault.Wanted
  ) throws(JSONFault) -> JSONValue {
    let byte = try next(bytes)
    values += 1
    guard values <= limits.values else { throw .tooManyValues(limit: limits.values) }
    switch byte {
    case 0x7B: return .object(try nested(bytes, Self.object))
    case 0x5B: return .array(try nested(bytes, Self.array))
    case 0x22: return .string(try string(bytes))
    case 0x74: return try literal(bytes, "true", .bool(true))
    case 0x66: return try literal(bytes, "false", .bool(false))
    case 0x6E: return try literal(bytes, "null", .null)
    default:
      guard let first = NumberGrammar(first: byte) else { throw .unexpected(byte, wanted: wanted) }
      return .number(try number(bytes, first))
    }
  }

  private mutating func nested<T>(
    _ bytes: Span<UInt8>, _ read: (inout Self, Span<UInt8>) throws(JSONFault) -> T
  ) throws(JSONFault) -> T {
    guard depth < limits.depth else { throw .tooDeep(limit: limits.depth) }
    depth += 1
    offset += 1
    let value = try read(&self, bytes)
    depth -= 1
    return value
  }

  private static func object(
    _ parser: inout Self, _ bytes: Span<UInt8>
  ) throws(JSONFault) -> JSONObject {
    var members: [JSONObject.Member] = []
    if try parser.take(0x7D, bytes) { return JSONObject() }
    while true {
      let quote = try parser.next(bytes)
      guard quote == 0x22 else {
        throw .unexpected(quote, wanted: members.isEmpty ? .nameOrEnd : .name)
      }
      guard members.count < parser.limits.members else {
        throw .tooManyMembers(limit: parser.limits.members)
      }
      let name = try parser.string(bytes)
      let colon = try parser.next(bytes)
      guard colon == 0x3A else { throw .unexpected(colon, wanted: .colon) }
      parser.offset += 1
      members.append(.init(name: name, value: try parser.value(bytes, wanted: .value)))
      if try parser.take(0x7D, bytes) { return JSONObject(members) }
      try parser.comma(bytes, wanted: .commaOrBrace)
    }
  }

  private static func array(
    _ parser: inout Self, _ bytes: Span<UInt8>
  ) throws(JSONFault) -> [JSONValue] {
    var elements: [JSONValue] = []
    if try parser.take(0x5D, bytes) { return [] }
    while true {
      elements.append(try parser.value(bytes, wanted: elements.isEmpty ? .valueOrEnd : .value))
      if try parser.take(0x5D, bytes) { return elements }
      try parser.comma(bytes, wanted: .commaOrBracket)
    }
  }

  private mutating func string(_ bytes: Span<UInt8>) throws(JSONFault) -> String {
    offset += 1
    if let text = plainString(bytes) { return text }
    var grammar = StringGrammar()
    var text = StringText()
    while offset < bytes.count {
      takeRun(bytes, &text, grammar)
      if takeEscape(bytes, &text, grammar) { continue }
      guard offset < bytes.count else { break }
      switch grammar.take(bytes[offset]) {
      case .more: break
      case .byte(let byte): text.append(byte: byte)
      case .unit(let unit): text.append(unit: unit)
      case .end:
        offset += 1
        return text.string
      case .fault(let fault): throw fault
      }
      offset += 1
    }
    throw .unexpectedEnd
  }

  /// What stands for itself between two escapes is copied at once.
  private mutating func takeRun(
    _ bytes: Span<UInt8>, _ text: inout StringText, _ grammar: StringGrammar
  ) {
    guard grammar.isPlain else { return }
    let start = offset
    while offset < bytes.count, StringGrammar.isPlain(bytes[offset]) { offset += 1 }
    if start < offset { text.append(bytes.extracting(start..<offset)) }
  }

  /// Takes a whole escape at once; what is wrong with another is found byte by byte.
  private mutating func takeEscape(
    _ bytes: Span<UInt8>, _ text: inout StringText, _ grammar: StringGrammar
  ) -> Bool {
    guard grammar.isPlain, offset + 1 < bytes.count, bytes[offset] == 0x5C else { return false }
    if let character = StringGrammar.character(escapedAs: bytes[offset + 1]) {
      text.append(unit: UInt16(character))
      offset += 2
      return true
    }
    guard bytes[offset + 1] == 0x75, offset + 6 <= bytes.count else { return false }
    var unit: UInt16 = 0
    for index in offset + 2..<offset + 6 {
      guard let digit = Hex.value(anyCase: bytes[index]) else { return false }
      unit = unit << 4 | UInt16(digit)
    }
    text.append(unit: unit)
    offset += 6
    return true
  }

  /// Most strings have no escape and are copied as they are. Nil leaves the offset: the slow way
  /// finds what is wrong.
  private mutating func plainString(_ bytes: Span<UInt8>) -> String? {
    var end = offset
    while end < bytes.count, bytes[end] >= 0x20, bytes[end] != 0x22, bytes[end] != 0x5C { end += 1 }
    guard end < bytes.count, bytes[end] == 0x22,
      let text = try? UTF8Span(validating: bytes.extracting(offset..<end))
    else { return nil }
    offset = end + 1
    return String(copying: text)
  }

  private mutating func number(
    _ bytes: Span<UInt8>, _ first: NumberGrammar
  ) throws(JSONFault) -> JSONNumber {
    var state = first
    var digits = [bytes[offset]]
    offset += 1
    while offset < bytes.count, let next = state.after(bytes[offset]) {
      state = next
      digits.append(bytes[offset])
      offset += 1
    }
    guard state.isWhole else { throw offset == bytes.count ? .unexpectedEnd : .number }
    return JSONNumber(text: String(decoding: digits, as: UTF8.self))
  }

  private mutating func literal(
    _ bytes: Span<UInt8>, _ name: StaticString, _ value: JSONValue
  ) throws(JSONFault) -> JSONValue {
    for byte in name.description.utf8 {
      guard offset < bytes.count else { throw .unexpectedEnd }
      guard bytes[offset] == byte else { throw .unexpected(bytes[offset], wanted: .literal) }
      offset += 1
    }
    return value
  }

  private mutating func comma(
    _ bytes: Span<UInt8>, wanted: JSONFault.Wanted
  ) throws(JSONFault) {
    let byte = try next(bytes)
    guard byte == 0x2C else { throw .unexpected(byte, wanted: wanted) }
    offset += 1
  }

  /// Takes `byte` when it is the next one after white space.
  private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    guard try next(bytes) == byte else { return false }
    offset += 1
    return true
  }

  /// The next byte after white space, not taken.
  private mutating func next(_ bytes: Span<UInt8>) throws(JSONFault) -> UInt8 {
    skipSpace(bytes)
    guard offset < bytes.count else { throw .unexpectedEnd }
    return bytes[offset]
  }

  private mutating func skipSpace(_ bytes: Span<UInt8>) {
    while offset < bytes.count, isJSONSpace(bytes[offset]) { offset += 1 }
  }
}

/// RFC 8259 §2.
func isJSONSpace(_ byte: UInt8) -> Bool {
  byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
}
