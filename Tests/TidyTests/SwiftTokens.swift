// A light tokenizer: enough of Swift's grammar to tell code from comments and strings. Rules look
// at tokens, so that prose and sample code in strings are never mistaken for code.

/// One token of Swift code.
struct Token: Equatable {
  enum Kind { case word, mark, string }

  let kind: Kind
  /// A word as written, a mark's one character, or nothing for a string.
  let text: String
  /// What a string says, as written, without the code of its interpolations.
  var content = ""
  /// From 1.
  let line: Int
  /// Whether no white space and no comment stands between this token and the one before it.
  let isAttached: Bool
}

/// Splits Swift code into tokens; the code inside of string interpolations counts.
struct SwiftTokenizer {
  private let bytes: [UInt8]
  private var offset = 0
  private var line = 1
  private var isAttached = false
  private var tokens: [Token] = []

  static func tokens(of text: String) -> [Token] {
    var tokenizer = SwiftTokenizer(bytes: Array(text.utf8))
    tokenizer.code(untilParenthesis: false)
    return tokenizer.tokens
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func peek(_ ahead: Int = 0) -> UInt8? {
    offset + ahead < bytes.count ? bytes[offset + ahead] : nil
  }

  private mutating func advance() {
    if bytes[offset] == UInt8(ascii: "\n") { line += 1 }
    offset += 1
  }

  private mutating func add(_ kind: Token.Kind, _ text: String, line: Int) {
    tokens.append(Token(kind: kind, text: text, line: line, isAttached: isAttached))
    isAttached = true
  }

  /// Reads code to the end, or to the parenthesis that closes an interpolation.
  private mutating func code(untilParenthesis: Bool) {
    var depth = 0
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
        isAttached = false
        advance()
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"): lineComment()
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): blockComment()
      case UInt8(ascii: "\""): string(hashes: 0)
      case UInt8(ascii: "#") where hashesBeforeQuote > 0: string(hashes: hashesBeforeQuote)
      case UInt8(ascii: "`"): quotedName()
      case _ where byte.isWord: word()
      default:
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") { depth -= 1 }
        if untilParenthesis, depth < 0 { return }
        add(.mark, String(Unicode.Scalar(byte)), line: line)
        advance()
      }
    }
  }

  private mutating func word() {
    let start = offset
    while let byte = peek(), byte.isWord { offset += 1 }
    add(.word, String(decoding: bytes[start..<offset], as: UTF8.self), line: line)
  }

  /// A name in backticks is a name, whatever words it is made of.
  private mutating func quotedName() {
    advance()
    while let byte = peek(), byte != UInt8(ascii: "`") { advance() }
    if peek() != nil { advance() }
    add(.word, "`", line: line)
  }

  private mutating func lineComment() {
    while let byte = peek(), byte != UInt8(ascii: "\n") { offset += 1 }
    isAttached = false
  }

  private mutating func blockComment() {
    var depth = 0
    while peek() != nil {
      if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        depth += 1
        offset += 2
      } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        depth -= 1
        offset += 2
        if depth == 0 { break }
      } else {
        advance()
      }
    }
    isAttached = false
  }

  /// The number of `#` here when a quote follows them, else 0.
  private var hashesBeforeQuote: Int {
    var count = 0
    while peek(count) == UInt8(ascii: "#") { count += 1 }
    return peek(count) == UInt8(ascii: "\"") ? count : 0
  }

  private func isQuote(_ count: Int, hashes: Int) -> Bool {
    (0..<count).allSatisfy { peek($0) == UInt8(ascii: "\"") }
      && (0..<hashes).allSatisfy { peek(count + $0) == UInt8(ascii: "#") }
  }

  private mutating func string(hashes: Int) {
    add(.string, "", line: line)
    let token = tokens.count - 1
    var content: [UInt8] = []
    defer { tokens[token].content = String(decoding: content, as: UTF8.self) }
    offset += hashes
    let quotes = isQuote(3, hashes: 0) ? 3 : 1
    offset += quotes
    while let byte = peek() {
      if isQuote(quotes, hashes: hashes) {
        offset += quotes + hashes
        return
      }
      let isEscape =
        byte == UInt8(ascii: "\\") && (0..<hashes).allSatisfy { peek(1 + $0) == UInt8(ascii: "#") }
      if isEscape, peek(1 + hashes) == UInt8(ascii: "(") {
        offset += 2 + hashes
        isAttached = false
        code(untilParenthesis: true)
        if peek() != nil { advance() }
        continue
      } else if isEscape, peek(1 + hashes) != nil {
        offset += 1 + hashes
      }
      if let byte = peek() {
        content.append(byte)
        advance()
      }
    }
  }
}

extension UInt8 {
  fileprivate var isWord: Bool {
    (self | 0x20 >= 0x61 && self | 0x20 <= 0x7A) || (self >= 0x30 && self <= 0x39) || self == 0x5F
      || self >= 0x80
  }
}
