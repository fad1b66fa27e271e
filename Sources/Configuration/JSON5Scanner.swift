// The tokens of JSON5: white space and comments, identifiers, strings, numbers.

extension JSON5Parser {
  /// Skips white space and comments (JSON5 §8 and §7).
  mutating func skipSpace() throws(JSON5Failure) {
    while let byte = peek() {
      if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) {
        offset += 1
      } else if byte == UInt8(ascii: "/") {
        try skipComment()
      } else if byte >= 0x80, let (scalar, length) = scalar(), scalar.isJSON5Space {
        offset += length
      } else {
        return
      }
    }
  }

  private mutating func skipComment() throws(JSON5Failure) {
    let start = offset
    switch peek(1) {
    case UInt8(ascii: "/"):
      while let byte = peek(), byte != 0x0A, byte != 0x0D {
        if byte == 0xE2, let (scalar, _) = scalar(), scalar.isLineSeparator { return }
        offset += 1
      }
    case UInt8(ascii: "*"):
      offset += 2
      while let byte = peek() {
        offset += 1
        if byte == UInt8(ascii: "*"), take(UInt8(ascii: "/")) { return }
      }
      throw failure("\"/*\" is never closed", at: start)
    default: throw failure("a comment begins with // or /*", at: start)
    }
  }

  /// The scalar at `offset` and its length in bytes; the whole file is valid UTF-8.
  private func scalar() -> (Unicode.Scalar, Int)? {
    guard let first = peek() else { return nil }
    let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = length == 1 ? UInt32(first) : UInt32(first & (0x7F >> UInt8(length)))
    for ahead in 1..<max(length, 1) {
      guard let byte = peek(ahead) else { return nil }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    return Unicode.Scalar(value).map { ($0, length) }
  }

  /// An ECMAScript 5.1 IdentifierName, `\uXXXX` included; nil when none starts here.
  mutating func identifier() throws(JSON5Failure) -> String? {
    var name = String.UnicodeScalarView()
    while true {
      let start = offset
      var next: Unicode.Scalar
      if peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") {
        offset += 2
        guard let escaped = Unicode.Scalar(try hexDigits(4)) else {
          throw failure("half of a surrogate pair is not a character", at: start)
        }
        next = escaped
      } else if let (plain, length) = scalar() {
        next = plain
        offset += length
      } else {
        break
      }
      guard name.isEmpty ? next.startsIdentifier : next.continuesIdentifier else {
        offset = start
        break
      }
      name.append(next)
    }
    return name.isEmpty ? nil : String(name)
  }

  private mutating func hexDigits(_ count: Int) throws(JSON5Failure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = peek()?.hexValue else {
        throw failure("expected \(count) hex digits in this escape", at: offset)
      }
      value = value << 4 | digit
      offset += 1
    }
    return value
  }

  /// A string in single or double quotes (JSON5 §5).
  mutating func string() throws(JSON5Failure) -> String {
    let start = offset
    let quote = bytes[offset]
    offset += 1
    var content: [UInt8] = []
    while let byte = peek() {
      offset += 1
      switch byte {
      case quote: return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &content)
      case 0x0A, 0x0D: throw failure("this string does not end on its line", at: start)
      default: content.append(byte)
      }
    }
    throw failure("this string never ends", at: start)
  }

  /// One escape; the backslash is behind us.
  private mutating func escape(into content: inout [UInt8]) throws(JSON5Failure) {
    let start = offset - 1
    guard let byte = peek() else { throw failure("this string never ends", at: start) }
    offset += 1
    switch byte {
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "v"): content.append(0x0B)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "0") where !(peek()?.isDigit ?? false): content.append(0)
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      throw failure("octal escapes are not JSON5", at: start)
    case UInt8(ascii: "x"): append(try hexDigits(2), to: &content)
    case UInt8(ascii: "u"): append(try unicodeEscape(from: start), to: &content)
    case 0x0D: _ = take(0x0A)  // a line continuation
    case 0x0A: break
    case 0xE2 where peek() == 0x80 && (peek(1) == 0xA8 || peek(1) == 0xA9): offset += 2
    default: content.append(byte)
    }
  }

  private mutating func unicodeEscape(from start: Int) throws(JSON5Failure) -> UInt32 {
    let first = try hexDigits(4)
    guard (0xD800...0xDFFF).contains(first) else { return first }
    guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      throw failure("half of a surrogate pair is not a character", at: start)
    }
    let second = try hexDigits(4)
    guard (0xDC00...0xDFFF).contains(second) else {
      throw failure("half of a surrogate pair is not a character", at: start)
    }
    return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
  }

  private func append(_ value: UInt32, to content: inout [UInt8]) {
    guard let scalar = Unicode.Scalar(value) else { return }
    content.append(contentsOf: String(scalar).utf8)
  }

  /// A number (JSON5 §6): decimal or hex, a sign, a dot at either end, Infinity and NaN.
  mutating func number() throws(JSON5Failure) -> JSON5Number {
    let start = offset
    let isNegative = peek() == UInt8(ascii: "-")
    if isNegative || peek() == UInt8(ascii: "+") { offset += 1 }
    var number: JSON5Number
    if peek() == UInt8(ascii: "0"), peek(1).map({ $0 | 0x20 }) == UInt8(ascii: "x") {
      number = try hexNumber(isNegative, from: start)
    } else if peek()?.isDigit ?? false || peek() == UInt8(ascii: ".") {
      number = try decimalNumber(isNegative, from: start)
    } else {
      let name = try identifier() ?? ""
      guard name == "Infinity" || name == "NaN" else {
        throw failure("expected digits after the sign", at: start)
      }
      let double = name == "NaN" ? Double.nan : isNegative ? -Double.infinity : .infinity
      number = JSON5Number(text: text(from: start), double: double, integer: nil)
    }
    if let tail = try identifier() {
      let all = number.text + tail
      throw failure("not a number; a size or a time needs quotes: \(quoted(all))", at: start)
    }
    return number
  }

  private func text(from start: Int) -> String {
    String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func hexNumber(
    _ isNegative: Bool, from start: Int
  ) throws(JSON5Failure) -> JSON5Number {
    offset += 2
    let digits = offset
    var exact: Int64? = 0
    var double = 0.0
    while let digit = peek()?.hexValue {
      double = double * 16 + Double(digit)
      exact = exact.flatMap {
        let (product, isOver) = $0.multipliedReportingOverflow(by: 16)
        let (sum, isOverToo) = product.addingReportingOverflow(Int64(digit))
        return isOver || isOverToo ? nil : sum
      }
      offset += 1
    }
    guard offset > digits else { throw failure("expected hex digits after 0x", at: start) }
    return JSON5Number(
      text: text(from: start), double: isNegative ? -double : double,
      integer: exact.map { isNegative ? -$0 : $0 })
  }

  private mutating func decimalNumber(
    _ isNegative: Bool, from start: Int
  ) throws(JSON5Failure) -> JSON5Number {
    let digits = offset
    let whole = skipDigits()
    if whole > 1, bytes[digits] == UInt8(ascii: "0") {
      throw failure("a number does not begin with 0; octal is not JSON5", at: start)
    }
    var isPlain = true
    if take(UInt8(ascii: ".")) {
      isPlain = false
      guard skipDigits() + whole > 0 else { throw failure("expected digits", at: start) }
    }
    if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
      isPlain = false
      offset += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { offset += 1 }
      guard skipDigits() > 0 else { throw failure("expected digits in the exponent", at: start) }
    }
    let text = text(from: start)
    let double = Double(text) ?? .nan
    let exact = isPlain ? Int64(text) : nil
    // Below 2^53 a whole double is exact.
    let isWhole = !isPlain && double.rounded() == double && double.magnitude < 0x1p53
    return JSON5Number(text: text, double: double, integer: isWhole ? Int64(double) : exact)
  }

  private mutating func skipDigits() -> Int {
    let start = offset
    while let byte = peek(), byte.isDigit { offset += 1 }
    return offset - start
  }
}

extension Unicode.Scalar {
  var isLineSeparator: Bool { value == 0x2028 || value == 0x2029 }

  /// White space beyond ASCII: no-break space, byte order mark, separators (JSON5 §8).
  var isJSON5Space: Bool {
    value == 0xFEFF || isLineSeparator || properties.generalCategory == .spaceSeparator
  }

  var startsIdentifier: Bool {
    self == "$" || self == "_" || properties.isIDStart
  }

  var continuesIdentifier: Bool {
    startsIdentifier || properties.isIDContinue || value == 0x200C || value == 0x200D
  }
}
