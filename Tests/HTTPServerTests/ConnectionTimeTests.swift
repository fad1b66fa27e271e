import HTTPServer
import Kernel
import Net
import Testing

@testable import HTTPServer

/// Deadlines, with limits so small that nobody has to sleep.
struct ConnectionTimeTests {
  private func limits(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
    var limits = ServerLimits()
    change(&limits)
    return limits
  }

  @Test func silentConnectionIsClosed() async throws {
    let server = try await TestServer(limits: limits { $0.headerTimeout = 1_000_000 })
    let client = try server.client()
    #expect(try client.readToEnd() == "")
    try await server.untilNoConnections()
    #expect(server.probe.all.isEmpty)
    try await server.end()
  }

  /// RFC 9110 §15.5.9.
  @Test func slowHeadIsAnswered408() async throws {
    // Long enough for a busy machine to send the first byte: who sends none is not answered.
    let server = try await TestServer(limits: limits { $0.headerTimeout = 1_000_000_000 })
    let client = try server.client()
    try client.send("GET / HTTP/1.1\r\nHo")
    let answer = try client.readAnswer()
    #expect(answer.status == 408)
    #expect(answer.value("Connection") == "close")
    #expect(try client.readToEnd() == "")
    client.close()
    try await server.end()
  }

  @Test func idleConnectionIsClosed() async throws {
    let server = try await TestServer(limits: limits { $0.idleTimeout = 1_000_000 })
    let client = try server.client()
    #expect(try client.ask(get("/a")).status == 200)
    #expect(try client.readToEnd() == "")
    try await server.end()
  }

  /// RFC 9110 §15.5.9: a body that stops coming is answered, for its sender may still read.
  @Test func stalledBodyIsAnswered408() async throws {
    let server = try await TestServer(limits: limits { $0.paceInterval = 20_000_000 })
    let client = try server.client()
    try client.send("POST /task/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
    let answer = try client.readAnswer()
    #expect(answer.status == 408 && answer.text == "tooSlow")
    #expect(answer.value("Connection") == "close")
    #expect(try client.readToEnd() == "")
    client.close()
    try await server.end()
  }

  /// A reader that is slow but reads is served to the end, although the kernel takes nothing from
  /// us for many looks: it says that there is room only when a third of its buffer is free.
  @Test(arguments: ["/file", "/task/stream-huge"])
  func slowReaderGetsItAll(_ path: String) async throws {
    let server = try await TestServer(
      limits: limits {
        // Long enough for a busy machine to read something in it.
        $0.paceInterval = 1_500_000_000
        $0.paceBytes = 1
      }, file: try sparseFile(32_000_000), fileBytes: 32_000_000)
    let thread = await server.thread
    let client = try server.client()
    SystemCallTrace.start(thread: thread)
    try client.send(get(path))
    _ = try client.readHead()
    // A little for each look that the server takes at it.
    for _ in 0..<3 {
      try client.readSome()
      try await server.probe.until("no look") {
        let calls = SystemCallTrace.stop(thread: thread)
        SystemCallTrace.start(thread: thread)
        return calls.contains(.ioctl)
      }
    }
    _ = SystemCallTrace.stop(thread: thread)
    while client.received.count < 32_000_000 { try #require(try client.readSome()) }
    try await server.probe.until("no report") { server.probe.all.count == 1 }
    #expect(server.probe.all.first?.outcome.isAborted == false)
    try await server.end()
  }

  /// A reader that stops reading is given up.
  @Test(arguments: ["stream", "file"])
  func stalledPeerIsGivenUp(_ kind: String) async throws {
    let server = try await TestServer(
      limits: limits {
        $0.paceInterval = 20_000_000
        $0.paceBytes = 1000
      }, file: try sparseFile(64_000_000), fileBytes: 64_000_000)
    let thread = await server.thread
    let client = try server.client()
    SystemCallTrace.start(thread: thread)
    switch kind {
    case "stream": try client.send(get("/task/stream-huge"))
    default: try client.send(get("/file"))
    }
    try await server.probe.until("not given up") { server.probe.all.count == 1 }
    try await server.untilNoConnections()
    let outcome = try #require(server.probe.all.first).outcome
    #expect(outcome.isAborted)
    #expect(outcome.bodyBytes < 64_000_000)
    // The kernel must not go on offering what nobody reads (SO_LINGER).
    #expect(SystemCallTrace.stop(thread: thread).contains(.setsockopt))
    try await server.end()
  }

  /// Where many answers wait for their readers, large ones leave little with the kernel; small
  /// ones, and those where few wait, cost no call more.
  @Test(arguments: [(0, 1_000_000, true), (0, 10_000, false), (1, 1_000_000, false)])
  func crowdedReadersGetLess(_ crowd: Int, _ bytes: Int, _ isLimited: Bool) async throws {
    let server = try await TestServer(
      limits: limits { $0.crowdedReaders = crowd }, file: try sparseFile(bytes),
      fileBytes: Int64(bytes))
    let thread = await server.thread
    let client = try server.client()
    _ = try client.ask(get("/a"))
    SystemCallTrace.start(thread: thread)
    #expect(try client.ask(get("/file")).body.count == bytes)
    #expect(SystemCallTrace.stop(thread: thread).contains(.setsockopt) == isLimited)
    try await server.end()
  }

  /// Those that wait are counted out again, however they end.
  @Test func waitingReadersAreCounted() async throws {
    let server = try await TestServer(
      limits: limits { $0.crowdedReaders = 1 }, file: try sparseFile(64_000_000),
      fileBytes: 64_000_000)
    let thread = await server.thread
    for isReset in [true, false] {
      let slow = try server.client()
      try slow.send(get("/file"))
      _ = try slow.readHead()
      if isReset { try slow.reset() } else { slow.close() }
      try await server.untilNoConnections()
    }
    let client = try server.client()
    SystemCallTrace.start(thread: thread)
    #expect(try client.ask(get("/file")).body.count == 64_000_000)
    #expect(!SystemCallTrace.stop(thread: thread).contains(.setsockopt))
    try await server.end()
  }

  /// A handler that is busy elsewhere is not the peer's fault.
  @Test func slowHandlerIsWaitedFor() async throws {
    let server = try await TestServer(limits: limits { $0.paceInterval = 1_000_000 })
    let client = try server.client()
    try client.send(post("/task/gate-then-read", "body"))
    try await server.probe.until("no handler") { server.probe.waiting == 1 }
    let end = SystemClock.monotonicNanoseconds + 20_000_000
    while SystemClock.monotonicNanoseconds < end { await Task.yield() }
    server.probe.open()
    #expect(try client.readAnswer().text == "body")
    try await server.end()
  }

  /// Deadlines are lazy: requests leave no entries behind.
  @Test func timersDoNotGrowWithRequests() async throws {
    let server = try await TestServer()
    let client = try server.client()
    for index in 0..<500 {
      switch index % 3 {
      case 0: _ = try client.ask(get("/a"))
      case 1: _ = try client.ask(post("/task/echo", "x"))
      default:
        try client.send("GET /a HTTP/1.1\r\nHost")
        try client.send(": a\r\n\r\n")
        _ = try client.readAnswer()
      }
    }
    #expect(await server.loop.timerCount < 8)
    try await server.end()
  }
}
