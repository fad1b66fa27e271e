import HTTPServer
import Kernel
import Testing

/// The connections of a loop share its buffers; none may see what another one wrote into them.
struct SharedLoopTests {
  /// Answers that are streamed, sent at once, refused and read from bodies, all at the same time.
  @Test func everyClientGetsItsOwnAnswers() async throws {
    let server = try await TestServer()
    let clients = try (0..<64).map { _ in try server.client() }
    for round in 0..<20 {
      for (index, client) in clients.enumerated() {
        // Each pipelines two requests of different kinds.
        try client.send(request(index, round, 0) + request(index, round, 1))
      }
      for (index, client) in clients.enumerated() {
        for turn in 0..<2 { try expectOwn(try client.readAnswer(), index, round, turn) }
      }
    }
    #expect(server.server.connectionCount == clients.count)
    for client in clients { client.close() }
    try await server.end()
  }

  private func name(_ index: Int, _ round: Int, _ turn: Int) -> String {
    String(repeating: "c\(index)r\(round)t\(turn).", count: 1 + index % 7)
  }

  private func kind(_ index: Int, _ round: Int, _ turn: Int) -> Int { (index + round + turn) % 4 }

  private func request(_ index: Int, _ round: Int, _ turn: Int) -> String {
    let name = name(index, round, turn)
    let id = "x-request-id: \(name)\r\n"
    switch kind(index, round, turn) {
    case 0: return get("/task/own/\(1 + index % 5)/\(name)", id)
    case 1: return get("/\(name)", id)
    case 2: return post("/task/echo", name, id)
    default: return get("/listed/own/\(1 + index % 3)/\(name)", id)
    }
  }

  private func expectOwn(
    _ answer: TestAnswer, _ index: Int, _ round: Int, _ turn: Int
  ) throws {
    let name = name(index, round, turn)
    #expect(answer.status == 200)
    #expect(answer.values("x-request-id") == [name])
    switch kind(index, round, turn) {
    case 0:
      #expect(answer.value("X-Own") == name)
      #expect(answer.text == String(repeating: name, count: 1 + index % 5))
    case 1: #expect(answer.text == "/" + name)
    case 2: #expect(answer.text == name)
    default: #expect(answer.text == String(repeating: name, count: 1 + index % 3))
    }
  }
}
