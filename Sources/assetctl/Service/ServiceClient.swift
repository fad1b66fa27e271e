// HTTP for a command: one loop with one client, on which calls are made one after the other or side
// by side.
internal import HTTPClient
internal import Kernel
internal import Net
internal import Wire

/// One call.
struct ServiceCall: Sendable {
  enum Method: Sendable {
    case get, post, patch, delete
  }
  /// What is sent.
  enum Body: Sendable {
    case none
    case json(JSONValue)
    case bytes([UInt8])
    /// A whole file of so many bytes.
    case file(SharedFile, bytes: Int64)
  }
  var method: Method
  /// Path and query, or a whole URL.
  var target: String
  var body: Body
  /// Seconds until the whole answer must be here.
  var timeout: Int64

  init(
    _ method: Method, _ target: String, _ body: Body = .none,
    timeout: Int64 = 120
  ) {
    self.method = method
    self.target = target
    self.body = body
    self.timeout = timeout
  }
}

/// What a call came to.
struct ServiceReply: Sendable {
  let status: Int
  let etag: String?
  /// Empty when the body was handed out piece by piece.
  let body: [UInt8]

  var isSuccess: Bool { (200..<300).contains(status) }

  /// The body as JSON.
  func json() throws(CommandFailure) -> JSONValue {
    do throws(JSONFailure) { return try JSONValue.parse(body.span) } catch {
      throw CommandFailure("The answer is no JSON: \(error).")
    }
  }

  /// The body's lines as JSON; one broken line spoils them all.
  func lines() throws(CommandFailure) -> [JSONValue] {
    var values: [JSONValue] = []
    for line in body.split(separator: UInt8(ascii: "\n")) {
      do throws(JSONFailure) { values.append(try JSONValue.parse(line.span)) } catch {
        throw CommandFailure("The answer is no JSON: \(error).")
      }
    }
    return values
  }

  /// The error of the envelope, `null` where there is none.
  var error: JSONValue {
    isSuccess ? .null : (try? JSONValue.parse(body.span))?["error"] ?? .null
  }

  /// What the server said went wrong.
  var failure: CommandFailure {
    let message = error["message"]?.string ?? "The server answered with status \(status)."
    let ending: ExitStatus =
      switch status {
      case 400: .usage
      case 500...: .failed
      default: .problems
      }
    return CommandFailure(message, ending)
  }

  /// This reply, if it is a success.
  func checked() throws(CommandFailure) -> ServiceReply {
    guard isSuccess else { throw failure }
    return self
  }
}

/// Makes calls to one service. Copies share one client; close one of them.
struct ServiceClient: Sendable {
  /// Where the service is.
  enum Place: Sendable {
    /// A socket in the file system, and the host that URLs of answers are built on.
    case socket(path: String, host: String)
    /// `http://127.0.0.1:8080`
    case base(String)
  }
  var place: Place
  /// Whether no daemon runs: the service ends with the command.
  var isAlone = false
  private let loop: EventLoop
  private let client: ResidentID
  private let lookups: HostLookups
  /// What the place needs to stay reachable.
  private let folder: Folder?
  /// An answer that is held in memory: a list of a million assets fits.
  private static let bodyLimit: Int64 = 1 << 30

  init(_ place: Place, keeping folder: Folder? = nil) async throws {
    self.place = place
    self.folder = folder
    loop = try EventLoop(index: 0)
    lookups = try HostLookups(threads: 1, queueLimit: 8)
    try loop.start()
    let trust = try TLSTrust()
    client = try await loop.run { [lookups] loop in
      loop.keep(try HTTPClient(lookups: lookups, trust: trust, on: loop))
    }
  }

  /// Ends its threads. No call may be under way.
  func close() async {
    await loop.run { [client] loop in
      let http: HTTPClient? = loop.resident(client)
      http?.close(on: loop)
    }
    loop.stop()
    lookups.stop()
  }

  /// Calls, and takes the whole answer into memory.
  func call(_ call: ServiceCall) async throws -> ServiceReply {
    try await exchange(call, nil)
  }

  /// Calls; hands out a successful answer's body as it comes.
  func call(
    _ call: ServiceCall, _ consume: @escaping @Sendable (Span<UInt8>) throws -> Void
  ) async throws -> ServiceReply {
    try await exchange(call, consume)
  }

  private func exchange(
    _ call: ServiceCall, _ consume: (@Sendable (Span<UInt8>) throws -> Void)?
  ) async throws -> ServiceReply {
    let request = try Blueprint(call, place)
    return try await loop.run { [client] loop in
      guard let http: HTTPClient = loop.resident(client) else {
        throw CommandFailure("The client is closed.")
      }
      let response = try await http.call(try request.request(), on: loop)
      let etag = response.field(.etag).map { String(decoding: $0, as: UTF8.self) }
      guard let consume, (200..<300).contains(response.status) else {
        let body = try await response.body.collect(limit: Self.bodyLimit)
        return ServiceReply(status: response.status, etag: etag, body: body)
      }
      while try await response.body.read(consume) {}
      return ServiceReply(status: response.status, etag: etag, body: [])
    }
  }
}

/// A call, ready to become a request on the loop's thread.
private struct Blueprint: Sendable {
  let call: ServiceCall
  let url: String
  let socket: String?

  init(_ call: ServiceCall, _ place: ServiceClient.Place) throws {
    self.call = call
    switch place {
    case .socket(let path, let host):
      socket = path
      url = "http://\(host)\(call.target)"
    case .base(let base):
      socket = nil
      url = call.target.hasPrefix("/") ? base + call.target : call.target
    }
  }

  private var method: ClientRequest.Method {
    switch call.method {
    case .get: .get
    case .post: .post
    case .patch: .patch
    case .delete: .delete
    }
  }

  func request() throws -> ClientRequest {
    var request = ClientRequest(method, try ClientURL(Array(url.utf8)))
    request.localSocket = socket
    request.timeout = call.timeout * 1_000_000_000
    switch call.body {
    case .none: break
    case .json(let value):
      request.fields = [.init("Content-Type", "application/json")]
      request.body = .bytes(value.bytes)
    case .bytes(let bytes):
      request.fields = [.init("Content-Type", "application/octet-stream")]
      request.body = .bytes(bytes)
    case .file(let file, let bytes):
      request.fields = [.init("Content-Type", "application/octet-stream")]
      request.body = .stream(length: bytes) { writer in
        try await Self.send(file, bytes, to: writer)
      }
    }
    return request
  }

  private static func send(
    _ file: SharedFile, _ bytes: Int64, to writer: RequestBodyWriter
  ) async throws {
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    var offset: Int64 = 0
    while offset < bytes {
      var span = chunk.mutableSpan
      let count = Int(min(Int64(try file.read(into: &span, at: offset)), bytes - offset))
      guard count > 0 else { return }
      try await writer.write(chunk.span.extracting(0..<count))
      offset += Int64(count)
    }
  }
}
