/// A number as its source wrote it: nothing is lost on the way through (`12.0`, 40 digits,
/// `1e400`).
public struct JSONNumber: Hashable, Sendable {
  /// The text, in JSON's grammar.
  public let text: String

  init(text: String) { self.text = text }

  /// An integer.
  public init(_ value: some BinaryInteger) { text = String(value) }

  /// A finite number; nil for infinities and NaN, which JSON cannot say.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    text = "\(value)"
  }

  /// The value when it is whole and fits: `12`, `12.0` and `1.2e1` are all 12.
  public var int: Int? { CanonicalDecimal(text)?.int }

  /// The nearest double, or nil when there is no finite one.
  public var double: Double? {
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// One text for every spelling of a value (`1`, `1.0` and `10e-1`; `0` and `-0`).
  public var canonical: String { CanonicalDecimal(text)?.canonical ?? text }
}

/// ± digits × 10^exponent, without zeros at either end of the digits; zero has no digits.
private struct CanonicalDecimal {
  private var isNegative = false
  private var digits: [UInt8] = []
  private var exponent = 0

  /// Nil for exponents beyond ± 10⁹: such a number is equal to its own spelling only.
  init?(_ text: String) {
    var pointShift = 0
    var written = 0
    var isWrittenNegative = false
    var place = Place.integer
    for byte in text.utf8 {
      switch (byte, place) {
      case (0x2D, .integer): isNegative = true
      case (0x2E, _): place = .fraction
      case (0x65, _), (0x45, _): place = .exponent
      case (0x2D, _): isWrittenNegative = true
      case (0x30...0x39, .exponent):
        written = written * 10 + Int(byte - 0x30)
        guard written <= 1_000_000_000 else { return nil }
      case (0x30...0x39, _):
        if place == .fraction { pointShift += 1 }
        if byte != 0x30 || !digits.isEmpty { digits.append(byte) }
      default: break
      }
    }
    exponent = (isWrittenNegative ? -written : written) - pointShift
    while digits.last == 0x30 {
      digits.removeLast()
      exponent += 1
    }
  }

  private enum Place {
    case integer
    case fraction
    case exponent
  }

  var int: Int? {
    guard !digits.isEmpty else { return 0 }
    guard exponent >= 0, digits.count + exponent <= 19 else { return nil }
    var value = 0
    for digit in digits + [UInt8](repeating: 0x30, count: exponent) {
      let (shifted, over) = value.multipliedReportingOverflow(by: 10)
      let part = Int(digit - 0x30)
      let (sum, above) = shifted.addingReportingOverflow(isNegative ? -part : part)
      guard !over, !above else { return nil }
      value = sum
    }
    return value
  }

  var canonical: String {
    guard !digits.isEmpty else { return "0" }
    let sign = isNegative ? "-" : ""
    let number = String(decoding: digits, as: UTF8.self)
    guard exponent >= 0, digits.count + exponent <= 20 else {
      return "\(sign)\(number)e\(exponent)"
    }
    return sign + number + String(repeating: "0", count: exponent)
  }
}
