// The head of a response as a client reads it (RFC 9112 §4, §6.3). Tolerant where the RFC asks a
// client to be (white space before a colon, no reason phrase, equal Content-Lengths), strict where
// two readers could disagree on where the body ends. A folded line is refused: the RFC lets a
// gateway do that (§5.2), and answer 502.

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
  /// A line that starts with white space.
  case obsoleteFold
  /// A field name that is empty, has no colon or is no token.
  case badFieldName
  /// A header section of too many bytes.
  case fieldsTooLarge
  /// Too many header lines.
  case tooManyFields
  /// Content-Lengths that differ or are no numbers of at most 63 bits.
  case badContentLength
  /// Another transfer coding than `chunked`, or one in HTTP/1.0.
  case badTransferEncoding
  /// Both Transfer-Encoding and Content-Length.
  case conflictingFraming

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

/// A response head as offsets into the bytes it was parsed from. Reusable; never allocates.
///
/// Call `parse` with the bytes from the head's first one on, again with more of them while it
/// answers `incomplete`. The next call after an end starts anew.
public struct ResponseHead: Sendable {
  /// Bytes of the status line without its CRLF.
  public static var maxStatusLine: Int { 8 * 1024 }
  /// Bytes of the header section with its closing empty line.
  public static var maxHeaderSection: Int { 47 * 1024 }

  /// What a parse found.
  public enum Outcome: Sendable, Equatable {
    /// The head is whole; the body starts at this offset.
    case complete(headLength: Int)
    /// More bytes are needed.
    case incomplete
    /// The server can not be understood.
    case reject(ResponseRejection)
  }

  private enum Phase: UInt8 {
    case statusLine, fields, finished
  }

  private var phase = Phase.statusLine
  private var scan = 0

  /// The status code, 100 to 999.
  public private(set) var status = 0
  /// Whether the version is HTTP/1.1 or a later HTTP/1.x (else HTTP/1.0).
  public private(set) var isHTTP11 = true
  /// The header fields.
  public private(set) var fields = FieldSection()
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
      let rules = FieldSection.Rules(
        bytes: Self.maxHeaderSection, fields: FieldSection.capacity, dropsSpaceBeforeColon: true)
      switch fields.parse(bytes, rules) {
      case .incomplete: return .incomplete
      case .fault(let fault): throw ResponseRejection(fault)
      case .done(let end):
        phase = .finished
        try judgeFraming(bytes, answersHead: answersHead)
        let options = fields.connectionOptions(bytes)
        keepsAlive = !options.close && (isHTTP11 || options.keepAlive) && body != .untilClose
        return .complete(headLength: end)
      }
    } catch {
      phase = .finished
      return .reject(error)
    }
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
    fields.reset(start: scan + 2)
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

  /// How the body is delimited, in the order of RFC 9112 §6.3.
  private mutating func judgeFraming(
    _ bytes: Span<UInt8>, answersHead: Bool
  ) throws(ResponseRejection) {
    let hasCoding = fields.contains(.transferEncoding)
    if hasCoding, fields.contains(.contentLength) { throw .conflictingFraming }
    let length = try contentLength(bytes)
    if answersHead || isInterim || status == 204 || status == 304 {
      body = .none
    } else if hasCoding {
      guard isHTTP11, let coding = fields.soleValue(of: .transferEncoding),
        ByteScan.equalsIgnoringCase(bytes, coding, "chunked")
      else { throw .badTransferEncoding }
      body = .chunked
    } else {
      body = length.map { .length($0) } ?? .untilClose
    }
  }

  /// The one number that all Content-Length values agree on (RFC 9112 §6.3, rule 5).
  private func contentLength(_ bytes: Span<UInt8>) throws(ResponseRejection) -> Int64? {
    var agreed: Int64?
    var line = 0
    while let value = fields.nextValue(of: .contentLength, after: &line) {
      var list = ListElements(value)
      var isEmpty = true
      while let element = list.next(in: bytes) {
        isEmpty = false
        guard let number = Decimal.parse(bytes, element), agreed == nil || agreed == number else {
          throw .badContentLength
        }
        agreed = number
      }
      if isEmpty { throw .badContentLength }
    }
    return agreed
  }
}
