import HTTPClient
import Testing

/// How answers are read (RFC 9112 §6.3), whole and however they are cut.
struct AnswerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: String
    let expected: Answer
    var closes = false
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "Content-Length", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      expected: .success(200, "hello")),
    Case(
      name: "empty", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      expected: .success(200, "")),
    Case(
      name: "no content, RFC 9110 §15.3.5", bytes: "HTTP/1.1 204 No Content\r\n\r\n",
      expected: .success(204, "")),
    Case(
      name: "chunked, RFC 9112 §7.1",
      bytes:
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n",
      expected: .success(200, "hello")),
    Case(
      name: "until close", bytes: "HTTP/1.1 200 OK\r\n\r\nhello",
      expected: .success(200, "hello"), closes: true),
    Case(
      name: "interim answers, RFC 9110 §15.2",
      bytes:
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
      expected: .success(404, "no")),
    Case(
      name: "no reason phrase", bytes: "HTTP/1.1 500\r\nContent-Length: 1\r\n\r\n!",
      expected: .success(500, "!")),
    Case(
      name: "identity, RFC 9110 §12.5.3",
      bytes: "HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 1\r\n\r\n!",
      expected: .success(200, "!")),
    Case(
      name: "truncated length", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
      expected: .failure(.brokeOff, after: 200), closes: true),
    Case(
      name: "truncated chunk",
      bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
      expected: .failure(.brokeOff, after: 200), closes: true),
    Case(
      name: "no last chunk, RFC 9112 §8",
      bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      expected: .failure(.brokeOff, after: 200), closes: true),
    Case(
      name: "broken chunk",
      bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n",
      expected: .failure(.malformed("chunked body: missingLineEnd"), after: 200)),
    Case(
      name: "half a head", bytes: "HTTP/1.1 200 OK\r\nContent-",
      expected: .failure(.brokeOff), closes: true),
    Case(
      name: "two framings, RFC 9112 §6.3",
      bytes: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5\r\nhello\r\n0\r\n\r\n",
      expected: .success(200, "hello")),
    Case(
      name: "chunk sizes with white space behind them",
      bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5   \r\nhello\r\n0 \t\r\n\r\n",
      expected: .success(200, "hello")),
    Case(
      name: "a folded line, RFC 9112 §5.2",
      bytes: "HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length:\r\n 5\r\n\r\nhello",
      expected: .success(200, "hello")),
    Case(
      name: "two lengths",
      bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
      expected: .failure(.malformed("badContentLength"))),
    Case(
      name: "not HTTP", bytes: "SSH-2.0-OpenSSH_9.2p1\r\n",
      expected: .failure(.malformed("badStatusLine"))),
    Case(
      name: "another protocol, RFC 9110 §15.2.2",
      bytes: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      expected: .failure(.malformed("interim answers"))),
    Case(
      name: "endless interim answers",
      bytes: String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 17),
      expected: .failure(.malformed("interim answers"))),
  ]

  @Test(arguments: cases)
  func wholeAndByteByByte(_ row: Case) async throws {
    let end: [Step] = row.closes ? [.close] : []
    let whole = try await Calls().answer(.answer([row.bytes], then: end))
    #expect(whole == row.expected)
    guard row.bytes.utf8.count < 200 else { return }
    let bytes = try await Calls().answer(.answer(row.bytes.map { "\($0)" }, then: end))
    #expect(bytes == row.expected)
  }

  @Test(arguments: cases)
  func splitAnywhere(_ row: Case) async throws {
    let text = Array(row.bytes.utf8)
    guard text.count < 200 else { return }
    let scripts = (1..<text.count).map { split in
      [Step].answer(
        [text[..<split], text[split...]].map { String(decoding: $0, as: UTF8.self) },
        then: row.closes ? [.close] : [])
    }
    var calls = Calls()
    calls.count = scripts.count
    calls.change = { _, request in request.freshConnection = true }
    let outcome = try await calls.run(scripts)
    #expect(outcome.answers.count == scripts.count)
    for (index, answer) in outcome.answers.enumerated() {
      #expect(answer == row.expected, "split at \(index + 1)")
    }
  }

  @Test("A HEAD has no body, whatever its answer says (RFC 9110 §9.3.2)")
  func head() async throws {
    var calls = Calls()
    calls.change = { _, request in request.method = .head }
    let answer = try await calls.answer(
      .answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
    #expect(answer == .success(200, ""))
  }

  @Test("A head without end is given up at its limit")
  func endlessHead() async throws {
    let line = "X: " + String(repeating: "y", count: 1000) + "\r\n"
    let answer = try await Calls().answer(
      .answer("HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 70)))
    #expect(answer == .failure(.malformed("fieldsTooLarge")))
  }

  @Test("More than the limit is refused: by the announced length, or while it comes")
  func tooLarge() async throws {
    var calls = Calls()
    calls.change = { _, request in request.responseLimit = 4 }
    let announced = try await calls.answer(
      .answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
    #expect(announced == .failure(.tooLarge(limit: 4), after: 200))
    let chunked = try await calls.answer(
      .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    #expect(chunked == .failure(.tooLarge(limit: 4), after: 200))
  }

  @Test("Megabytes arrive whole")
  func large() async throws {
    let body = String(repeating: "0123456789abcdef", count: 200_000)
    let answer = try await Calls().answer(
      .answer("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body))
    #expect(answer.body == body)
  }
}
