// The head of a response as a client reads it (RFC 9112 §4, §6.3). Tolerant where the RFC asks a
// client to be (white space before a colon, no reason phrase, equal Content-Lengths, folded lines),
// strict where two readers could disagree on where the body ends. Where an answer says chunked and
// more, chunked wins and the connection is not used again (§6.3, rule 3): what was paid for must
// not be lost to a careless proxy.

/// Why a response head is refused: answer 502 and close.
public enum ResponseRejection: UInt8, Error, CaseIterable, Sendable {
  /// No status line of HTTP/1, or a status that is no number from 100 to 999.
  case badStatusLine
  /// More than `ResponseHead.maxStatusLine` bytes.
  case statusLineTooLong
  /// A CR or LF that is not part of a CRLF.
  case bareLineEnd
  /// A control character.
  case controlCharacter
  /// A line that starts with white space and continues none, or too many of them.
  case obsoleteFold
  /// A field name that is empty, has no colon or is no token.
  case badFieldName
  /// A header section of too many bytes.
  case fieldsTooLarge
  /// Too many header lines.
  case tooManyFields
  /// Content-Lengths that differ or are no numbers of at most 63 bits.
  case badContentLength
  /// Another transfer coding than `chunked`.
  case badTransferEncoding

  init(_ fault: FieldSection.Fault) {
    self =
      switch fault {
      case .bareLineEnd: .bareLineEnd
      case .controlCharacter: .controlCharacter
      case .obsoleteFold: .obsoleteFold
      case .spaceBeforeColon, .badName: .badFieldName
      case .tooLarge: .fieldsTooLarge
      case .tooMany: .tooManyFields
      }
  }
}

/// How the body of a response is delimited (RFC 9112 §6.3).
public enum ResponseBody: Sendable, Equatable {
  /// There is none: 1xx, 204, 304, or the answer to a HEAD.
  case none
  /// Content-Length: this many bytes; may be zero.
  case length(Int64)
  /// Transfer-Encoding: chunked.
  case chunked
  /// It ends when the server closes.
  case untilClose
}

/// A response head as offsets into the bytes it was parsed from. Reusable; allocates only for more
/// than 100 header lines.
///
/// Call `parse` with the bytes from the head's first one on, again with more of them while it
/// answers `incomplete`. The next call after an end starts anew.
public struct ResponseHead: Sendable {
  /// Bytes of the status line without its CRLF.
  public static var maxStatusLine: Int { 8 * 1024 }
  /// Bytes of the header section with its closing empty line.
  public static var maxHeaderSection: Int { 47 * 1024 }
  /// Header lines; proxies add dozens.
  public static var maxFields: Int { 256 }
  /// Folded lines.
  public static var maxFolds: Int { 64 }

  /// What a parse found.
  public enum Outcome: Sendable, Equatable {
    /// The head is whole; the body starts at this offset.
    case complete(headLength: Int)
    /// More bytes are needed.
    case incomplete
    /// A folded line (RFC 9112 §5.2): write spaces over its two bytes at this place, then go on.
    case unfold(at: Int)
    /// The server can not be understood.
    case reject(ResponseRejection)
  }

  private enum Phase: UInt8 {
    case statusLine, fields, finished
  }

  private var phase = Phase.statusLine
  private var scan = 0
  private var sectionStart = 0

  /// The status code, 100 to 999.
  public private(set) var status = 0
  /// Whether the version is HTTP/1.1 or a later HTTP/1.x (else HTTP/1.0).
  public private(set) var isHTTP11 = true
  /// The first `FieldSection.capacity` header fields.
  private(set) var fields = FieldSection()
  /// The further ones, in order.
  private(set) var further: [FieldSection] = []
  private var folds = 0
  /// How the body is delimited.
  public private(set) var body = ResponseBody.none
  /// Whether the connection can be used again once the body has been read (RFC 9112 §9.3).
  public private(set) var keepsAlive = false

  /// A head to parse into.
  public init() {}

  /// Whether this is an interim response (1xx): another head follows.
  public var isInterim: Bool { status < 200 }

