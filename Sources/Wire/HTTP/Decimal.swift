// Numbers as HTTP writes them: `1*DIGIT`, no sign, no white space (Swift's `Int("+5")` is 5).

/// Decimal numbers in bytes.
enum Decimal {
  /// The number that `range` spells in digits alone; `nil` when it is empty, holds anything else or
  /// does not fit in 63 bits. Leading zeros are allowed.
  static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
    guard !range.isEmpty else { return nil }
    var value: Int64 = 0
    for index in range {
      guard bytes[index].isDigit else { return nil }
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(bytes[index] - 0x30))
      if over || carry { return nil }
      value = sum
    }
    return value
  }
}
