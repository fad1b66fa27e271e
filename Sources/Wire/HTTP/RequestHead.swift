// The head of a request (RFC 9112 §2–3, §5) and what it says about the connection and the body
// (§6, §9.3), under the wire policy of PROMISES.md: any doubt about framing is a rejection.
//
//     requestLine ──CRLF──▶ fields ──CRLF CRLF──▶ finished ──parse──▶ requestLine …

/// The request methods that are told apart.
public enum Method: UInt8, Sendable {
  case get, head, post, put, patch, delete, options, other

  init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    self =
      switch range.count {
      case 3 where ByteScan.equals(bytes, range, "GET"): .get
      case 3 where ByteScan.equals(bytes, range, "PUT"): .put
      case 4 where ByteScan.equals(bytes, range, "POST"): .post
      case 4 where ByteScan.equals(bytes, range, "HEAD"): .head
      case 5 where ByteScan.equals(bytes, range, "PATCH"): .patch
      case 6 where ByteScan.equals(bytes, range, "DELETE"): .delete
      case 7 where ByteScan.equals(bytes, range, "OPTIONS"): .options
      default: .other
      }
  }
}

/// How the body of a request is delimited (RFC 9112 §6.3).
public enum RequestBody: Sendable, Equatable {
  /// There is none.
  case none
  /// Content-Length: this many bytes; may be zero.
  case length(Int64)
  /// Transfer-Encoding: chunked.
  case chunked
}

/// A request head as offsets into the bytes it was parsed from. Reusable; never allocates.
///
/// Call `parse` with the bytes from the head's first one on, again with more of them while it
/// answers `incomplete`; each byte is looked at once. The next call after an end starts anew.
public struct RequestHead: Sendable {
  /// What a parse found.
  public enum Outcome: Sendable, Equatable {
    /// The head is whole; the body starts at this offset.
    case complete(headLength: Int)
    /// More bytes are needed.
    case incomplete
    /// Answer the rejection's status and close.
    case reject(RequestRejection)
  }

  private enum Phase: UInt8 {
    case requestLine, fields, finished
  }

  private var phase = Phase.requestLine
  private var lineStart = 0
  private var scan = 0
  private var methodRange = HeadRange()
  private var targetRange = HeadRange()

  /// The method; `.other` after a rejection that came before it was read.
  public private(set) var method = Method.other
  /// The target's parts.
  public private(set) var target = RequestTarget()
  /// Whether the version is HTTP/1.1 (else HTTP/1.0).
  public private(set) var isHTTP11 = true
  /// The header fields.
  public private(set) var fields = FieldSection()
  /// How the body is delimited.
  public private(set) var body = RequestBody.none
  /// Whether the client lets the connection go on (RFC 9112 §9.3).
  public private(set) var keepsAlive = true
  /// Whether the client waits for a 100 before it sends the body (RFC 9110 §10.1.1).
  public private(set) var expectsContinue = false

  /// A head to parse into.
  public init() {}

  /// Where the method's name stands.
  public var methodName: Range<Int> { methodRange.range }

  /// Where the whole target stands, as sent; for logs.
  public var targetText: Range<Int> { targetRange.range }

  /// Where the host and port that the client asked for stand: those of an absolute target, else
  /// Host's (RFC 9112 §3.2.2, §3.3); `nil` in HTTP/1.0 without either.
  public var authority: Range<Int>? { target.authority ?? fields.soleValue(of: .host) }

  /// Forgets a head that was left incomplete.
  public mutating func reset() {
    phase = .requestLine
    lineStart = 0
    scan = 0
    method = .other
    expectsContinue = false
    body = .none
  }

  /// Parses, or goes on parsing, the head at the start of `bytes`.
  public mutating func parse(_ bytes: Span<UInt8>, limits: RequestLimits) -> Outcome {
    if phase == .finished { reset() }
    do throws(RequestRejection) {
      if phase == .requestLine {
        guard try requestLine(bytes, limits) else { return .incomplete }
      }
      let rules = FieldSection.Rules(
        bytes: limits.headerSection, fields: limits.fields, dropsSpaceBeforeColon: false)
      switch fields.parse(bytes, rules) {
      case .incomplete: return .incomplete
      case .fault(let fault): throw RequestRejection(fault)
      case .done(let end):
        phase = .finished
        try judgeHost(bytes)
        try judgeFraming(bytes)
        judgeConnection(bytes)
        return .complete(headLength: end)
      }
    } catch {
      phase = .finished
      return .reject(error)
    }
  }