  /// Forgets a head that was left incomplete.
  public mutating func reset() {
    phase = .statusLine
    scan = 0
    further = []
    folds = 0
    body = .none
    keepsAlive = false
  }

  /// Parses, or goes on parsing, the head at the start of `bytes`, which answers a HEAD or not.
  public mutating func parse(_ bytes: Span<UInt8>, answersHead: Bool) -> Outcome {
    if phase == .finished { reset() }
    do throws(ResponseRejection) {
      if phase == .statusLine {
        guard try statusLine(bytes) else { return .incomplete }
      }
      switch try section(bytes) {
      case .done(let end):
        phase = .finished
        try judgeFraming(bytes, answersHead: answersHead)
        return .complete(headLength: end)
      case .unfold(let place): return .unfold(at: place)
      case .incomplete: return .incomplete
      }
    } catch {
      phase = .finished
      return .reject(error)
    }
  }

  private enum Step {
    case done(end: Int)
    case unfold(at: Int)
    case incomplete
  }

  /// Reads header lines, in as many sections as they need.
  private mutating func section(_ bytes: Span<UInt8>) throws(ResponseRejection) -> Step {
    while true {
      let room = Self.maxFields - further.count * FieldSection.capacity
      let rules = FieldSection.Rules(
        bytes: sectionStart + Self.maxHeaderSection - (further.last ?? fields).start,
        fields: min(room, FieldSection.capacity), dropsSpaceBeforeColon: true)
      switch withLast({ $0.parse(bytes, rules) }) {
      case .done(let end): return .done(end: end)
      case .incomplete: return .incomplete
      case .fault(.tooMany) where room > FieldSection.capacity:
        var next = FieldSection()
        next.reset(start: (further.last ?? fields).currentLine)
        further.append(next)
      case .fault(.obsoleteFold) where folds < Self.maxFolds:
        folds += 1
        guard let fold = withLast({ $0.unfold() }) else { throw .obsoleteFold }
        return .unfold(at: fold.lowerBound)
      case .fault(let fault): throw ResponseRejection(fault)
      }
    }
  }

  private mutating func withLast<R>(_ body: (inout FieldSection) -> R) -> R {
    further.isEmpty ? body(&fields) : body(&further[further.count - 1])
  }

  /// Reads the status line; `false` when there are too few bytes.
  private mutating func statusLine(_ bytes: Span<UInt8>) throws(ResponseRejection) -> Bool {
    let window = min(bytes.count, Self.maxStatusLine + 1)
    while true {
      scan = ByteScan.control(bytes, scan, window)
      guard scan < window else {
        if scan > Self.maxStatusLine { throw .statusLineTooLong }
        return false
      }
      guard bytes[scan] == 0x09 else { break }
      scan += 1
    }
    guard bytes[scan] == .carriageReturn else {
      throw bytes[scan] == .lineFeed ? .bareLineEnd : .controlCharacter
    }
    guard scan + 1 < bytes.count else { return false }
    guard bytes[scan + 1] == .lineFeed else { throw .bareLineEnd }
    try readStatus(bytes, scan)
    sectionStart = scan + 2
    fields.reset(start: sectionStart)
    phase = .fields
    return true
  }

  /// `HTTP/1.x SP 3DIGIT [ SP reason ]`; the space before an absent reason may be missing too.
  private mutating func readStatus(
    _ bytes: Span<UInt8>, _ end: Int
  ) throws(ResponseRejection) {
    guard end >= 12, ByteScan.equals(bytes, 0..<7, "HTTP/1."), bytes[7].isDigit, bytes[8] == 0x20,
      let code = Decimal.parse(bytes, 9..<12), code >= 100, end == 12 || bytes[12] == 0x20
    else { throw .badStatusLine }
    isHTTP11 = bytes[7] != 0x30
    status = Int(code)
  }

