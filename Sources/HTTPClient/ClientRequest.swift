internal import Net
public import Wire

/// Judges the addresses that a name has, before anything is sent to them.
public struct AddressPolicy: Sendable {
  private let allows: @Sendable (IPAddress) -> Bool

  /// A policy; `allows` is asked about every address of a name.
  public init(_ allows: @escaping @Sendable (IPAddress) -> Bool) { self.allows = allows }

  /// Every address: for hosts that the operator named.
  public static let any = AddressPolicy { _ in true }

  /// Whether a peer may be connected to.
  func allows(_ peer: Peer) -> Bool {
    // No name leads there: only who makes the request can name one.
    if peer.isLocalSocket { return true }
    let bytes = peer.addressBytes
    return IPAddress(networkOrder: bytes.span).map { allows($0.unmapped) } ?? false
  }
}

/// An absolute http or https URL with its text.
public struct ClientURL: Sendable {
  /// The text, as given.
  public let text: [UInt8]
  /// The text's parts.
  public let parts: AbsoluteURL

  /// Takes a URL apart.
  public init(_ text: [UInt8]) throws(AbsoluteURL.Failure) {
    parts = try AbsoluteURL(text.span)
    self.text = text
  }

  /// `scheme://host[:port]`, normalized: equal for URLs of one origin.
  public var origin: [UInt8] { parts.origin(in: text.span) }

  /// The host without brackets, normalized.
  var host: String { String(decoding: parts.normalizedHost(in: text.span), as: UTF8.self) }

  /// What stands in the Host field, without the port.
  var hostField: [UInt8] {
    let host = parts.normalizedHost(in: text.span)
    if case .v6? = parts.address { return [0x5B] + host + [0x5D] }
    return host
  }

  /// Path and query, byte for byte; never empty.
  var target: [UInt8] {
    let target = Array(text[parts.pathAndQuery])
    return target.first == UInt8(ascii: "/") ? target : [UInt8(ascii: "/")] + target
  }
}

/// One call.
public struct ClientRequest {
  /// The methods that can be called.
  public enum Method: Sendable {
    case get, head, post, patch, delete

    var text: StaticString {
      switch self {
      case .get: "GET"
      case .head: "HEAD"
      case .post: "POST"
      case .patch: "PATCH"
      case .delete: "DELETE"
      }
    }

    /// Whether asking twice is as good as asking once (RFC 9110 §9.2.2).
    var isIdempotent: Bool { self != .post && self != .patch }
  }

  /// What is sent after the head.
  public enum Body {
    case none
    /// Bytes in memory.
    case bytes([UInt8])
    /// So many bytes, which the closure writes; it runs on the loop, once.
    case stream(length: Int64, write: (RequestBodyWriter) async throws -> Void)
  }

  /// A header line beside Host, Content-Length and Accept-Encoding, which are the client's.
  public struct Field: Sendable {
    let name: StaticString
    let value: [UInt8]

    /// A line; a value with a control character fails the call before anything is sent.
    public init(_ name: StaticString, _ value: String) {
      self.name = name
      self.value = Array(value.utf8)
    }
  }

  /// The method.
  public var method: Method
  /// Whom and what to ask.
  public var url: ClientURL
  /// Header lines.
  public var fields: [Field] = []
  /// The body.
  public var body = Body.none
  /// Nanoseconds for resolving, connecting and the TLS handshake.
  public var connectTimeout: Int64 = 10_000_000_000
  /// Nanoseconds from the call to the last byte of the answer.
  public var timeout: Int64 = 60_000_000_000
  /// Whether the call has a connection to itself: for what may be sent only once, since a kept
  /// connection can turn out to be dead after a part of the request has left; and for answers that
  /// must be this call's, since what comes late on a kept connection is taken for the next answer.
  /// Costs a millisecond beside connecting, in which the server must not speak.
  public var freshConnection = false
  /// The path of a socket in the file system to connect to, instead of the URL's host; at most 107
  /// bytes (unix(7)).
  public var localSocket: String?
  /// Which addresses may be connected to.
  public var addresses = AddressPolicy.any
  /// The most bytes of body that are taken.
  public var responseLimit: Int64 = .max

  /// A call with defaults.
  public init(_ method: Method, _ url: ClientURL) {
    self.method = method
    self.url = url
  }

  /// Connections of one origin are alike: any of them will do.
  var origin: [UInt8] { localSocket.map { Array($0.utf8) } ?? url.origin }

  /// The head, ready to be sent.
  func head() throws(ClientFailure) -> [UInt8] {
    let size = fields.reduce(512 + url.text.count) { $0 + $1.value.count + 64 }
    var buffer = ByteBuffer(capacity: size)
    do throws(HeadWriteFailure) {
      try buffer.appendRequestLine(method.text, target: url.target.span)
      try buffer.appendHost(
        url.hostField.span, port: url.parts.port, defaultPort: url.parts.scheme.defaultPort)
      for field in fields { try buffer.appendField(field.name, field.value.span) }
      // Images do not shrink. Who compresses all the same is read (ContentCoding).
      let identity = Array("identity".utf8)
      try buffer.appendField("Accept-Encoding", identity.span)
      if let length = contentLength {
        try buffer.appendField("Content-Length", decimal: length)
      }
      try buffer.appendHeadEnd()
    } catch {
      throw .badRequest(
        error == .noRoom ? "the head is too long" : "a header line holds a forbidden character")
    }
    return buffer.withSpan { [UInt8](copying: $0) }
  }

  private var contentLength: Int64? {
    switch body {
    case .none: method == .post || method == .patch ? 0 : nil
    case .bytes(let bytes): Int64(bytes.count)
    case .stream(let length, _): length
    }
  }
}

extension Array where Element == UInt8 {
  /// A copy of a span's bytes.
  init(copying span: Span<UInt8>) {
    self.init(capacity: span.count) { output in
      for index in span.indices { output.append(span[index]) }
    }
  }
}
