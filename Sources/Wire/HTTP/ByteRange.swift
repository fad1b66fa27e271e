// Range requests (RFC 9110 §14): one range of bytes, or the whole.

/// What a Range field asks of a representation.
public enum ByteRange: Sendable, Equatable {
  /// Answer 200 with everything: no range, one that is malformed, or several.
  case whole
  /// Answer 206 with `length` bytes from `offset`; `length` is at least 1.
  case part(offset: Int64, length: Int64)
  /// Answer 416: the range starts behind the last byte.
  case unsatisfiable

  /// Reads `bytes=a-b`, `bytes=a-` or `bytes=-n` against a representation of `size` bytes.
  ///
  /// Numbers of any length are read; what does not fit is larger than any size (RFC 9110 §14.1.1).
  public init(_ value: Span<UInt8>, size: Int64) {
    self = .whole
    // Range units are case-insensitive (RFC 9110 §14.1).
    guard value.count > 6, value[5] == 0x3D, ByteScan.equalsIgnoringCase(value, 0..<5, "bytes")
    else { return }
    var index = 6
    let first = Self.number(value, &index)
    guard index < value.count, value[index] == 0x2D else { return }
    index += 1
    let last = Self.number(value, &index)
    guard index == value.count else { return }
    switch (first, last) {
    case (nil, nil): return
    case (let first?, let last) where last.map({ $0 < first }) ?? false: return
    case (let first?, let last):
      guard first < size else {
        self = .unsatisfiable
        return
      }
      self = .part(offset: first, length: min(last ?? .max, size - 1) - first + 1)
    case (nil, let suffix?):
      guard suffix > 0 else {
        self = .unsatisfiable
        return
      }
      guard size > 0 else { return }
      let length = min(suffix, size)
      self = .part(offset: size - length, length: length)
    }
  }

  /// The digits at `index`, at most `Int64.max`; `nil` when there are none.
  private static func number(_ value: Span<UInt8>, _ index: inout Int) -> Int64? {
    let start = index
    var number: Int64 = 0
    while index < value.count, value[index].isDigit {
      let (tens, over) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(value[index] - 0x30))
      number = over || carry || number == .max ? .max : sum
      index += 1
    }
    return index > start ? number : nil
  }
}
