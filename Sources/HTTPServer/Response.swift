public import Net
internal import Wire

/// Writes a body piece by piece, on the loop of its connection.
public typealias BodyProducer = nonisolated(nonsending) (BodyWriter) async throws -> Void

/// What a handler answers: a status, its fields, and a body of known length.
public struct Response {
  /// The body's forms.
  public enum Body {
    /// None at all (204).
    case none
    /// Bytes at hand.
    case bytes([UInt8])
    /// A part of a file; it leaves by sendfile(2).
    case file(SendableFile, offset: Int64, count: Int64)
    /// `length` bytes that the closure writes piece by piece.
    case stream(length: Int64, BodyProducer)
    /// Whatever the closure writes, head and all, as `HTTPService.answer` would; status and fields
    /// of the response do not count.
    case written((inout ResponseWriter) -> Void)
  }
  /// The status code.
  public var status: Int
  /// Whole field lines, each ended by CRLF, without Content-Length.
  public private(set) var lines: [UInt8] = []
  /// What follows.
  public var body: Body
  /// Called once the peer has acknowledged all of a streamed body, beside what its connection does
  /// next: what the kernel took may never arrive. Not called when that is not known by the
  /// connection's next request or end.
  public var whenDelivered: (nonisolated(nonsending) () async -> Void)?

  /// An answer with a body.
  public init(status: Int, body: Body) {
    self.status = status
    self.body = body
  }

  /// An answer whose body is JSON text.
  public init(status: Int, json: [UInt8]) {
    self.init(status: status, body: .bytes(json))
    add("Content-Type", "application/json")
  }

  /// Adds a field; control characters in the value are replaced, so nothing can end the line.
  public mutating func add(_ name: StaticString, _ value: String) {
    lines.append(contentsOf: name.description.utf8)
    lines.append(contentsOf: ": ".utf8)
    lines.append(contentsOf: value.utf8.prefix(8192).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 })
    lines.append(contentsOf: "\r\n".utf8)
  }
}
