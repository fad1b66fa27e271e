/// Writing JSON: compact, UTF-8, `/` and everything printable as itself.
public enum JSONWriter {
  /// Appends `value`.
  public static func append(_ value: JSONValue, to bytes: inout [UInt8]) {
    write(value, canonically: false, to: &bytes)
  }

  /// Appends `text` as a string with its quotes.
  public static func append(string text: String, to bytes: inout [UInt8]) {
    let utf8 = text.utf8.span
    bytes.append(0x22)
    var start = 0
    for index in utf8.indices where !isPlain(utf8[index]) {
      if start < index { bytes.append(utf8.extracting(start..<index)) }
      append(escaped: utf8[index], to: &bytes)
      start = index + 1
    }
    bytes.append(utf8.extracting(start..<utf8.count))
    bytes.append(0x22)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x22 && byte != 0x5C
  }

  /// Appends a control character as it may stand in a string: raw, it would be no JSON.
  public static func append(controlAsEscape byte: UInt8, to bytes: inout [UInt8]) {
    append(escaped: byte, to: &bytes)
  }

  /// Appends the escape of a byte that is not plain in a string. Byte by byte: an array for each
  /// would be a block of memory for each.
  static func append(escaped byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(0x5C)
    switch byte {
    case 0x22, 0x5C: bytes.append(byte)
    case 0x08: bytes.append(0x62)
    case 0x0C: bytes.append(0x66)
    case 0x0A: bytes.append(0x6E)
    case 0x0D: bytes.append(0x72)
    case 0x09: bytes.append(0x74)
    default:
      bytes.append(0x75)
      bytes.append(0x30)
      bytes.append(0x30)
      bytes.append(Hex.digit(byte >> 4))
      bytes.append(Hex.digit(byte))
    }
  }

  fileprivate static func write(
    _ value: JSONValue, canonically: Bool, to bytes: inout [UInt8]
  ) {
    switch value {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .number(let value): bytes += (canonically ? value.canonical : value.text).utf8
    case .string(let text): append(string: text, to: &bytes)
    case .array(let elements):
      bytes.append(0x5B)
      for index in elements.indices {
        if index > 0 { bytes.append(0x2C) }
        write(elements[index], canonically: canonically, to: &bytes)
      }
      bytes.append(0x5D)
    case .object(let object):
      write(canonically ? sorted(object) : object.members, canonically: canonically, to: &bytes)
    }
  }

  private static func write(
    _ members: [JSONObject.Member], canonically: Bool, to bytes: inout [UInt8]
  ) {
    bytes.append(0x7B)
    for index in members.indices {
      if index > 0 { bytes.append(0x2C) }
      append(string: members[index].name, to: &bytes)
      bytes.append(0x3A)
      write(members[index].value, canonically: canonically, to: &bytes)
    }
    bytes.append(0x7D)
  }

  private static func sorted(_ object: JSONObject) -> [JSONObject.Member] {
    object.members.filter { !$0.value.isNull }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }
}

extension JSONValue: CustomStringConvertible {
  /// Compact JSON.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    JSONWriter.append(self, to: &bytes)
    return bytes
  }

  /// One text for all that is the same request (API.md §3): members sorted by their bytes, those
  /// that are null dropped, numbers in one spelling. Nulls in arrays stay, they hold places.
  public var canonicalBytes: [UInt8] {
    var bytes: [UInt8] = []
    JSONWriter.write(self, canonically: true, to: &bytes)
    return bytes
  }

  /// Compact JSON.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
