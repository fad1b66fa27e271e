// Content-Type (RFC 9110 §8.3): what a body claims to be. Images are told by their bytes, never by
// this; it tells JSON from multipart from raw bytes.

/// A media type with its parameters, as ranges of a field value.
public struct ContentType: Sendable {
  /// How many parameters a value may have.
  public static var maxParameters: Int { 16 }
  /// How many bytes a value may have.
  public static var maxLength: Int { 1024 }

  /// Where `type/subtype` stands.
  public let essence: Range<Int>
  private let slash: Int
  private let end: Int

  /// Reads a field value; `nil` when it is malformed anywhere or larger than the limits.
  public init?(_ value: Span<UInt8>) {
    guard value.count <= Self.maxLength else { return nil }
    var index = 0
    let start = Self.token(value, &index)
    guard !start.isEmpty, index < value.count, value[index] == 0x2F else { return nil }
    slash = index
    index += 1
    guard !Self.token(value, &index).isEmpty else { return nil }
    essence = 0..<index
    end = value.count
    var count = 0
    while index < value.count {
      guard Self.parameter(value, &index) != nil else { return nil }
      count += 1
      guard count <= Self.maxParameters else { return nil }
    }
  }

  /// Whether this is the given `type/subtype`, written in lowercase.
  public func matches(_ expected: StaticString, in value: Span<UInt8>) -> Bool {
    ByteScan.equalsIgnoringCase(value, essence, expected)
  }

  /// Whether the type before the slash is the given one, written in lowercase.
  public func hasType(_ expected: StaticString, in value: Span<UInt8>) -> Bool {
    ByteScan.equalsIgnoringCase(value, 0..<slash, expected)
  }

  /// A parameter's value without its quoting; `nil` when it is absent or repeated. The name is
  /// given in lowercase. Allocates.
  public func parameter(_ name: StaticString, in value: Span<UInt8>) -> [UInt8]? {
    var index = essence.upperBound
    var found: Range<Int>?
    while index < end, let parameter = Self.parameter(value, &index) {
      guard let parameter = parameter else { continue }
      guard ByteScan.equalsIgnoringCase(value, parameter.name, name) else { continue }
      guard found == nil else { return nil }
      found = parameter.value
    }
    return found.map { Self.unquoted(value, $0) }
  }

  /// Reads `OWS ; OWS [ name = value ]` (RFC 9110 §5.6.6). The outer optional is a fault, the inner
  /// one an empty parameter.
  private static func parameter(
    _ value: Span<UInt8>, _ index: inout Int
  ) -> (name: Range<Int>, value: Range<Int>)?? {
    while index < value.count, value[index].isBlank { index += 1 }
    guard index < value.count else { return .some(nil) }
    guard value[index] == 0x3B else { return nil }
    index += 1
    while index < value.count, value[index].isBlank { index += 1 }
    guard index < value.count, value[index] != 0x3B else { return .some(nil) }
    let name = token(value, &index)
    guard !name.isEmpty, index < value.count, value[index] == 0x3D else { return nil }
    index += 1
    guard index < value.count, value[index] == 0x22 else {
      let plain = token(value, &index)
      return plain.isEmpty ? nil : (name, plain)
    }
    return quotedString(value, &index).map { (name, $0) }
  }

  /// Reads a token, possibly empty.
  private static func token(_ value: Span<UInt8>, _ index: inout Int) -> Range<Int> {
    let start = index
    while index < value.count, value[index].isToken { index += 1 }
    return start..<index
  }

  /// Reads a quoted string (RFC 9110 §5.6.4), its quotes included.
  private static func quotedString(_ value: Span<UInt8>, _ index: inout Int) -> Range<Int>? {
    let start = index
    index += 1
    while index < value.count, value[index] != 0x22 {
      if value[index] == 0x5C { index += 1 }
      guard index < value.count, value[index] >= 0x20 || value[index] == 0x09,
        value[index] != 0x7F
      else { return nil }
      index += 1
    }
    guard index < value.count else { return nil }
    index += 1
    return start..<index
  }

  private static func unquoted(_ value: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    guard let first = range.first, value[first] == 0x22 else {
      return range.map { value[$0] }
    }
    var bytes: [UInt8] = []
    var index = range.lowerBound + 1
    while index < range.upperBound - 1 {
      if value[index] == 0x5C, index + 1 < range.upperBound - 1 { index += 1 }
      bytes.append(value[index])
      index += 1
    }
    return bytes
  }
}
