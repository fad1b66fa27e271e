import HTTPServer
import Kernel
import Net
import Testing

struct BodyReaderTests {
  private let chunked = "POST /task/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

  /// RFC 9112 §7.1: however the body is split, and with the next request behind it.
  @Test func bodyIsReadHoweverItIsSplit() async throws {
    let server = try await TestServer()
    let requests = [
      chunked + "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n" + get("/next"),
      post("/task/echo", "hello!") + get("/next"),
    ]
    for request in requests {
      let bytes = Array(request.utf8)
      for split in stride(from: 0, to: bytes.count, by: 3) {
        let client = try server.client()
        try client.send(Array(bytes[..<split]))
        try client.send(Array(bytes[split...]))
        #expect(try client.readAnswer().text == "hello!")
        #expect(try client.readAnswer().text == "/next")
      }
    }
    try await server.end()
  }

  @Test(arguments: [
    ("Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n", 413, "tooLarge"),
    ("Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "malformed"),
    ("Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400, "malformed"),
    ("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 400, "malformed"),
  ])
  func badBodyIsRefusedAndTheConnectionCloses(
    _ rest: String, _ status: Int, _ text: String
  ) async throws {
    let server = try await TestServer()
    let client = try server.client()
    // What looks like a request behind it must not be served: its place is not certain.
    try client.send("POST /task/limit HTTP/1.1\r\nHost: a\r\n" + rest + get("/smuggled"))
    let answer = try client.readAnswer()
    #expect(answer.status == status)
    #expect(answer.text == text)
    #expect(answer.value("Connection") == "close")
    #expect(try client.readToEnd() == "")
    #expect(server.probe.all.count == 1)
    client.close()
    try await server.end()
  }

  /// A declared length needs no reading to be refused; what has come of it is dropped.
  @Test func declaredLengthIsRefusedBeforeReading() async throws {
    let server = try await TestServer()
    let client = try server.client()
    #expect(try client.ask(post("/task/limit", "hello world")).text == "tooLarge")
    #expect(try client.ask(get("/next")).text == "/next")
    try client.send("POST /task/limit HTTP/1.1\r\nHost: a\r\nContent-Length: \(Int64.max)\r\n\r\n")
    let answer = try client.readAnswer()
    #expect(answer.text == "tooLarge")
    #expect(answer.value("Connection") == "close")
    client.close()
    try await server.end()
  }

  /// After a reader's own error the place in the body is lost.
  @Test func failedReaderClosesTheConnection() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(post("/task/one-byte", "hello") + get("/smuggled"))
    #expect(try client.readAnswer().value("Connection") == "close")
    #expect(try client.readToEnd() == "")
    client.close()
    try await server.end()
  }

  @Test func unreadBodyThatHasComeIsDropped() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(post("/task/ignore", "hello") + get("/next"))
    let answer = try client.readAnswer()
    #expect(answer.value("Connection") == nil)
    #expect(try client.readAnswer().text == "/next")
    try await server.end()
  }

  /// RFC 9110 §10.1.1.
  @Test func continueIsSentWhenTheBodyIsWanted() async throws {
    let server = try await TestServer()
    let client = try server.client()
    let head =
      "POST /task/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
    try client.send(head + "\r\n")
    let interim = try client.readHead()
    #expect(interim.lines == ["HTTP/1.1 100 Continue"])
    try client.send("hello")
    #expect(try client.readAnswer().text == "hello")
    // A client that does not wait needs none.
    #expect(try client.ask(head + "\r\nhello").text == "hello")
    try await server.end()
  }

  @Test(arguments: ["/refuse", "/task/limit", "/task/ignore"])
  func continueIsNotSentWhenTheBodyIsRefused(_ path: String) async throws {
    let server = try await TestServer()
    let client = try server.client()
    let answer = try client.ask(
      "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n")
    #expect(answer.status != 100)
    #expect(answer.value("Connection") == "close")
    #expect(try client.readToEnd() == "")
    client.close()
    try await server.end()
  }

  /// A large body shares the loop: another client is answered while it comes, and all of it comes.
  @Test func largeBodyComesWhole() async throws {
    let server = try await TestServer()
    let client = try server.client()
    let count = 20_000_000
    try client.send("POST /task/echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n")
    try client.send([UInt8](repeating: 0x61, count: count))
    #expect(try client.readAnswer().body.count == count)
    try await server.end()
  }

  /// H8: a client that leaves in the middle of its head or body.
  @Test(arguments: [
    "GET / HT", "POST /task/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
  ])
  func clientLeavesInTheMiddle(_ text: String) async throws {
    let server = try await TestServer()
    for _ in 0..<20 {
      let client = try server.client()
      _ = try client.ask(get("/a"))
      try client.send(text)
      client.close()
    }
    try await server.untilNoConnections()
    try await server.end()
  }

  /// A client that ends its half too early can still be told so.
  @Test func halfABodyIsAnError() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send("POST /task/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    try client.finish()
    let answer = try client.readAnswer()
    #expect(answer.text == "disconnected")
    #expect(try client.readToEnd() == "")
    try await server.end()
  }
}
