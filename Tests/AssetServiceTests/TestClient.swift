import Kernel
import Net
import Wire

/// An answer as it came over the wire.
struct TestAnswer {
  var status: Int
  /// Status line and field lines, in order.
  var lines: [String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue { (try? JSONValue.parse(body.span)) ?? .null }
  /// `error.code`, `error.type` and `error.param` of an envelope.
  var code: String? { json["error"]?["code"]?.string }
  var type: String? { json["error"]?["type"]?.string }
  var param: String? { json["error"]?["param"]?.string }

  /// How many lines have this name.
  func count(of name: String) -> Int {
    let prefix = name.lowercased() + ":"
    return lines.dropFirst().filter { $0.lowercased().hasPrefix(prefix) }.count
  }

  subscript(name: String) -> String? {
    let prefix = name.lowercased() + ": "
    return lines.dropFirst().first { $0.lowercased().hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }
  }

  /// The field names but those that differ by nature.
  var fieldNames: [String] {
    lines.dropFirst().compactMap { $0.split(separator: ":").first.map(String.init) }
      .filter { !["Date", "x-request-id"].contains($0) }
  }
}

/// A client of exact bytes: it waits for the kernel and never sleeps.
final class TestClient {
  enum Failure: Error { case timeout, endBeforeAnswer(String) }
  private let socket: StreamSocket
  private var poller: Poller
  private var received: [UInt8] = []

  init(_ endpoint: Endpoint) throws {
    let socket = try StreamSocket.connect(to: endpoint)
    poller = try Poller(capacity: 4)
    try poller.add(socket.number, token: 1)
    self.socket = socket
  }

  private func wait() throws {
    guard try poller.wait(milliseconds: 60_000) > 0 else { throw Failure.timeout }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      if let count = try attempt(rest) { rest = rest.dropFirst(count) } else { try wait() }
    }
  }

  private func attempt(_ bytes: ArraySlice<UInt8>) throws -> Int? {
    do throws(Errno) { return try socket.send(bytes.span, more: false) } catch {
      // ENOTCONN: not connected yet. EPIPE, ECONNRESET: the answer is already there.
      if error.code == 107 { return nil }
      if error.code == 32 || error.code == 104 { return bytes.count }
      throw error
    }
  }

  /// Ends its half; it still reads.
  func finish() throws { try socket.finishSending() }

  /// Reads what comes next; `false` at the end.
  private func readSome() throws -> Bool {
    while true {
      var chunk: [UInt8] = []
      var count: Int?
      try chunk.append(addingCapacity: 65_536) { output in
        count = try socket.receive(into: &output)
      }
      received += chunk
      if let count { return count > 0 }
      try wait()
    }
  }

  /// Reads one whole answer; interim ones are answers, too.
  func readAnswer(to method: String = "GET") throws -> TestAnswer {
    let end = Array("\r\n\r\n".utf8)
    var scanned = 0
    while received.dropFirst(scanned).firstRange(of: end) == nil {
      scanned = max(0, received.count - 3)
      guard try readSome() else {
        throw Failure.endBeforeAnswer(String(decoding: received, as: UTF8.self))
      }
    }
    guard let range = received.firstRange(of: end) else { throw Failure.timeout }
    let lines = String(decoding: received[..<range.lowerBound], as: UTF8.self)
      .split(separator: "\r\n").map(String.init)
    received.removeSubrange(..<range.upperBound)
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    var answer = TestAnswer(status: status, lines: lines, body: [])
    let length = answer["Content-Length"].flatMap { Int($0) } ?? 0
    guard method != "HEAD", status != 304 else { return answer }
    while received.count < length {
      guard try readSome() else {
        throw Failure.endBeforeAnswer("body of \(received.count) bytes, not \(length)")
      }
    }
    answer.body = Array(received.prefix(length))
    received.removeFirst(length)
    return answer
  }

  /// Whether nothing of an answer has come yet.
  var isSilent: Bool {
    get throws {
      var bytes: [UInt8] = []
      var count: Int?
      try bytes.append(addingCapacity: 1) { output in count = try socket.receive(into: &output) }
      received += bytes
      return count == nil
    }
  }

  /// How many bytes come before the server closes.
  func countRest() throws -> Int {
    while try readSome() {}
    return received.count
  }

  /// Sends a request and reads its answer.
  func ask(
    _ method: String, _ path: String, _ fields: [(String, String)] = [], body: [UInt8]? = nil
  ) throws -> TestAnswer {
    var head = "\(method) \(path) HTTP/1.1\r\n"
    let names = fields.map { $0.0.lowercased() }
    if !names.contains("host") { head += "Host: 127.0.0.1\r\n" }
    if let body, !names.contains("content-length") { head += "Content-Length: \(body.count)\r\n" }
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    try send(Array((head + "\r\n").utf8) + (body ?? []))
    return try readAnswer(to: method)
  }
}
