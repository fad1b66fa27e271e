import HTTPClient
import Kernel
import Net
import Testing

/// Bytes that answer nothing: behind an answer, on an idle connection, before a request.
struct LateBytesTests {
  static let late = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"

  private func calls(secure: Bool) throws -> Calls {
    secure ? try TLSCallTests().calls() : Calls()
  }

  @Test("A second answer is never the next call's, however late it is", arguments: [false, true])
  func secondAnswer(secure: Bool) async throws {
    let setup = try calls(secure: secure)
    let trust = try setup.trust ?? TLSTrust()
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    for turns in 0..<6 {
      let answer = try await onLoop { loop in
        let script = [Step].answer(HTTPClientTests.ok) + [.turns(turns), .send(Self.late)]
        let server = try ScriptedServer(
          [script, .answer(HTTPClientTests.ok)], identity: setup.identity, on: loop)
        defer { server.stop(on: loop) }
        let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
        defer { client.close(on: loop) }
        let url = try ClientURL(
          Array("\(setup.scheme)://127.0.0.1:\(server.endpoint.port)/".utf8))
        let first = try await client.call(ClientRequest(.get, url), on: loop)
        #expect(try await first.body.collect(limit: 9) == Array("ok".utf8))
        // The next call begins in the very turn in which the late bytes left: the kernel has them,
        // and the loop has not yet told of them.
        while !server.connections[0].isDone { await client.pause(0, on: loop) }
        let second = try await client.call(ClientRequest(.get, url), on: loop)
        return try await second.body.collect(limit: 9)
      }
      #expect(answer == Array("ok".utf8), "\(turns) turns later")
    }
  }

  @Test("A second answer that came with the first one", arguments: [false, true])
  func together(secure: Bool) async throws {
    var calls = try calls(secure: secure)
    calls.count = 2
    let outcome = try await calls.run([
      [Step].answer(HTTPClientTests.ok) + [.send(Self.late)], .answer(HTTPClientTests.ok),
    ])
    #expect(outcome.answers == Array(repeating: .success(200, "ok"), count: 2))
  }

  @Test("A connection on which more came than the answer is not kept", arguments: [false, true])
  func moreThanAnswer(secure: Bool) async throws {
    let outcome = try await calls(secure: secure).run([
      [Step].answer(HTTPClientTests.ok) + [.send(Self.late)]
    ])
    #expect(outcome.answers == [.success(200, "ok")])
    #expect(outcome.idle == 0)
  }

  @Test("An answer that comes before the request is no answer", arguments: [false, true])
  func onAccept(secure: Bool) async throws {
    var calls = try calls(secure: secure)
    calls.change = { _, request in request.freshConnection = true }
    let outcome = try await calls.run([[.send(HTTPClientTests.ok)]])
    #expect(outcome.answers == [.failure(.spokeFirst)])
    #expect(outcome.answers[0].failure?.isBeforeSending == true)
    #expect(outcome.received == [""])
  }

  @Test("A connection of a call's own is not kept for others")
  func notKept() async throws {
    var calls = Calls()
    calls.change = { _, request in request.freshConnection = true }
    let outcome = try await calls.run([.answer(HTTPClientTests.ok)])
    #expect(outcome.answers == [.success(200, "ok")])
    #expect(outcome.idle == 0)
  }
}
