import HTTPClient
import Kernel
import Net
import Testing

/// A reader that is busy elsewhere, with a disk that stalls: what has come is not late.
struct BusyReaderTests {
  private static let timeout: Int64 = 8_000_000_000

  /// Reads what comes first, is away for longer than the call's time, then reads the rest.
  private func read(_ script: [Step]) async throws -> (text: [UInt8], failure: ClientFailure?) {
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    return try await onLoop { loop in
      let server = try ScriptedServer([script], on: loop)
      defer { server.stop(on: loop) }
      let client = try HTTPClient(lookups: lookups, trust: try TLSTrust(), on: loop)
      defer { client.close(on: loop) }
      let url = try ClientURL(Array("http://127.0.0.1:\(server.endpoint.port)/".utf8))
      var request = ClientRequest(.get, url)
      request.timeout = Self.timeout
      let answer = try await client.call(request, on: loop)
      var text: [UInt8] = []
      _ = try await answer.body.read { for index in $0.indices { text.append($0[index]) } }
      // Past the look that follows the one that found the call late.
      await client.pause(Self.timeout + 6_000_000_000, on: loop)
      do {
        while try await answer.body.read({
          for index in $0.indices { text.append($0[index]) }
        }) {}
      } catch let failure as ClientFailure { return (text, failure) }
      return (text, nil)
    }
  }

  @Test("What has come is read, however long the reader was away")
  func isRead() async throws {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"
    let outcome = try await read([.request, .send(head), .turns(4), .send("cd")])
    #expect(outcome.text == Array("abcd".utf8))
    #expect(outcome.failure == nil)
  }

  @Test("A server that then says nothing has the time that it had left")
  func isLate() async throws {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"
    let outcome = try await read([.request, .send(head)])
    #expect(outcome.text == Array("ab".utf8))
    #expect(outcome.failure == .timedOut(.receiving, afterSending: true))
  }
}
