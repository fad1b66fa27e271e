internal import Wire

/// A message of a peer: head lines and a body with its length.
struct HTTPAnswer {
  /// Of an answer; 0 for a request.
  let status: Int
  private let lines: [Substring]
  let body: [UInt8]

  /// The value of a field.
  subscript(name: String) -> String? {
    let prefix = name.lowercased() + ": "
    return lines.first { $0.lowercased().hasPrefix(prefix) }.map {
      String($0.dropFirst(prefix.count))
    }
  }

  var json: JSONValue { (try? JSONValue.parse(body.span)) ?? .null }

  /// Reads one message, and leaves what follows it for the next call.
  static func read(from peer: RawConnection, _ rest: inout [UInt8]) throws -> HTTPAnswer {
    func fill() throws {
      let more = peer.read()
      guard !more.isEmpty else { throw WrongAnswer("A connection ended before its answer.") }
      rest += more
    }
    let end = Array("\r\n\r\n".utf8)
    while rest.firstRange(of: end) == nil { try fill() }
    guard let range = rest.firstRange(of: end) else { throw WrongAnswer("There is no head.") }
    let lines = String(decoding: rest[..<range.lowerBound], as: UTF8.self).split(separator: "\r\n")
    rest.removeSubrange(..<range.upperBound)
    let start = lines.first?.split(separator: " ") ?? []
    let head = HTTPAnswer(
      status: start.dropFirst().first.flatMap { Int($0) } ?? 0, lines: lines, body: [])
    let length = head["Content-Length"].flatMap { Int($0) } ?? 0
    while rest.count < length { try fill() }
    defer { rest.removeFirst(length) }
    return HTTPAnswer(status: head.status, lines: lines, body: Array(rest.prefix(length)))
  }

  /// The same where one request waits for its answer: nothing follows.
  static func read(from peer: RawConnection) throws -> HTTPAnswer {
    var rest: [UInt8] = []
    return try read(from: peer, &rest)
  }
}
