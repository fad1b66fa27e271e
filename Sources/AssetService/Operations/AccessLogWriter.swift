// The access log: one JSON line per request, handed to the log's thread in batches, a tenth of a
// second late at most (a write per turn cost 2 % of a delivery). A line never holds a key, a token,
// a query or a body (A6), and nothing of it is formatted with String.
internal import Foundation
internal import HTTPServer
internal import Kernel
internal import Net
internal import Wire

/// The access log of one loop.
struct AccessLogWriter: ~Copyable {
  private let sink: LogSink
  /// Who asked, when the peer is a proxy.
  private let bases: BaseSettings
  private var lines = ByteBuffer(capacity: 64 << 10)
  /// How many lines wait.
  private var count = 0
  /// How a line begins, spelled out once a second.
  private var opening = ByteBuffer(capacity: 64)
  private var openingSecond: Int64 = -1
  private static let flushBytes = 32 << 10
  /// How long lines may wait for company, in nanoseconds.
  private static let longestWait: Int64 = 100_000_000
  /// The monotonic time when the lines that wait are to be handed over.
  private var writeTime: Int64?

  init(sink: LogSink, bases: BaseSettings) {
    self.sink = sink
    self.bases = bases
  }

  /// Begins a line in `response.note`: who asks for what. `path` is what of the target may be
  /// logged. Of what came through trusted proxies, the client is told that they name.
  mutating func begin(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, from peer: Peer, path: Range<Int>,
    into response: inout ResponseWriter
  ) {
    open(&response)
    response.note.append("\",\"peer\":\"")
    if let client = bases.client(of: head, bytes, through: peer) {
      response.note.append(utf8: client)
    } else {
      Self.append(peer, to: &response.note)
    }
    response.note.append("\",\"method\":\"")
    Self.append(bytes.extracting(head.methodName), to: &response.note)
    response.note.append("\",\"path\":\"")
    Self.append(bytes.extracting(path), to: &response.note)
    response.note.append("\"")
  }

  /// Begins the line of a request that was refused before it was understood.
  mutating func beginRefused(_ reason: StaticString, into response: inout ResponseWriter) {
    open(&response)
    response.note.append("\",\"refused\":\"")
    response.note.append(reason)
    response.note.append("\"")
  }

  private mutating func open(_ response: inout ResponseWriter) {
    if openingSecond != response.now {
      openingSecond = response.now
      opening.removeAll()
      opening.append("{\"time\":\"")
      opening.append(utf8: Timestamp.text(response.now))
      opening.append("\",\"request_id\":\"")
    }
    opening.withSpan { _ = response.note.append($0) }
    response.requestID.withSpan { Self.append($0, to: &response.note) }
  }

  /// Ends the line that `note` began.
  mutating func end(_ outcome: ExchangeOutcome, note: Span<UInt8>) {
    // A request that was refused before it was understood has no beginning.
    if note.isEmpty {
      lines.append("{\"time\":\"")
      lines.append(utf8: Timestamp.text(SystemClock.wallSeconds))
      lines.append("\"")
    } else {
      lines.append(note)
    }
    lines.append(",\"status\":")
    lines.append(decimal: Int64(outcome.status))
    lines.append(",\"bytes\":")
    lines.append(decimal: outcome.bodyBytes)
    lines.append(",\"us\":")
    lines.append(decimal: outcome.nanoseconds / 1000)
    lines.append(outcome.isAborted ? ",\"aborted\":true}\n" : "}\n")
    count += 1
    if lines.count >= Self.flushBytes { flush() }
  }

  /// To be called at the end of every turn, at the monotonic time `now`; says by when it wants to
  /// be called again, because lines wait.
  mutating func turnEnded(at now: Int64) -> Int64? {
    guard !lines.isEmpty else {
      writeTime = nil
      return nil
    }
    let due = writeTime ?? now + Self.longestWait
    writeTime = due
    guard now >= due else { return due }
    flush()
    return nil
  }

  /// Whether no line waits.
  var isEmpty: Bool { lines.isEmpty }

  /// Hands over what has gathered.
  mutating func flush() {
    guard !lines.isEmpty else { return }
    lines.withSpan { sink.write($0, count: count) }
    lines.removeAll()
    count = 0
    writeTime = nil
  }

  private static func append(_ peer: Peer, to buffer: inout ByteBuffer) {
    guard let address = peer.v4 else {
      buffer.append(utf8: peer.host)
      return
    }
    for shift: UInt32 in [24, 16, 8, 0] {
      buffer.append(decimal: Int64(address >> shift & 255))
      if shift > 0 { buffer.append(UInt8(ascii: ".")) }
    }
  }

  /// Text inside a JSON string: quotes and backslashes escaped, anything else odd replaced.
  private static func append(_ text: Span<UInt8>, to buffer: inout ByteBuffer) {
    var start = 0
    for index in 0..<min(text.count, 1024) {
      let byte = text[index]
      guard byte < 0x20 || byte > 0x7E || byte == 0x22 || byte == 0x5C else { continue }
      buffer.append(text.extracting(start..<index))
      buffer.append("?")
      start = index + 1
    }
    buffer.append(text.extracting(start..<min(text.count, 1024)))
  }
}

/// Times as logs spell them (RFC 3339, UTC).
enum Timestamp {
  /// `2026-11-21T08:30:00Z` of unix seconds.
  static func text(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
  }
}
