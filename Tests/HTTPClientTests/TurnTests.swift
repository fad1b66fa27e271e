import HTTPClient
import Kernel
import Net
import Testing

/// A peer that is always ready must not keep the loop: its turns are short, and its deadline comes.
@Suite(.timeLimit(.minutes(2)))
struct TurnTests {
  private static let trust = Result { try TLSTrust() }

  /// Counts what happens between two ends of the loop's turns.
  private final class Probe {
    private(set) var most = 0
    private var count = 0

    init(on loop: isolated EventLoop) {
      loop.atTurnEnd { [weak self] _ in
        self?.count = 0
        return nil
      }
    }

    func step() {
      count += 1
      most = max(most, count)
    }
  }

  private static func spend(nanoseconds: Int64) {
    let end = EventLoop.preciseNow + nanoseconds
    while EventLoop.preciseNow < end {}
  }

  /// Calls a server that lives on a loop of its own, so that it is always faster than its client.
  private func call(
    _ script: [Step],
    _ body: @Sendable (ClientRequest, HTTPClient, isolated EventLoop) async throws -> Answer
  ) async throws -> Answer {
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    let trust = try Self.trust.get()
    let other = try EventLoop(index: 1)
    try other.start()
    defer { other.stop() }
    let port = try await other.run { loop in
      let server = try ScriptedServer([script], on: loop)
      _ = loop.keep(server)
      return server.endpoint.port
    }
    return try await onLoop { loop in
      let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
      defer { client.close(on: loop) }
      let url = try ClientURL(Array("http://127.0.0.1:\(port)/".utf8))
      return try await body(ClientRequest(.get, url), client, loop)
    }
  }

  static let endless = ["Content-Length: 1099511627776\r\n\r\n", "\r\n"]

  @Test("An endless body is read in short turns, and its deadline comes", arguments: endless)
  func endlessBody(_ framing: String) async throws {
    let spaces = String(repeating: " ", count: 256 << 10)
    let script = [Step].answer("HTTP/1.1 200 OK\r\n" + framing) + [.sendEndlessly(spaces)]
    let answer = try await call(script) { request, client, loop in
      var request = request
      request.timeout = 500_000_000
      let probe = Probe(on: loop)
      let response = try await client.call(request, on: loop)
      var answer = Answer(status: response.status)
      // What would keep the loop for 1.2 s.
      var left = 4_000
      do {
        while left > 0,
          try await response.body.read({ _ in
            Self.spend(nanoseconds: 300_000)
            probe.step()
            left -= 1
          })
        {}
      } catch { answer.failure = error as? ClientFailure }
      #expect(probe.most <= 5, "a turn is a millisecond: four readings of 0.3 ms")
      return answer
    }
    #expect(answer == .failure(.timedOut(.receiving, afterSending: true), after: 200))
  }

  @Test("A body that its server takes as fast as it is written leaves in short turns")
  func endlessRequest() async throws {
    let answer = try await call([.readOnly(1 << 40)]) { request, client, loop in
      var request = request
      request.timeout = 500_000_000
      request.method = .post
      let probe = Probe(on: loop)
      request.body = .stream(length: 1 << 40) { writer in
        let piece = [UInt8](repeating: 0x61, count: 1024)
        for _ in 0..<24_000 {
          Self.spend(nanoseconds: 50_000)
          probe.step()
          try await writer.write(piece.span)
        }
      }
      var answer = Answer()
      do { answer.status = try await client.call(request, on: loop).status } catch {
        answer.failure = error as? ClientFailure
      }
      #expect(probe.most <= 22, "a turn is a millisecond: twenty writings of 0.05 ms")
      return answer
    }
    #expect(answer == .failure(.timedOut(.sending, afterSending: true)))
  }
}
