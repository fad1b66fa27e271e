import HTTPServer
import Testing

@testable import HTTPServer

/// Who asks hears when an answer has arrived: not when the kernel took it. Neither the connection
/// nor its loop waits for that.
@Suite struct ConnectionDeliveryTests {
  /// More than a client's kernel takes that nobody reads from, less than a server's.
  private static let path = "/task/told/600000"

  /// The kernel has taken so many answers.
  private func untilTaken(_ answers: Int, _ server: TestServer) async throws {
    try await server.probe.until("the answer was not taken") {
      server.probe.all.count == answers
    }
    #expect(server.probe.all.allSatisfy { !$0.outcome.isAborted })
  }

  private func untilTold(_ server: TestServer) async throws {
    try await server.probe.until("it was not told") { server.probe.has("delivered") }
  }

  @Test func whatArrivedIsToldAndTheConnectionGoesOn() async throws {
    let server = try await TestServer()
    let client = try server.client()
    #expect(try client.ask(get(Self.path)).body.count == 600_000)
    try await untilTold(server)
    #expect(try client.ask(get("/next")).text == "/next")
    try await server.end()
  }

  @Test func whatOnlyTheKernelTookIsNotTold() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get(Self.path))
    try await untilTaken(1, server)
    #expect(!server.probe.has("delivered"))
    try client.reset()
    // Its handler is waited for.
    try await server.end()
    #expect(!server.probe.has("delivered"))
  }

  @Test func aReaderThatTakesItsTimeIsWaitedFor() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get(Self.path))
    try await untilTaken(1, server)
    #expect(!server.probe.has("delivered"))
    #expect(try client.readAnswer().body.count == 600_000)
    try await untilTold(server)
    try await server.end()
  }

  /// The next request's answer leaves before the first one has arrived; from then on nobody knows
  /// what the first one's last byte is.
  @Test func theNextRequestIsNotHeldUp() async throws {
    let server = try await TestServer()
    let client = try server.client()
    try client.send(get(Self.path) + get("/next"))
    try await untilTaken(2, server)
    #expect(try client.readAnswer().body.count == 600_000)
    #expect(try client.readAnswer().text == "/next")
    try await server.end()
    #expect(!server.probe.has("delivered"))
  }

  /// A client that asks only once it has read all is told of before its next answer.
  @Test func theNextRequestSaysIt() async throws {
    let server = try await TestServer()
    let client = try server.client()
    for _ in 0..<20 { #expect(try client.ask(get(Self.path)).body.count == 600_000) }
    try await server.probe.until("it was not told") { server.probe.count("delivered") == 20 }
    try await server.end()
  }

  @Test func aConnectionThatClosesStaysUntilItIsKnown() async throws {
    var limits = ServerLimits()
    // A busy machine's client takes its time.
    (limits.lingerTimeout, limits.lingerLimit) = (600_000_000_000, 600_000_000_000)
    let server = try await TestServer(limits: limits)
    let client = try server.client()
    try client.send(get(Self.path, "Connection: close\r\n"))
    try await untilTaken(1, server)
    #expect(try client.readToEnd().utf8.count > 600_000)
    client.close()
    try await untilTold(server)
    try await server.untilNoConnections()
    try await server.end()
  }
}
