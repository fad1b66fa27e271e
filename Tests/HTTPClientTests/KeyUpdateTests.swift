import HTTPClient
import Net
import Testing

/// TLS records that hold no plaintext: each costs about 16 µs, and a peer may send many of them.
@Suite(.timeLimit(.minutes(2)))
struct KeyUpdateTests {
  private final class Turns {
    var count = 0

    init(on loop: isolated EventLoop) {
      loop.atTurnEnd { [weak self] _ in
        self?.count += 1
        return nil
      }
    }
  }

  /// What a call to such a server came to.
  private func call(
    _ flood: KeyUpdateFlood,
    _ body: @Sendable (inout ClientRequest, HTTPClient, isolated EventLoop) async throws -> Answer
  ) async throws -> Answer {
    let trust = try TLSTrust(additionalAuthorities: Array(Certificates.authority.utf8))
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    return try await onLoop { loop in
      let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
      defer { client.close(on: loop) }
      var request = ClientRequest(.get, try ClientURL(Array("https://127.0.0.1/".utf8)))
      request.localSocket = flood.path
      request.timeout = 30_000_000_000
      do { return try await body(&request, client, loop) } catch {
        guard let failure = error as? ClientFailure else { throw error }
        return .failure(failure)
      }
    }
  }

  @Test("Key updates without end are given up")
  func endless() async throws {
    let answer = try await call(KeyUpdateFlood(.endless)) { request, client, loop in
      Answer(status: try await client.call(request, on: loop).status)
    }
    #expect(answer == .failure(.lost(afterSending: true)))
  }

  @Test("Answers to key updates do not pile up for a peer that does not read them")
  func answers() async throws {
    let answer = try await call(KeyUpdateFlood(.amongBytes)) { request, client, loop in
      // More answers than the sockets and our own room hold: 27 bytes each.
      request.responseLimit = 60_000
      let response = try await client.call(request, on: loop)
      do { while try await response.body.read({ _ in }) {} } catch let failure as ClientFailure {
        return .failure(failure, after: response.status)
      }
      return Answer(status: response.status)
    }
    #expect(answer == .failure(.brokeOff, after: 200))
  }

  @Test("The loop's others have their turns while key updates are read")
  func turns() async throws {
    let flood = try KeyUpdateFlood(.atOnce(7_000))
    let answer = try await call(flood) { request, client, loop in
      let turns = Turns(on: loop)
      request.method = .post
      request.body = .stream(length: 0) { _ in
        while !flood.isWritten { await client.pause(0, on: loop) }
        turns.count = 0
      }
      let response = try await client.call(request, on: loop)
      let body = try await response.body.collect(limit: 9)
      #expect(turns.count >= 8, "7000 records of more than 1.2 µs, a turn of 1 ms")
      return Answer(status: response.status, body: String(decoding: body, as: UTF8.self))
    }
    #expect(answer == .success(200, "ok"))
  }
}
