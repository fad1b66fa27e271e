import Kernel
import Net

/// What a server does with one connection, in order.
enum Step: Sendable {
  /// Waits for one whole request (head, and body by its Content-Length).
  case request
  /// Waits for so many bytes, then reads no more.
  case readOnly(Int)
  /// Sends.
  case send(String)
  /// Sends bytes; none is nothing.
  case sendBytes([UInt8])
  /// Sends again and again, whenever there is room, until the client is gone.
  case sendEndlessly(String)
  /// Lets the client have its turns.
  case turns(Int)
  /// Ends the connection in order: after close_notify with TLS.
  case close
  /// Ends it as a cut wire does.
  case drop
}

extension [Step] {
  /// The answer in one piece.
  static func answer(_ text: String) -> [Step] { [.request, .send(text)] }

  /// The answer in pieces that the client sees one after the other.
  static func answer(_ pieces: [String], then last: [Step] = []) -> [Step] {
    [.request] + pieces.flatMap { [.send($0), .turns(4)] } + last
  }
}

/// Runs `body` on a loop of its own, as a connection's task runs: it never leaves the loop.
func onLoop<R: Sendable>(
  _ body: @Sendable (isolated EventLoop) async throws -> R
) async throws -> R {
  let loop = try EventLoop(index: 0)
  try loop.start()
  defer { loop.stop() }
  return try await withTaskExecutorPreference(loop.executor) { try await loop.run(body) }
}

/// A server that follows scripts, one for each connection in order, on the loop of the client that
/// it tests: no other thread, and no time passes.
final class ScriptedServer: TCPAcceptor {
  var endpoint: Endpoint { listener?.endpoint ?? Endpoint(.path("")) }
  private let scripts: [[Step]]
  private let identity: TLSIdentity?
  private var listener: TCPListener?
  private(set) var connections: [ScriptedConnection] = []

  init(
    _ scripts: [[Step]], identity: TLSIdentity? = nil, on loop: isolated EventLoop
  ) throws {
    self.scripts = scripts
    self.identity = identity
    let admission = Admission(limit: 1000, limitPerAddress: 1000)
    listener = try TCPListener(
      Endpoint(.v4(0x7F00_0001, port: 0)), admission: admission, isExempt: { _ in true },
      acceptor: self)
    try listener?.start(on: loop)
  }

  func accepted(
    _ stream: consuming TCPStream, from peer: Peer, isExempt: Bool, on loop: isolated EventLoop
  ) {
    let script = connections.count < scripts.count ? scripts[connections.count] : []
    let connection = ScriptedConnection(stream, script, identity: identity)
    connections.append(connection)
    connection.start(on: loop)
  }

  /// What each connection received, as text.
  var received: [String] {
    connections.map { String(decoding: $0.received, as: UTF8.self) }
  }

  func stop(on loop: isolated EventLoop) {
    listener?.stop(on: loop)
    for connection in connections { connection.end(on: loop) }
  }
}

final class ScriptedConnection: Channel {
  private var stream: ByteStream?
  private var id: ChannelID?
  private var script: [Step]
  private var isSecured: Bool
  private var toSend: [UInt8] = []
  private var readLimit = Int.max
  private(set) var received: [UInt8] = []
  /// Whether the client has ended the connection.
  private(set) var sawEnd = false
  /// Whether all that was to be done is done.
  var isDone: Bool { script.isEmpty }
  /// Bytes of `received` that are a request already waited for.
  private var used = 0

  init(_ stream: consuming TCPStream, _ script: [Step], identity: TLSIdentity?) {
    var stream = ByteStream(stream)
    if let identity { stream.secure(with: identity.layer()) }
    self.stream = .some(stream)
    self.script = script
    isSecured = identity == nil
  }

  func start(on loop: isolated EventLoop) { id = stream?.register(self, on: loop) }

  func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? { nil }

  func end(on loop: isolated EventLoop) {
    if let id { loop.remove(id) }
    id = nil
    stream = nil
  }

  func ready(_ readiness: Readiness, on loop: isolated EventLoop) {
    guard id != nil else { return }
    if !isSecured {
      switch stream?.handshake() ?? .failed("") {
      case .done: isSecured = true
      case .wouldBlock: return
      case .failed: return end(on: loop)
      }
    }
    read(on: loop)
    play(on: loop)
  }

  private func read(on loop: isolated EventLoop) {
    while received.count < readLimit {
      var outcome = ReadOutcome.gone
      received.append(addingCapacity: min(4096, readLimit - received.count)) {
        outcome = stream?.read(into: &$0) ?? .gone
      }
      if outcome == .end || outcome == .gone { sawEnd = true }
      guard case .bytes = outcome else { return }
    }
  }

  private func play(on loop: isolated EventLoop) {
    while let step = script.first {
      switch step {
      case .request:
        guard let end = endOfRequest() else { return }
        used = end
      case .readOnly(let count):
        readLimit = count
        guard received.count >= count else { return }
      case .send(let text):
        if toSend.isEmpty { toSend = Array(text.utf8) }
        guard sendAll() else { return }
      case .sendBytes(let bytes):
        if toSend.isEmpty { toSend = bytes }
        guard sendAll() else { return }
      case .sendEndlessly(let text):
        repeat {
          if toSend.isEmpty { toSend = Array(text.utf8) }
        } while sendAll()
        return
      case .turns(let count):
        script[0] = .turns(count - 1)
        if count > 0 {
          if let id { loop.yield(id) }
          return
        }
      case .close:
        stream?.finish()
        return end(on: loop)
      case .drop: return end(on: loop)
      }
      script.removeFirst()
    }
  }

  private func sendAll() -> Bool {
    while !toSend.isEmpty {
      let outcome = stream?.write(toSend.span) ?? .gone
      guard case .bytes(let count) = outcome else { return false }
      toSend.removeFirst(count)
    }
    guard case .bytes? = stream?.flush() else { return false }
    return true
  }

  private func endOfRequest() -> Int? {
    let text = String(decoding: received[used...], as: UTF8.self)
    guard let head = text.firstRange(of: "\r\n\r\n") else { return nil }
    var length = 0
    for line in text[..<head.lowerBound].split(separator: "\r\n") {
      if line.hasPrefix("Content-Length: ") { length = Int(line.dropFirst(16)) ?? 0 }
    }
    let end = used + text[..<head.upperBound].utf8.count + length
    return end <= received.count ? end : nil
  }
}
