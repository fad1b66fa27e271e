/// Hexadecimal, written in lower case. Ids and digests have one spelling, so reading refuses upper
/// case.
public enum Hex {
  /// The digit for a value of 0…15; higher bits are ignored.
  @inlinable
  public static func digit(_ value: UInt8) -> UInt8 {
    let low = value & 15
    return low < 10 ? 0x30 + low : 0x57 + low
  }

  /// The value of a lower case digit, or nil.
  @inlinable
  public static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }

  /// The value of a digit of either case, for formats that are not ours (`%2F`, `\u00E9`, chunk
  /// sizes).
  @inlinable
  public static func value(anyCase digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }

  /// Two lower case digits per byte.
  public static func encode(_ bytes: Span<UInt8>) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(bytes.count * 2)
    for index in bytes.indices {
      digits.append(digit(bytes[index] >> 4))
      digits.append(digit(bytes[index]))
    }
    return String(decoding: digits, as: UTF8.self)
  }

  /// The bytes of an even number of lower case digits, or nil.
  public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2)
    var index = 0
    while index < text.count {
      guard let high = value(text[index]), let low = value(text[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
      index += 2
    }
    return bytes
  }
}
