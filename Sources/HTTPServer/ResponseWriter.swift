// Where an answer is written: one per loop, used again for every answer, so that a warm GET
// allocates nothing. The head is bytes from the start; nothing is formatted twice.
public import Net
public import Wire

/// The answer under construction on one loop.
///
/// Order of calls: `start`, then `field`s, then one of the `end`s. Not a class: who writes has it
/// `inout`, so that the compiler proves what a class would have checked at every byte.
public struct ResponseWriter: ~Copyable {
  /// What follows the head.
  enum Body {
    case none
    case file(SendableFile, offset: Int64, count: Int64)
  }
  /// Head, then a small body.
  var bytes: ByteBuffer
  var body = Body.none
  /// The status, 0 before `start`.
  public private(set) var status = 0
  private(set) var bodyBytes: Int64 = 0
  /// Whether the file may have to come from the disk first.
  private(set) var closes = false
  /// Whether the head is complete: the answer may leave.
  private(set) var isEnded = false
  /// Whether the client may still be sending when we close: a body that nobody reads, or requests
  /// behind one that did not announce the end.
  var lingers: Bool { unreadBody || (closes && clientStays) }

  /// What may be logged of the request: filled by the service, handed back when it is over.
  public var note: ByteBuffer
  /// What the service calls the kind of the request; handed back when it is over.
  public var tag: UInt8 = 0
  /// The `x-request-id` of the exchange: 1–128 visible ASCII characters.
  public var requestID: ByteBuffer
  /// The wall clock in seconds, at most a turn old.
  public private(set) var now: Int64 = 0

  /// What stands between a status line and the value of x-request-id, spelled out once a second.
  private var dateLines = ByteBuffer(capacity: 128)
  private var dateSecond: Int64 = -1
  private var isHead = false
  private var keepsAlive = true
  private var announcesKeepAlive = false
  private var clientStays = false
  private var unreadBody = false
  private var serial: UInt64
  private let capacity: Int

  init(limits: ServerLimits) {
    capacity = limits.writeBufferBytes
    bytes = ByteBuffer(capacity: limits.writeBufferBytes)
    note = ByteBuffer(capacity: 4096)
    requestID = ByteBuffer(capacity: 128)
    serial = UInt64.random(in: 0 ... .max)
  }

  /// Forgets the last answer; names the exchange after the client's own id if it may be kept.
  /// `unreadBody` and `closes` end the connection after the answer.
  mutating func reset(
    _ head: borrowing RequestHead, _ input: Span<UInt8>, unreadBody: Bool, closes: Bool, now: Int64
  ) {
    clear(now: now)
    isHead = head.method == .head
    clientStays = head.keepsAlive
    self.unreadBody = unreadBody
    keepsAlive = clientStays && !unreadBody && !closes
    announcesKeepAlive = head.isHTTP11 ? false : keepsAlive
    if let range = head.fields.soleValue(of: .xRequestID), Self.isKept(input.extracting(range)) {
      requestID.append(input.extracting(range))
    } else {
      makeRequestID()
    }
  }

  /// Forgets the last answer; there is no request to take more from than its method.
  mutating func resetForRefusal(isHead: Bool, now: Int64) {
    clear(now: now)
    self.isHead = isHead
    keepsAlive = false
    announcesKeepAlive = false
    clientStays = true
    unreadBody = false
    makeRequestID()
  }

  /// Forgets the last answer; goes on with an exchange that waited for its handler.
  mutating func resume(_ request: Request, unreadBody: Bool, closes: Bool, now: Int64) {
    clear(now: now)
    isHead = request.head.method == .head
    clientStays = request.head.keepsAlive
    self.unreadBody = unreadBody
    keepsAlive = clientStays && !unreadBody && !closes
    announcesKeepAlive = keepsAlive && !request.head.isHTTP11
    tag = request.tag
    let (id, kept) = (request.id, request.note)
    requestID.append(id.span)
    note.reserve(kept.count)
    note.append(kept.span)
  }

  /// The loan is over: nothing of the answer may be read any more.
  mutating func forget() {
    bytes.removeAll()
    note.removeAll()
    requestID.removeAll()
    status = 0
    isEnded = false
  }

  private mutating func clear(now: Int64) {
    self.now = now
    // What one large answer needed is not kept for ever.
    if bytes.capacity > capacity { bytes = ByteBuffer(capacity: capacity) }
    bytes.removeAll()
    note.removeAll()
    requestID.removeAll()
    tag = 0
    body = .none
    status = 0
    bodyBytes = 0
    closes = false
    isEnded = false
  }

  private static func isKept(_ id: Span<UInt8>) -> Bool {
    guard (1...128).contains(id.count) else { return false }
    for index in id.indices where !(0x21...0x7E).contains(id[index]) { return false }
    return true
  }

