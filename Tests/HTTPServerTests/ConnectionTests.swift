import HTTPServer
import Kernel
import Net
import Testing

struct ConnectionTests {
  /// PERFORMANCE.md: recv, send, sendfile per warm GET; a 304 or a small body is two.
  @Test(arguments: [
    ("/file", [SystemCall.recv, .send, .sendfile]), ("/small", [.recv, .send]),
    ("/304", [.recv, .send]),
  ])
  func warmGetCosts(_ path: String, _ budget: [SystemCall]) async throws {
    let server = try await TestServer(file: try sparseFile(65_536), fileBytes: 65_536)
    let client = try server.client()
    for _ in 0..<3 { #expect(try client.ask(get(path)).lines.count > 2) }
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    for _ in 0..<5 { _ = try client.ask(get(path)) }
    let calls = SystemCallTrace.stop(thread: thread).filter { $0 != .epollWait && $0 != .write }
    #expect(calls == Array(repeating: budget, count: 5).flatMap { $0 })
    try await server.end()
  }

  /// RFC 9112 §9.3.2: answers come in the order of their requests, however many wait.
  @Test(arguments: [true, false])
  func pipelineIsAnsweredInOrder(_ halfCloses: Bool) async throws {
    let server = try await TestServer()
    let client = try server.client()
    let count = 100
    try client.send((0..<count).map { get("/\($0)") }.joined())
    if halfCloses { try client.finish() }
    for index in 0..<count { #expect(try client.readAnswer().text == "/\(index)") }
    if halfCloses { #expect(try client.readToEnd() == "") }
    try await server.probe.until("no report") { server.probe.all.count == count }
    #expect(server.probe.all.map(\.note) == (0..<count).map { "/\($0)" })
    try await server.end()
  }

  @Test func pipelineMixesTasksAndAnswersAtOnce() async throws {
    let server = try await TestServer()
    let client = try server.client()
    let requests = (0..<40).map { index in
      index % 3 == 0 ? post("/task/echo", "b\(index)") : get("/\(index)")
    }
    try client.send(requests.joined())
    for index in 0..<40 {
      #expect(try client.readAnswer().text == (index % 3 == 0 ? "b\(index)" : "/\(index)"))
    }
    try await server.end()
  }

  /// More than one read of the loop's buffer, ended in the middle of a head.
  @Test func pipelineIsLargerThanTheBuffer() async throws {
    let server = try await TestServer()
    let client = try server.client()
    let filler = "X-Filler: " + String(repeating: "f", count: 3000) + "\r\n"
    let all = (0..<120).map { get("/\($0)", filler) }.joined()
    let bytes = Array(all.utf8)
    var sent = 0
    for index in 0..<120 {
      while sent < bytes.count, let count = try client.attempt(bytes[sent...]) { sent += count }
      #expect(try client.readAnswer().text == "/\(index)")
    }
    try await server.end()
  }

  @Test func requestMayComeByteByByte() async throws {
    let server = try await TestServer()
    let client = try server.client()
    for byte in (get("/a") + post("/task/echo", "hello") + get("/b")).utf8 {
      try client.send([byte])
    }
    #expect(try client.readAnswer().text == "/a")
    #expect(try client.readAnswer().text == "hello")
    #expect(try client.readAnswer().text == "/b")
    try await server.end()
  }

  /// A client that ends its half at once gets its answer, and then the end, not 75 s later.
  @Test(arguments: ["/a", "/304", "/task/echo", "/task/stream", "/file"])
  func halfClosedClientIsAnswered(_ path: String) async throws {
    let server = try await TestServer(file: try sparseFile(10_000), fileBytes: 10_000)
    let client = try server.client()
    try client.send(get(path))
    try client.finish()
    _ = try client.readAnswer()
    #expect(try client.readToEnd() == "")
    try await server.untilNoConnections()
    #expect(server.probe.all.map(\.outcome.isAborted) == [false])
    try await server.end()
  }

  /// PROMISES.md: the client reads the status, not a reset, though its body is never read.
  @Test(arguments: ["/refuse", "/task/ignore", "/task/limit"])
  func earlyAnswerIsReadable(_ path: String) async throws {
    let server = try await TestServer()
    let client = try server.client()
    let total = 10_000_000
    try client.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(total)\r\n\r\n")
    try client.send([UInt8](repeating: 0x61, count: total))
    let answer = try client.readAnswer()
    #expect(answer.status == (path == "/task/ignore" ? 200 : 413))
    #expect(answer.value("Connection") == "close")
    try client.finish()
    #expect(try client.readToEnd() == "")
    try await server.untilNoConnections()
    try await server.end()
  }

  /// What comes behind an answer that ends the connection must not reset it either.
  @Test func requestsBehindAClosingAnswerAreSwallowed() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send((0..<2000).map { _ in get("/closing") }.joined())
    #expect(try client.readToEnd().hasSuffix("\r\n\r\nbye"))
    #expect(server.probe.all.count == 1)
    client.close()
    try await server.end()
  }

  @Test func malformedHeadIsRefusedAndClosed() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get("/a") + "GET / HTTP/1.1\nHost: a\r\n\r\n" + get("/b"))
    #expect(try client.readAnswer().status == 200)
    let refusal = try client.readAnswer()
    #expect(refusal.status == 400)
    #expect(refusal.value("Connection") == "close")
    #expect(try client.readToEnd() == "")
    client.close()
    try await server.end()
  }

  /// RFC 9110 §9.3.2: what was asked with HEAD is refused without a body, and only that; a method
  /// that was not read is not the last request's.
  @Test(
    arguments: [
      ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", false),
      ("HEAD / HTTP/1.1\r\n\r\n", false), ("HEAD //a HTTP/1.1\r\n", false),
      ("GET / HTTP/1.1\r\n\r\n", true), ("\nHEAD / HTTP/1.1\r\n", true),
    ] as [(String, Bool)])
  func refusedHeadHasNoBody(_ request: String, _ hasBody: Bool) async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + request)
    #expect(try client.readHead().status == 200)
    let refusal = try client.readHead()
    let length = try #require(refusal.value("Content-Length").flatMap { Int($0) })
    #expect(refusal.status == 400 && length > 0)
    #expect(try client.readToEnd().utf8.count == (hasBody ? length : 0))
    client.close()
    try await server.end()
  }

  /// RFC 9112 §9.3 and what we add: HTTP/1.0 closes unless asked.
  @Test(
    arguments: [
      ("GET /a HTTP/1.0\r\n\r\n", nil, true),
      ("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", false),
      ("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close", true),
      ("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", nil, false),
      ("POST /task/echo HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "close", true),
      (
        "POST /task/echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
        "keep-alive", false
      ),
    ] as [(String, String?, Bool)])
  func connectionGoesOnOrEnds(_ request: String, _ field: String?, _ ends: Bool) async throws {
    let server = try await TestServer()
    let client = try server.client()
    let answer = try client.ask(request)
    #expect(answer.status == 200)
    #expect(answer.value("Connection") == (field ?? (ends ? "close" : nil)))
    if ends {
      #expect(try client.readToEnd() == "")
    } else {
      #expect(try client.ask(get("/b")).text == "/b")
    }
    client.close()
    try await server.untilNoConnections()
    try await server.end()
  }
}