  /// Reads the request line; `false` when there are too few bytes.
  private mutating func requestLine(
    _ bytes: Span<UInt8>, _ limits: RequestLimits
  ) throws(RequestRejection) -> Bool {
    if scan == 0 {
      // One empty line before the request line is ignored (RFC 9112 §2.2).
      guard bytes.count > 0 else { return false }
      if bytes[0] == .carriageReturn {
        guard bytes.count > 1 else { return false }
        guard bytes[1] == .lineFeed else { throw .bareLineEnd }
        lineStart = 2
        scan = 2
      }
    }
    let window = min(bytes.count, lineStart + limits.requestLine + 1)
    scan = ByteScan.control(bytes, scan, window)
    guard scan < window else {
      if scan > lineStart + limits.requestLine { throw .requestLineTooLong }
      return false
    }
    guard bytes[scan] == .carriageReturn else {
      throw bytes[scan] == .lineFeed ? .bareLineEnd : .badRequestLine
    }
    guard scan + 1 < bytes.count else { return false }
    guard bytes[scan + 1] == .lineFeed else { throw .bareLineEnd }
    try splitRequestLine(bytes, lineStart..<scan)
    fields.reset(start: scan + 2)
    phase = .fields
    return true
  }

  /// Splits `method SP target SP version` (RFC 9112 §3): single spaces, nothing else.
  private mutating func splitRequestLine(
    _ bytes: Span<UInt8>, _ line: Range<Int>
  ) throws(RequestRejection) {
    var space = line.lowerBound
    while space < line.upperBound, bytes[space].isToken { space += 1 }
    let version = line.upperBound - 8
    guard space > line.lowerBound, version - 1 > space + 1, bytes[space] == 0x20,
      bytes[version - 1] == 0x20
    else { throw .badRequestLine }
    methodRange = HeadRange(line.lowerBound..<space)
    targetRange = HeadRange(space + 1..<version - 1)
    method = Method(bytes, methodRange.range)
    try readVersion(bytes, version..<line.upperBound)
    // No tunnels. A CONNECT of a path is a method like any other that the path does not allow.
    if method == .other, bytes[targetRange.range.lowerBound] != 0x2F,
      ByteScan.equals(bytes, methodRange.range, "CONNECT")
    {
      throw .methodNotImplemented
    }
    target = try RequestTarget(bytes, targetRange.range)
    if target.form == .asterisk, method != .options { throw .badTarget }
  }

  /// Reads `HTTP/` DIGIT `.` DIGIT. HTTP/1.2 and up are refused, not treated as 1.1 (RFC 9110 §2.5
  /// would allow it): nobody speaks them, so they are probes.
  private mutating func readVersion(
    _ bytes: Span<UInt8>, _ range: Range<Int>
  ) throws(RequestRejection) {
    if ByteScan.equals(bytes, range, "HTTP/1.1") {
      isHTTP11 = true
      return
    }
    if ByteScan.equals(bytes, range, "HTTP/1.0") {
      isHTTP11 = false
      return
    }
    let start = range.lowerBound
    guard ByteScan.equals(bytes, start..<start + 5, "HTTP/"), bytes[start + 5].isDigit,
      bytes[start + 6] == 0x2E, bytes[start + 7].isDigit
    else { throw .badRequestLine }
    throw .versionNotSupported
  }
}

extension RequestHead {
  /// Exactly one Host in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112 §3.2). Beside an absolute
  /// target it may name another host: the target's is the one (§3.2.2, `authority`). Mutating only
  /// so that the head is not copied.
  private mutating func judgeHost(_ bytes: Span<UInt8>) throws(RequestRejection) {
    guard let host = fields.value(of: .host) else {
      if isHTTP11 { throw .missingHost }
      return
    }
    guard !fields.isRepeated(.host), HostSyntax.isHost(bytes, host) else { throw .badHost }
  }

  /// How the body is delimited (RFC 9112 §6.1–6.3), without ever guessing.
  private mutating func judgeFraming(_ bytes: Span<UInt8>) throws(RequestRejection) {
    body = .none
    if let coding = fields.value(of: .transferEncoding) {
      if fields.contains(.contentLength) { throw .conflictingFraming }
      guard isHTTP11, !fields.isRepeated(.transferEncoding),
        ByteScan.equalsIgnoringCase(bytes, coding, "chunked")
      else { throw .badTransferEncoding }
      body = .chunked
    } else if let length = fields.value(of: .contentLength) {
      guard !fields.isRepeated(.contentLength), let number = Decimal.parse(bytes, length) else {
        throw .badContentLength
      }
      body = .length(number)
    }
  }

  /// Whether the connection goes on, and whether a 100 is awaited.
  private mutating func judgeConnection(_ bytes: Span<UInt8>) {
    let options = fields.connectionOptions(bytes)
    keepsAlive = !options.close && (isHTTP11 || options.keepAlive)
    expectsContinue = false
    if isHTTP11, let expectation = fields.value(of: .expect) {
      expectsContinue = ByteScan.equalsIgnoringCase(bytes, expectation, "100-continue")
    }
  }
}
