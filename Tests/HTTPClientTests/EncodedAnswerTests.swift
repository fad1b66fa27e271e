import HTTPClient
import Testing

/// Bodies that come encoded although nothing was offered (RFC 9110 §8.4).
struct EncodedAnswerTests {
  private static let gzip = "1f8b0800000000000003cb48cdc9c9070086a6103605000000"
  private static let badSum = "1f8b0800000000000003cb48cdc9c907000000000005000000"
  private static let zlib = "789ccb48cdc9c90700062c0215"
  private static let bare = "cb48cdc9c90700"

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let coding: String
    var body = ""
    var expected = Answer.success(200, "hello")
  }

  static let cases = [
    Case(testDescription: "gzip", coding: "gzip", body: gzip),
    Case(testDescription: "x-gzip", coding: "X-GZip", body: gzip),
    Case(testDescription: "zlib", coding: "deflate", body: zlib),
    Case(testDescription: "bare deflate", coding: "deflate", body: bare),
    Case(testDescription: "gzip and words", coding: "identity, gzip, utf-8", body: gzip),
    Case(testDescription: "none", coding: "none", body: "68656c6c6f"),
    Case(testDescription: "identity", coding: "Identity", body: "68656c6c6f"),
    Case(testDescription: "a charset", coding: "UTF-8", body: "68656c6c6f"),
    Case(testDescription: "nothing", coding: "gzip", body: "", expected: .success(200, "")),
    Case(
      testDescription: "a wrong sum", coding: "gzip", body: badSum,
      expected: .failure(.malformed("the compressed body: badChecksum"), after: 200)),
    Case(
      testDescription: "a cut body", coding: "gzip", body: String(gzip.dropLast(8)),
      expected: .failure(.malformed("the compressed body is cut"), after: 200)),
    Case(
      testDescription: "no gzip", coding: "gzip", body: "68656c6c6f",
      expected: .failure(.malformed("the compressed body: badHeader"), after: 200)),
    Case(
      testDescription: "br", coding: "br", body: "00",
      expected: .failure(.unsupportedCoding("br"), after: 200)),
    Case(
      testDescription: "twice", coding: "gzip, gzip", body: gzip,
      expected: .failure(.unsupportedCoding("gzip, gzip"), after: 200)),
  ]

  private static func bytes(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.utf8.count, by: 2).map { place in
      let start = hex.index(hex.startIndex, offsetBy: place)
      return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16) ?? 0
    }
  }

  /// The answer by its length, in chunks of one byte, and until the end.
  private static func scripts(_ row: Case) -> [[Step]] {
    let body = bytes(row.body)
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: \(row.coding)\r\n"
    let chunks = body.flatMap { Array("1\r\n".utf8) + [$0] + Array("\r\n".utf8) }
    return [
      [.request, .send(head + "Content-Length: \(body.count)\r\n\r\n"), .sendBytes(body)],
      [
        .request, .send(head + "Transfer-Encoding: chunked\r\n\r\n"),
        .sendBytes(chunks + Array("0\r\n\r\n".utf8)),
      ],
      [.request, .send(head + "\r\n"), .sendBytes(body), .close],
      [.request, .send(head + "Content-Length: \(body.count)\r\n\r\n")]
        + body.flatMap { [.sendBytes([$0]), .turns(3)] },
    ]
  }

  @Test(arguments: cases)
  func read(_ row: Case) async throws {
    for script in Self.scripts(row) {
      #expect(try await Calls().answer(script) == row.expected)
    }
  }

  @Test("An error that is encoded keeps its status; a connection goes on behind an encoded body")
  func errors() async throws {
    let body = Self.bytes(Self.gzip)
    let head =
      "HTTP/1.1 429 Slow\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"
    var calls = Calls()
    calls.count = 2
    let step: [Step] = [.request, .send(head), .sendBytes(body)]
    let outcome = try await calls.run([step + step])
    #expect(outcome.answers == [.success(429, "hello"), .success(429, "hello")])
    #expect(outcome.idle == 1)
  }

  @Test("The limit is for what comes out, and for what comes in")
  func limits() async throws {
    var calls = Calls()
    calls.change = { _, request in request.responseLimit = 4 }
    let row = Self.cases[0]
    for script in Self.scripts(row) {
      let answer = try await calls.answer(script)
      #expect(answer == .failure(.tooLarge(limit: 4), after: 200))
    }
    calls.change = { _, request in request.responseLimit = 1000 }
    let empty = [[UInt8]](repeating: [0, 0, 0, 0xFF, 0xFF], count: 1000).flatMap { $0 }
    let answer = try await calls.answer([
      .request, .send("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n"), .sendBytes(empty),
    ])
    #expect(answer == .failure(.tooLarge(limit: 1000), after: 200))
  }

  @Test("Without a body nothing is decoded", arguments: ["gzip", "br"])
  func noBody(_ coding: String) async throws {
    let field = "Content-Encoding: \(coding)\r\n"
    let none = try await Calls().answer(.answer("HTTP/1.1 204 No Content\r\n\(field)\r\n"))
    #expect(none == .success(204, ""))
    var calls = Calls()
    calls.change = { _, request in request.method = .head }
    let head = try await calls.answer(
      .answer("HTTP/1.1 200 OK\r\n\(field)Content-Length: 9\r\n\r\n"))
    #expect(head == .success(200, ""))
  }
}