  private mutating func makeRequestID() {
    // Unique, not secret: a counter from a random start, scrambled so that ids do not look alike.
    serial &+= 1
    requestID.append("req-")
    var mixed = serial &* 0x9E37_79B9_7F4A_7C15
    mixed ^= mixed >> 29
    requestID.append(hex: mixed)
  }

  // MARK: For the service

  /// Begins the head. `closing` ends the connection after this answer.
  public mutating func start(_ status: Int, closing: Bool = false) {
    self.status = status
    closes = closing || !keepsAlive
    isEnded = false
    body = .none
    bodyBytes = 0
    bytes.removeAll()
    bytes.append("HTTP/1.1 ")
    bytes.append(decimal: Int64(status))
    bytes.append(0x20)
    bytes.append(Status.reason(status))
    appendDateLines()
    requestID.withSpan { id in _ = bytes.append(id) }
    if closes {
      bytes.append("\r\nConnection: close\r\n")
    } else if announcesKeepAlive {
      bytes.append("\r\nConnection: keep-alive\r\n")
    } else {
      bytes.append("\r\n")
    }
  }

  /// Adds whole field lines, each ended by CRLF.
  public mutating func lines(_ lines: StaticString) { piece(lines) }

  /// Adds whole field lines, each ended by CRLF; they must be our own text.
  public mutating func lines(_ lines: Span<UInt8>) {
    guard !bytes.append(lines) else { return }
    bytes.reserve(lines.count)
    bytes.append(lines)
  }

  /// Adds one field; control characters in the value are replaced, so nothing can end the line.
  /// What is longer than 8,192 bytes is cut.
  public mutating func field(_ name: StaticString, _ value: Span<UInt8>) {
    piece(name)
    bytes.reserve(2 + Self.longestValue + 2)
    bytes.append(": ")
    for index in 0..<min(value.count, Self.longestValue) {
      let byte = value[index]
      bytes.append(byte < 0x20 || byte == 0x7F ? 0x20 : byte)
    }
    bytes.append("\r\n")
  }

  /// Adds one field with a number.
  public mutating func field(_ name: StaticString, _ value: Int64) {
    piece(name)
    piece(": ")
    piece(value)
    piece("\r\n")
  }

  /// Adds to a field that the caller spells out piece by piece.
  public mutating func piece(_ text: StaticString) {
    guard !bytes.append(text) else { return }
    bytes.reserve(text.utf8CodeUnitCount)
    bytes.append(text)
  }

  /// Adds a number to such a field.
  public mutating func piece(_ number: Int64) {
    guard !bytes.append(decimal: number) else { return }
    bytes.reserve(20)
    bytes.append(decimal: number)
  }

  /// Ends the head of an answer that has no content (204, 304); any other status says so with
  /// `Content-Length: 0`, for without it the body would reach to the connection's end.
  public mutating func endWithoutContent() { endHead(0) }

  /// Ends the head and sends a part of a file; HEAD and an empty part send none.
  public mutating func end(file: SendableFile, offset: Int64, count: Int64) {
    endHead(count)
    guard sendsBody, count > 0 else { return }
    bodyBytes = count
    body = .file(file, offset: offset, count: count)
  }

  /// Ends the head and sends a small body; HEAD sends none.
  public mutating func end(_ content: Span<UInt8>) {
    endHead(Int64(content.count))
    guard sendsBody else { return }
    lines(content)
    bodyBytes = Int64(content.count)
  }

  /// Ends the head of a streamed body of known length, or of a HEAD's answer.
  mutating func end(streaming length: Int64) { endHead(length) }

  /// RFC 9110 §8.6: no Content-Length with 204; in a 304 it would be that of the 200.
  private mutating func endHead(_ length: Int64) {
    if hasContent { field("Content-Length", length) }
    piece("\r\n")
    isEnded = true
  }

  private var hasContent: Bool { status != 204 && status != 304 }

  private static let longestValue = 8192

  private mutating func appendDateLines() {
    if dateSecond != now {
      dateSecond = now
      dateLines.removeAll()
      dateLines.append("\r\nDate: ")
      let text = HTTPDate.format(now)
      dateLines.append(text.span)
      dateLines.append("\r\nx-request-id: ")
    }
    dateLines.withSpan { text in _ = bytes.append(text) }
  }

  // MARK: For the connection

  /// Whether a body may follow the head.
  var sendsBody: Bool { !isHead && hasContent }

  /// Hands over what follows the head, so that the loop does not keep a file open.
  mutating func takeBody() -> Body {
    let taken = body
    body = .none
    return taken
  }
}
