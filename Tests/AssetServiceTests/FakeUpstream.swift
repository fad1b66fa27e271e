import Kernel
import Net
import Synchronization

/// What a fake upstream does with one request.
struct FakeReply: Sendable {
  /// The whole answer, head and body; empty for none.
  var bytes: [UInt8] = []
  /// Whether the connection ends then, as a cut wire does.
  var drops = false
  /// Whether all of it waits for `FakeUpstream.release`.
  var waits = false

  /// The rest of the answer, which waits for `FakeUpstream.release`.
  var held: [UInt8] = []
  /// What is sent again and again behind all of the answer, until the client ends the connection;
  /// for one connection of an upstream.
  var endless: [UInt8] = []

  /// What is sent behind all of the answer: in a later turn, or when the connection's next request
  /// has come.
  var late: [UInt8] = []
  var lateWaitsForRequest = false

  static let silence = FakeReply()
  static let lost = FakeReply(drops: true)

  /// The same answer with one more field.
  func with(_ field: String) -> FakeReply {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return self }
    var reply = self
    reply.bytes.insert(contentsOf: Array("\r\n\(field)".utf8), at: end.lowerBound)
    return reply
  }

  /// The same answer; what is behind its first `count` bytes waits.
  func held(after count: Int) -> FakeReply {
    var reply = self
    reply.bytes = Array(bytes.prefix(count))
    reply.held = Array(bytes.dropFirst(count))
    return reply
  }

  /// An answer with its exact length.
  static func answer(
    _ status: Int, _ fields: [String] = [], type: String = "application/json", _ body: [UInt8]
  ) -> FakeReply {
    let lines = ["Content-Type: \(type)", "Content-Length: \(body.count)"] + fields
    let head = "HTTP/1.1 \(status) Status\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    return FakeReply(bytes: Array(head.utf8) + body)
  }

  /// A 200 in chunks of `size` bytes, all in one piece on the wire.
  static func chunked(_ body: [UInt8], of size: Int, type: String) -> FakeReply {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n"
    var bytes = Array(head.utf8)
    for start in stride(from: 0, to: body.count, by: size) {
      let piece = body[start..<min(start + size, body.count)]
      bytes += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + Array("\r\n".utf8)
    }
    return FakeReply(bytes: bytes + Array("0\r\n\r\n".utf8))
  }

  static func json(_ status: Int, _ fields: [String], _ text: String) -> FakeReply {
    answer(status, fields, Array(text.utf8))
  }

  static func json(_ status: Int, _ text: String) -> FakeReply { json(status, [], text) }

  /// An Images API answer; each item is a member such as `"b64_json":"…"`.
  static func images(_ items: String..., also: String = "") -> FakeReply {
    let data = items.map { "{\($0)}" }.joined(separator: ",")
    return json(200, "{\"created\":1712000000,\"data\":[\(data)]\(also)}")
  }
}

/// An upstream of one test: a server on a loop of its own that answers what the test says.
final class FakeUpstream: Sendable {
  /// The requests so far, as text.
  var requests: [String] { log.all }
  /// Bytes of `FakeReply.endless` that were sent.
  var poured: Int { log.poured }
  /// Whether the client has ended the connection of such an answer.
  var isCutOff: Bool { log.isCutOff }
  /// More than this is not sent: a test that would never end fails instead.
  static let mostPoured = 256 << 20
  /// `http://127.0.0.1:<port>`
  let origin: String
  private let loop: EventLoop
  private let acceptor: ResidentID
  private let log = FakeUpstreamLog()

  /// `answer` gets each whole request.
  init(_ answer: @escaping @Sendable (String) -> FakeReply) async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    self.loop = loop
    let (resident, endpoint) = try await loop.run { [log] loop in
      let acceptor = FakeAcceptor(answer, log)
      let endpoint = try acceptor.listen(on: loop)
      return (loop.keep(acceptor), endpoint)
    }
    acceptor = resident
    origin = "http://\(endpoint)"
  }

  /// Sends what waits.
  func release() async {
    await loop.run { [acceptor] loop in
      let found: FakeAcceptor? = loop.resident(acceptor)
      found?.release(on: loop)
    }
  }

  /// Refuses connections from now on, and ends those that are open.
  func stop() async {
    await loop.run { [acceptor] loop in
      let found: FakeAcceptor? = loop.resident(acceptor)
      found?.stop(on: loop)
    }
    loop.stop()
  }
}

private final class FakeUpstreamLog: Sendable {
  private struct State {
    var requests: [String] = []
    var poured = 0
    var isCutOff = false
  }
  private let state = Mutex(State())
  var all: [String] { state.withLock { $0.requests } }
  var poured: Int { state.withLock { $0.poured } }
  var isCutOff: Bool { state.withLock { $0.isCutOff } }
  func add(_ request: String) { state.withLock { $0.requests.append(request) } }
  func pour(_ count: Int) { state.withLock { $0.poured += count } }
  func cutOff() { state.withLock { $0.isCutOff = true } }
}

