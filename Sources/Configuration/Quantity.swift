// Sizes and times as people write them: `"50GB"`, `"512MiB"`, `"10m"`, `"30d"`. Also used for what
// requests and flags carry (`"ttl":"72h"`, `--quota 50GB`), so hostile text must be harmless.

/// Why a text is not a size or a time; a sentence that says what to write instead.
public struct QuantityFailure: Error, Equatable, Sendable {
  /// The sentence, without the text itself.
  public let message: String
}

/// Reads and writes sizes and times.
public enum Quantity {
  /// The longest time that is accepted: 100 years of 365 days.
  public static let longest: Duration = .seconds(36_500 * 86_400)

  private static let sizeUnits: [(name: String, bytes: Int64)] = [
    ("B", 1), ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000), ("PB", 1_000_000_000_000_000),
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50),
  ]

  private static let timeUnits: [(name: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// Bytes of `"50GB"` (10⁹), `"512MiB"` (2²⁰), `"1.5GiB"`, `"1024"`.
  ///
  /// - Throws: when it is not a whole, non-negative number of bytes that fits 63 bits.
  public static func bytes(_ text: String) throws(QuantityFailure) -> Int64 {
    let form = "a number of bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB"
    guard let (amount, unit) = split(text) else {
      throw QuantityFailure(message: "is not a size: \(form)")
    }
    guard let scale = unit.isEmpty ? 1 : sizeUnits.first(where: { $0.name == unit })?.bytes else {
      let likely = sizeUnits.filter { $0.name.lowercased().hasPrefix(unit.lowercased()) }
        .map(\.name).filter { $0 != "KB" }
      let hint = likely.isEmpty ? form : "say " + likely.joined(separator: " or ")
      throw QuantityFailure(message: "has an unknown unit: \(hint)")
    }
    guard let value = amount.times(scale) else {
      throw QuantityFailure(message: "is not a whole number of bytes below 2^63")
    }
    return value
  }

  /// The time of `"500ms"`, `"90s"`, `"10m"`, `"24h"`, `"30d"`, or seconds without a unit.
  ///
  /// - Throws: when it is not a whole number of milliseconds from 0 to 100 years.
  public static func time(_ text: String) throws(QuantityFailure) -> Duration {
    let form = "seconds, or a number with ms, s, m, h or d, such as \"10m\""
    guard let (amount, unit) = split(text) else {
      throw QuantityFailure(message: "is not a time: \(form)")
    }
    guard
      let scale = unit.isEmpty ? 1_000 : timeUnits.first(where: { $0.name == unit })?.milliseconds
    else { throw QuantityFailure(message: "is not a time: \(form)") }
    guard let value = amount.times(scale), .milliseconds(value) <= longest else {
      throw QuantityFailure(message: "is not a whole number of milliseconds up to 100 years")
    }
    return .milliseconds(value)
  }

  /// `1GiB`, `50GB`, `1500`: the shortest exact spelling.
  public static func text(bytes: Int64) -> String {
    let whole = sizeUnits.filter { $0.name != "KB" && bytes >= $0.bytes && bytes % $0.bytes == 0 }
    guard let unit = whole.max(by: { $0.bytes < $1.bytes }), unit.bytes > 1 else {
      return "\(bytes)"
    }
    return "\(bytes / unit.bytes)\(unit.name)"
  }

  /// `10m`, `24h`, `30d`, `1500ms`: the largest unit that is exact (a day only from two on).
  public static func text(_ time: Duration) -> String {
    let value = time.nanoseconds / 1_000_000
    for unit in timeUnits.reversed() where value % unit.milliseconds == 0 && value > 0 {
      if unit.name == "d", value == unit.milliseconds { continue }
      return "\(value / unit.milliseconds)\(unit.name)"
    }
    return "0s"
  }

  /// A decimal number: `digits` × 10^-`decimals`.
  private struct Amount {
    var digits: Int64 = 0
    var decimals = 0

    mutating func append(_ digit: UInt8) -> Bool {
      let (product, isOver) = digits.multipliedReportingOverflow(by: 10)
      let (sum, isOverToo) = product.addingReportingOverflow(Int64(digit))
      digits = sum
      return !isOver && !isOverToo
    }

    /// The product with a unit; nil when it is not whole or does not fit.
    func times(_ scale: Int64) -> Int64? {
      var power: Int128 = 1
      for _ in 0..<decimals { power *= 10 }
      // Below 2^63 × 2^50.
      let (quotient, rest) = (Int128(digits) * Int128(scale)).quotientAndRemainder(
        dividingBy: power)
      return rest == 0 ? Int64(exactly: quotient) : nil
    }
  }

  /// The number and the unit after it (one space may stand between them).
  private static func split(_ text: String) -> (Amount, unit: String)? {
    let bytes = Array(text.utf8.prefix(64))
    guard bytes.count == text.utf8.count else { return nil }
    var amount = Amount()
    var offset = 0
    var hasDot = false
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte.isDigit {
        guard amount.decimals < 9, amount.append(byte - 0x30) else { return nil }
        if hasDot { amount.decimals += 1 }
      } else if byte == UInt8(ascii: "."), !hasDot, offset > 0 {
        hasDot = true
      } else {
        break
      }
      offset += 1
    }
    guard offset > 0, !hasDot || amount.decimals > 0 else { return nil }
    if offset < bytes.count - 1, bytes[offset] == 0x20 { offset += 1 }
    return (amount, String(decoding: bytes[offset...], as: UTF8.self))
  }
}

extension Duration {
  /// Whole nanoseconds; times of more than 292 years are cut there.
  public var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isOverToo) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return isOver || isOverToo ? (seconds < 0 ? .min : .max) : sum
  }

  /// Whole seconds, a part of one counting as one (a time to live of 500 ms is not none).
  public var wholeSeconds: Int64 {
    let (seconds, attoseconds) = components
    return attoseconds > 0 ? seconds + 1 : seconds
  }
}
