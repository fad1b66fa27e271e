// The bench's own client: one blocking connection on the loopback interface, one request at a time.
internal import Foundation
internal import Kernel
internal import Wire

/// One keep-alive connection to a server of this machine.
final class LoopbackClient {
  /// An answer that came.
  struct Answer {
    let status: Int
    /// With its quotes.
    let etag: String?
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
  }
  private let port: UInt16
  private let socket: StreamSocket
  private var input = ByteBuffer(capacity: 256 << 10)

  init(port: UInt16) throws {
    self.port = port
    socket = try StreamSocket.connect(to: SocketAddress(.v4(0x7F00_0001, port: port)))
    // O_NONBLOCK is the only status flag that it has: from here on calls wait (fcntl(2)).
    guard fcntl(socket.number, F_SETFL, 0) == 0 else {
      throw Trouble("A socket can not be made blocking.")
    }
  }

  /// GET or HEAD.
  func fetch(_ path: String, method: String = "GET", fields: String = "") throws -> Answer {
    try send("\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(fields)\r\n".utf8.span)
    return try receive(isHead: method == "HEAD")
  }

  /// GET of a body that nobody needs; its length.
  func pass(_ path: String) throws -> Int {
    try send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n".utf8.span)
    var count = 0
    let (status, _) = try receive(isHead: false) { count += $0.count }
    guard status == 200 else { throw Trouble("A server answered \(status) to \(path).") }
    return count
  }

  /// POST of a body in pieces.
  func post(_ path: String, type: String, _ pieces: [[UInt8]]) throws -> Answer {
    let length = pieces.reduce(0) { $0 + $1.count }
    let head =
      "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Type: \(type)\r\n"
      + "Content-Length: \(length)\r\n\r\n"
    try send(head.utf8.span, more: true)
    for (index, piece) in pieces.enumerated() {
      try send(piece.span, more: index < pieces.count - 1)
    }
    return try receive(isHead: false)
  }

  /// POST that must be answered with `status`.
  @discardableResult
  func expect(
    _ status: Int, _ path: String, _ type: String, _ pieces: [[UInt8]]
  ) throws -> Answer {
    let answer = try post(path, type: type, pieces)
    guard answer.status == status else {
      throw Trouble("POST \(path) was answered with \(answer.status): \(answer.text)")
    }
    return answer
  }

  private func send(_ bytes: Span<UInt8>, more: Bool = false) throws {
    var done = 0
    repeat {
      done += try socket.send(bytes.extracting(done..<bytes.count), more: more) ?? 0
    } while done < bytes.count
  }

  private func receive(isHead: Bool) throws -> Answer {
    var body: [UInt8] = []
    let (status, etag) = try receive(isHead: isHead) { bytes in
      body.append(addingCapacity: bytes.count) { free in
        for index in bytes.indices { free.append(bytes[index]) }
      }
    }
    return Answer(status: status, etag: etag, body: body)
  }

  /// Hands the body on as it comes.
  private func receive(
    isHead: Bool, _ take: (Span<UInt8>) -> Void
  ) throws -> (status: Int, etag: String?) {
    input.removeAll()
    var head = ResponseHead()
    let headLength = try receive(&head, isHead: isHead)
    let etag = input.withSpan { bytes in
      head.value(of: .etag).map { range in
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
      }
    }
    input.removeFirst(headLength)
    var missing: Int
    switch head.body {
    case .none: missing = 0
    case .length(let count): missing = Int(count)
    case .chunked, .untilClose: throw Trouble("An answer has no Content-Length.")
    }
    while missing > 0 {
      if input.isEmpty { try fill() }
      missing -= input.count
      input.withSpan(take)
      input.removeAll()
    }
    return (head.status, etag)
  }

  private func receive(_ head: inout ResponseHead, isHead: Bool) throws -> Int {
    while true {
      try fill()
      switch input.withSpan({ head.parse($0, answersHead: isHead) }) {
      case .incomplete: continue
      case .unfold: throw Trouble("An answer has folded lines.")
      case .reject(let reason): throw Trouble("An answer can not be read: \(reason).")
      case .complete(let length): return length
      }
    }
  }

  private func fill() throws {
    input.reserve(64 << 10)
    let count = try input.appendInPlace { try socket.receive(into: &$0) }
    guard let count, count > 0 else { throw Trouble("A server closed the connection.") }
  }
}
