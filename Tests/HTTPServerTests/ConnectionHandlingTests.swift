import HTTPServer
import Kernel
import Net
import Testing

struct ConnectionHandlingTests {
  /// A handler shares its loop's state without a lock: it must not run beside it.
  @Test func handlerRunsOnItsLoop() async throws {
    let server = try await TestServer()
    let client = try server.client()
    #expect(try client.ask(post("/listed/echo", "x")).text == "x")
    #expect(server.probe.has("thread \(await server.thread)"))
    try await server.end()
  }

  /// Every kind of answer goes out whole, and the connection goes on.
  @Test(arguments: [
    ("/task/none", 200, 0), ("/task/204", 204, 0), ("/task/large", 200, 3_000_000),
    ("/task/file", 200, 500_000), ("/task/stream", 200, 10_000),
    ("/task/stream-huge", 200, 32_000_000),
  ])
  func answerIsWhole(_ path: String, _ status: Int, _ count: Int) async throws {
    let server = try await TestServer(file: try sparseFile(500_000), fileBytes: 500_000)
    let client = try server.client()
    for _ in 0..<2 {
      let answer = try client.ask(get(path))
      #expect(answer.status == status)
      #expect(answer.body.count == count)
    }
    // The client has the last byte before the server has reported it.
    try await server.probe.until("no report") { !server.probe.all.isEmpty }
    let report = try #require(server.probe.all.first)
    #expect(report.outcome.bodyBytes == Int64(count))
    #expect(report.note == path)
    try await server.end()
  }

  /// The handler of a client that left goes on to its end; what it holds of the server does not
  /// wait for it where the departure can be seen.
  @Test(arguments: ["/task/gate", "/task/gate-then-read"])
  func clientLeavesDuringHandler(_ path: String) async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(post(path, "x"))
    try await server.probe.until("no handler") { server.probe.waiting == 1 }
    client.close()
    server.probe.open()
    try await server.probe.until("no end") { server.probe.has("end " + path) }
    try await server.untilNoConnections()
    try await server.probe.until("no report") { server.probe.all.count == 1 }
    try await server.end()
  }

  /// A reset is seen at once: closing with unread bytes (the 100) sends one.
  @Test func resetDuringHandlerFreesTheConnection() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(
      "POST /task/stream-gated HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    try await server.probe.until("no handler") { server.probe.waiting == 1 }
    client.close()
    try await server.untilNoConnections()
    #expect(!server.probe.has("end /task/stream-gated x"))
    let report = try #require(server.probe.all.first)
    #expect(report.outcome.isAborted)
    #expect(report.outcome.bodyBytes == 5000)
    server.probe.open()
    try await server.probe.until("no end") { server.probe.has("write failed") }
    #expect(server.probe.all.count == 1)
    try await server.end()
  }

  /// Only a closed connection can say that a body is not whole.
  @Test(arguments: [
    ("/task/stream-broken", 5000), ("/task/stream-short", 9000), ("/task/stream-long", 10_000),
  ])
  func brokenStreamClosesTheConnection(_ path: String, _ count: Int) async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get(path) + get("/next"))
    let head = try client.readHead()
    #expect(head.value("Content-Length") == "10000")
    #expect(try client.readToEnd().utf8.count == count)
    let report = try #require(server.probe.all.first)
    #expect(report.outcome.isAborted)
    #expect(report.outcome.bodyBytes == Int64(count))
    #expect(server.probe.all.count == 1)
    // An operator hears why.
    #expect(server.probe.has("failed Broken()") == (path == "/task/stream-broken"))
    try await server.end()
  }

  /// A reader that does not read holds the producer, not our memory.
  @Test func streamWaitsForItsReader() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get("/task/stream-huge") + get("/next"))
    _ = try client.readHead()
    let other = try server.client()
    #expect(try other.ask(get("/a")).text == "/a")
    try await server.probe.until("no report") { server.probe.all.map(\.note) == ["/a"] }
    while client.received.count < 32_000_000 { try client.readSome() }
    #expect(try other.ask(get("/b")).text == "/b")
    client.close()
    try await server.end()
  }
}