  /// How the body is delimited, in the order of RFC 9112 §6.3; whether the connection is kept.
  private mutating func judgeFraming(
    _ bytes: Span<UInt8>, answersHead: Bool
  ) throws(ResponseRejection) {
    let hasCoding = contains(.transferEncoding)
    // What is contradicted does not count (rule 3).
    let length = hasCoding ? nil : try contentLength(bytes)
    var isPlain = true
    if answersHead || isInterim || status == 204 || status == 304 {
      body = .none
    } else if hasCoding {
      // HTTP/1.0 has no codings: to be read, and the connection closed (§6.1).
      isPlain = try isChunkedOnce(bytes) && !contains(.contentLength) && isHTTP11
      body = .chunked
    } else {
      body = length.map { .length($0) } ?? .untilClose
    }
    let options = connectionOptions(bytes)
    keepsAlive =
      isPlain && !options.close && (isHTTP11 || options.keepAlive) && body != .untilClose
  }

  /// Whether `chunked` is said once; throws when anything else is said.
  private func isChunkedOnce(_ bytes: Span<UInt8>) throws(ResponseRejection) -> Bool {
    var count = 0
    try forEachElement(of: .transferEncoding, in: bytes) { (coding) throws(ResponseRejection) in
      guard ByteScan.equalsIgnoringCase(coding, 0..<coding.count, "chunked") else {
        throw .badTransferEncoding
      }
      count += 1
    }
    guard count > 0 else { throw .badTransferEncoding }
    return count == 1
  }

  /// The one number that all Content-Length values agree on (RFC 9112 §6.3, rule 5).
  private func contentLength(_ bytes: Span<UInt8>) throws(ResponseRejection) -> Int64? {
    var agreed: Int64?
    try forEachValue(of: .contentLength, in: bytes) { (value) throws(ResponseRejection) in
      var list = ListElements(0..<value.count)
      var isEmpty = true
      while let element = list.next(in: value) {
        isEmpty = false
        guard let number = Decimal.parse(value, element), agreed == nil || agreed == number else {
          throw .badContentLength
        }
        agreed = number
      }
      if isEmpty { throw .badContentLength }
    }
    return agreed
  }

  private mutating func connectionOptions(
    _ bytes: Span<UInt8>
  ) -> (close: Bool, keepAlive: Bool) {
    var options = fields.connectionOptions(bytes)
    for index in further.indices {
      let found = further[index].connectionOptions(bytes)
      options = (options.close || found.close, options.keepAlive || found.keepAlive)
    }
    return options
  }
}

// The fields, whatever section they are in.
extension ResponseHead {
  /// How many header lines there are.
  public var fieldCount: Int { further.reduce(fields.count) { $0 + $1.count } }

  /// The header line at `index` in `0..<fieldCount`; traps outside.
  public func field(at index: Int) -> FieldSection.Field {
    let (section, line) = index.quotientAndRemainder(dividingBy: FieldSection.capacity)
    return section == 0 ? fields[line] : further[section - 1][line]
  }

  /// Whether a field of this name is there.
  public func contains(_ name: FieldName) -> Bool {
    fields.contains(name) || further.contains { $0.contains(name) }
  }

  /// Where the value of the first line of this name stands; `nil` when there is none.
  public func value(of name: FieldName) -> Range<Int>? {
    if let value = fields.value(of: name) { return value }
    for section in further {
      if let value = section.value(of: name) { return value }
    }
    return nil
  }

  /// Lends each value of this name in order, from the bytes that were parsed.
  public func forEachValue<E: Error>(
    of name: FieldName, in bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(E) -> Void
  ) throws(E) {
    try fields.forEachValue(of: name, in: bytes, body)
    for section in further { try section.forEachValue(of: name, in: bytes, body) }
  }

  /// Lends each non-empty element of a comma-separated list field, as
  /// `FieldSection.forEachElement` does.
  public func forEachElement<E: Error>(
    of name: FieldName, in bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(E) -> Void
  ) throws(E) {
    try forEachValue(of: name, in: bytes) { (value) throws(E) in
      var list = ListElements(0..<value.count)
      while let element = list.next(in: value) { try body(value.extracting(element)) }
    }
  }
}