private final class FakeAcceptor: TCPAcceptor {
  let answer: (String) -> FakeReply
  let log: FakeUpstreamLog
  private var listener: TCPListener?
  private var connections: [FakeConnection] = []

  init(_ answer: @escaping (String) -> FakeReply, _ log: FakeUpstreamLog) {
    self.answer = answer
    self.log = log
  }

  func listen(on loop: isolated EventLoop) throws -> Endpoint {
    let admission = Admission(limit: 1000, limitPerAddress: 1000)
    let listener = try TCPListener(
      SocketAddress(.v4(0x7F00_0001, port: 0)), admission: admission, isExempt: { _ in true },
      acceptor: self)
    try listener.start(on: loop)
    self.listener = listener
    return listener.endpoint
  }

  func accepted(
    _ stream: consuming TCPStream, from peer: Peer, isExempt: Bool, on loop: isolated EventLoop
  ) {
    let connection = FakeConnection(stream, self)
    connections.append(connection)
    connection.start(on: loop)
  }

  func release(on loop: isolated EventLoop) {
    for connection in connections { connection.release(on: loop) }
  }

  func stop(on loop: isolated EventLoop) {
    listener?.stop(on: loop)
    for connection in connections { connection.end(on: loop) }
    connections = []
  }
}

private final class FakeConnection: Channel {
  private var stream: TCPStream?
  private var id: ChannelID?
  private let server: FakeAcceptor
  private var received: [UInt8] = []
  private var reply: FakeReply?
  /// What goes before the next answer.
  private var late: [UInt8] = []

  init(_ stream: consuming TCPStream, _ server: FakeAcceptor) {
    self.stream = .some(stream)
    self.server = server
  }

  func start(on loop: isolated EventLoop) { id = stream?.register(self, on: loop) }

  func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? { nil }

  func end(on loop: isolated EventLoop) {
    if let id { loop.remove(id) }
    id = nil
    stream = nil
  }

  func release(on loop: isolated EventLoop) {
    reply?.waits = false
    if let held = reply?.held {
      reply?.bytes += held
      reply?.held = []
    }
    send(on: loop)
  }

  private func pour(_ bytes: [UInt8], on loop: isolated EventLoop) {
    while server.log.poured < FakeUpstream.mostPoured {
      let rest = bytes.span.extracting((server.log.poured % bytes.count)..<bytes.count)
      switch stream?.write(rest) ?? .gone {
      case .bytes(let count): server.log.pour(count)
      case .wouldBlock: return
      case .gone:
        server.log.cutOff()
        return end(on: loop)
      }
    }
    end(on: loop)
  }

  func ready(_ readiness: Readiness, on loop: isolated EventLoop) {
    read()
    send(on: loop)
    guard reply == nil, let request = takeRequest() else { return }
    server.log.add(request)
    reply = server.answer(request)
    reply?.bytes.insert(contentsOf: late, at: 0)
    late = []
    send(on: loop)
  }

  private func read() {
    while true {
      var outcome = ReadOutcome.gone
      received.append(addingCapacity: 4096) { outcome = stream?.read(into: &$0) ?? .gone }
      guard case .bytes = outcome else { return }
    }
  }

  private func send(on loop: isolated EventLoop) {
    guard let waiting = reply, !waiting.waits else { return }
    while let rest = reply?.bytes, !rest.isEmpty {
      guard case .bytes(let count)? = stream?.write(rest.span) else { return }
      reply?.bytes.removeFirst(count)
    }
    guard waiting.held.isEmpty else { return }
    guard waiting.endless.isEmpty else { return pour(waiting.endless, on: loop) }
    // Silence lasts: no other request is answered on this connection.
    if waiting.drops { return end(on: loop) }
    guard !waiting.bytes.isEmpty else { return }
    reply = nil
    if waiting.lateWaitsForRequest {
      late = waiting.late
    } else if !waiting.late.isEmpty, let id {
      reply = FakeReply(bytes: waiting.late)
      loop.yield(id)
    }
  }

  /// The next whole request (head, and body by its Content-Length).
  private func takeRequest() -> String? {
    let text = String(decoding: received, as: UTF8.self)
    guard let head = text.firstRange(of: "\r\n\r\n") else { return nil }
    var length = 0
    for line in text[..<head.lowerBound].split(separator: "\r\n") {
      if line.hasPrefix("Content-Length: ") { length = Int(line.dropFirst(16)) ?? 0 }
    }
    let end = text[..<head.upperBound].utf8.count + length
    guard end <= received.count else { return nil }
    defer { received.removeFirst(end) }
    return String(decoding: received[..<end], as: UTF8.self)
  }
}
