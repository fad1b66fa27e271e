import Foundation
import HTTPServer
import Kernel
import Net
import Testing

/// Listening, limits on connections, and draining.
struct HTTPServerTests {
  @Test func secondListenerOnAPortIsRefused() async throws {
    let server = try await TestServer()
    await #expect(throws: Errno(.bind, code: 98)) {
      _ = try await server.server.listen(at: server.endpoint) { _ in true }
    }
    #expect(throws: Errno.self) { _ = try StreamSocket.listen(on: server.endpoint) }
    try await server.end()
  }

  /// A name that an ended daemon left is taken over, one that is listened on is not.
  @Test func localSocketIsServed() async throws {
    let server = try await TestServer()
    let path = NSTemporaryDirectory() + "assetd-\(UUID().uuidString).socket"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let endpoint = Endpoint(.path(path))
    do { _ = try StreamSocket.listen(on: endpoint) }
    _ = try await server.server.listen(at: endpoint) { _ in true }
    let client = try TestClient(endpoint)
    #expect(try client.ask(get("/a")).text == "/a")
    #expect(throws: Errno(.bind, code: 98)) { try TCPListener.clearStaleName(of: endpoint) }
    try await server.end()
  }

  /// O2: who is over the limit waits in the kernel until another leaves.
  @Test func connectionCapPausesAccepting() async throws {
    var limits = ServerLimits()
    limits.connections = 2
    let server = try await TestServer(limits: limits)
    let first = try server.client()
    let second = try server.client()
    _ = try first.ask(get("/a"))
    _ = try second.ask(get("/a"))
    let waiting = try (0..<20).map { _ in try server.client() }
    let timers = await server.loop.timerCount
    for client in waiting { try client.send(get("/later", "Connection: close\r\n")) }
    #expect(server.server.connectionCount == 2)
    // One look at a time, however many edges there were.
    #expect(await server.loop.timerCount <= timers + 1)
    first.close()
    for client in waiting { #expect(try client.readAnswer().text == "/later") }
    try await server.end()
  }

  @Test(arguments: [false, true])
  func capOfOneAddressClosesAtOnce(_ isExempt: Bool) async throws {
    var limits = ServerLimits()
    limits.connectionsPerAddress = 2
    let server = try await TestServer(limits: limits, isExempt: isExempt)
    let clients = try (0..<2).map { _ in try server.client() }
    for client in clients { _ = try client.ask(get("/a")) }
    let third = try server.client()
    if isExempt {
      #expect(try third.ask(get("/a")).text == "/a")
    } else {
      #expect(try third.readToEnd() == "")
      clients[0].close()
      try await server.probe.until("not released") { server.server.connectionCount == 1 }
      #expect(try server.client().ask(get("/a")).text == "/a")
    }
    try await server.end()
  }

  /// Without a descriptor the waiting client is told by a close, and later ones are served.
  @Test func spareDescriptorShedsOneClient() async throws {
    let server = try await TestServer()
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.accept, nth: 1, code: 24, thread: thread)
    #expect(try server.client().readToEnd() == "")
    #expect(try server.client().ask(get("/a")).text == "/a")
    let calls = SystemCallTrace.stop(thread: thread)
    #expect(calls.count(where: { $0 == .accept }) < 20)
    try await server.end()
  }

  /// An error of one connection is not the listener's.
  @Test func failedAcceptIsPassedOver() async throws {
    let server = try await TestServer()
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.accept, nth: 1, code: 103, thread: thread)
    #expect(try server.client().ask(get("/a")).text == "/a")
    _ = SystemCallTrace.stop(thread: thread)
    try await server.end()
  }

  /// An error while sending or reading ends that connection, and nothing else.
  @Test(arguments: [SystemCall.recv, .send, .sendfile, .epollControl])
  func failedCallEndsOneConnection(_ call: SystemCall) async throws {
    let server = try await TestServer(file: try sparseFile(1000), fileBytes: 1000)
    let other = try server.client()
    _ = try other.ask(get("/a"))
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(call, nth: 1, code: 5, thread: thread)
    let client = try server.client()
    _ = try? client.send(get("/file"))
    _ = try? client.readToEnd()
    // The loop watches a socket only after it has served what was there already.
    if call != .epollControl { #expect(client.received.count < 1000) }
    _ = SystemCallTrace.stop(thread: thread)
    #expect(try other.ask(get("/b")).text == "/b")
    try await server.probe.until("not released") { server.server.connectionCount == 1 }
    try await server.end()
  }

  /// O6: idle connections end at once, the running exchange ends whole, nothing new is accepted.
  @Test func drainWaitsForRunningExchanges() async throws {
    let server = try await TestServer()
    let idle = try server.client()
    _ = try idle.ask(get("/a"))
    let busy = try server.client()
    try busy.send(get("/task/gate"))
    try await server.probe.until("no handler") { server.probe.waiting == 1 }
    async let drained: Void = server.server.drain(clientTime: .seconds(60))
    async let again: Void = server.server.drain(clientTime: .seconds(60))
    try await server.probe.until("idle is left") { server.server.connectionCount == 1 }
    #expect(try idle.readToEnd() == "")
    #expect(throws: (any Error).self) { try server.client().ask(get("/a")) }
    #expect(!server.probe.has("drained"))
    server.probe.open()
    let answer = try busy.readAnswer()
    #expect(answer.text == "opened")
    #expect(answer.value("Connection") == "close")
    busy.close()
    await drained
    await again
    #expect(server.probe.has("drained"))
    #expect(server.server.connectionCount == 0)
    server.loop.stop()
  }

  /// An answer that began before the drain ends whole, and its connection right after it.
  @Test(arguments: ["/file", "/task/stream-huge"])
  func drainClosesAfterAnAnswerThatBegan(_ path: String) async throws {
    let bytes = 16_000_000
    let server = try await TestServer(file: try sparseFile(bytes), fileBytes: Int64(bytes))
    let client = try server.client()
    try client.send(get(path))
    let head = try client.readHead()
    #expect(head.value("Connection") == nil)
    async let drained: Void = server.server.drain(clientTime: .seconds(60))
    try await server.probe.until("still listening") { (try? server.client().ask(get("/a"))) == nil }
    let body = try client.readToEnd()
    #expect(body.utf8.count == head.value("Content-Length").flatMap { Int($0) })
    await drained
    #expect(server.server.connectionCount == 0)
    server.loop.stop()
  }

  /// What was paid for is stored although its client left: the drain waits for the handler.
  @Test func drainWaitsForHandlersWithoutAClient() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get("/task/gate"))
    try await server.probe.until("no handler") { server.probe.waiting == 1 }
    try client.reset()
    try await server.untilNoConnections()
    async let drained: Void = server.server.drain(clientTime: .seconds(60))
    // The drain is under way when the port is closed.
    try await server.probe.until("still listening") { (try? server.client().ask(get("/a"))) == nil }
    #expect(!server.probe.has("drained"))
    server.probe.open()
    await drained
    #expect(server.probe.has("end /task/gate") && server.probe.has("drained"))
    server.loop.stop()
  }

  /// After the clients' time their connections are closed; handlers are waited for all the same.
  @Test func drainWaitsForHandlersBeyondTheClientsTime() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get("/task/gate"))
    try await server.probe.until("no handler") { server.probe.waiting == 1 }
    async let drained: Void = server.server.drain(clientTime: .zero)
    // Else a failure here would wait for the handler that waits for the gate.
    defer { server.probe.open() }
    try await server.untilNoConnections()
    #expect(try client.readToEnd() == "")
    #expect(!server.probe.has("drained"))
    server.probe.open()
    await drained
    #expect(server.probe.has("end /task/gate") && server.probe.has("drained"))
    server.loop.stop()
  }

  /// Whoever can not wait abandons: the drain ends, the handler does not count any more.
  @Test func drainCanBeAbandoned() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get("/task/gate"))
    try await server.probe.until("no handler") { server.probe.waiting == 1 }
    async let drained: Void = server.server.drain(clientTime: .seconds(60))
    defer { server.probe.open() }
    try await server.probe.until("still listening") { (try? server.client().ask(get("/a"))) == nil }
    server.server.abandon()
    await drained
    #expect(!server.probe.has("end /task/gate"))
    #expect(try client.readToEnd() == "")
    server.probe.open()
    try await server.probe.until("no end") { server.probe.has("end /task/gate") }
    server.loop.stop()
  }

  /// A loop that is stopped without draining lets go of sockets and of whoever waits on them.
  @Test func stoppedLoopLeavesNothing() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send("POST /task/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    let streaming = try server.client()
    try streaming.send(get("/task/stream-huge"))
    _ = try streaming.readHead()
    try await server.probe.until("no handler") { server.probe.has("begin /task/echo") }
    server.loop.stop()
    #expect(try client.readToEnd() == "")
    _ = try? streaming.readToEnd()
    try await server.untilNoConnections()
    try await server.probe.until("no end") { server.probe.has("end /task/echo") }
    #expect(throws: (any Error).self) { try server.client().ask(get("/a")) }
  }
}
