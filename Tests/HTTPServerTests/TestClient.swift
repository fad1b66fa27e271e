import Kernel
import Net

/// An answer as a client reads it.
struct TestAnswer {
  var status: Int
  /// Status line and field lines, in order.
  var lines: [String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }

  /// The values of a field, in order.
  func values(_ name: String) -> [String] {
    let prefix = name.lowercased() + ": "
    return lines.dropFirst().filter { $0.lowercased().hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }
  }
  func value(_ name: String) -> String? { values(name).first }
}

/// A client that waits for the kernel and never sleeps.
final class TestClient {
  enum Failure: Error { case timeout, endBeforeAnswer(String) }
  private var socket: StreamSocket?
  private var poller: Poller
  private(set) var received: [UInt8] = []
  private(set) var hasEnded = false

  init(_ endpoint: Endpoint) throws {
    let socket = try StreamSocket.connect(to: endpoint)
    poller = try Poller(capacity: 4)
    try poller.add(socket.number, token: 1)
    self.socket = .some(socket)
  }

  private func wait() throws {
    guard try poller.wait(milliseconds: 10_000) > 0 else { throw Failure.timeout }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let count = try attempt(rest) else {
        try wait()
        continue
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Sends what there is room for now.
  func attempt(_ bytes: ArraySlice<UInt8>) throws -> Int? {
    do throws(Errno) { return try socket?.send(bytes.span, more: false) } catch {
      // Not connected yet.
      guard error.code == 107 else { throw error }
      return nil
    }
  }

  /// Ends our half.
  func finish() throws { try socket?.finishSending() }

  /// Closes with a reset instead of an end.
  func reset() throws {
    try socket?.forgetWhenClosed()
    socket = nil
  }

  /// Closes; with unread bytes in the kernel that is a reset.
  func close() { socket = nil }

  /// Reads what comes next; `false` at the end.
  @discardableResult
  func readSome() throws -> Bool {
    while true {
      var chunk: [UInt8] = []
      var count: Int?
      try chunk.append(addingCapacity: 65_536) { output in
        count = try socket?.receive(into: &output)
      }
      received += chunk
      if count == 0 {
        hasEnded = true
        return false
      }
      if count != nil { return true }
      try wait()
    }
  }

  /// Reads to the end of the connection; what was not taken as an answer before.
  func readToEnd() throws -> String {
    while try readSome() {}
    return String(decoding: received, as: UTF8.self)
  }

  /// Reads up to the end of a head.
  func readHead() throws -> TestAnswer {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let range = received.firstRange(of: end) {
        let head = String(decoding: received[..<range.lowerBound], as: UTF8.self)
        received.removeSubrange(..<range.upperBound)
        let lines = head.split(separator: "\r\n").map(String.init)
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return TestAnswer(status: status ?? 0, lines: lines, body: [])
      }
      guard try readSome() else {
        throw Failure.endBeforeAnswer(String(decoding: received, as: UTF8.self))
      }
    }
  }

  /// Reads one whole answer.
  func readAnswer(isHead: Bool = false) throws -> TestAnswer {
    var answer = try readHead()
    guard !isHead, let length = answer.value("Content-Length").flatMap({ Int($0) }) else {
      return answer
    }
    while received.count < length {
      guard try readSome() else {
        throw Failure.endBeforeAnswer("body of \(received.count) bytes, not \(length)")
      }
    }
    answer.body = Array(received.prefix(length))
    received.removeFirst(length)
    return answer
  }

  /// Sends a request and reads its answer.
  func ask(_ request: String) throws -> TestAnswer {
    try send(request)
    return try readAnswer(isHead: request.hasPrefix("HEAD"))
  }
}

func get(_ path: String, _ fields: String = "") -> String {
  "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
}

func post(_ path: String, _ body: String, _ fields: String = "") -> String {
  "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}
