import HTTPClient
import Kernel
import Net
import Wire

/// What calls to a scripted server came to.
struct Outcome: Sendable {
  /// One for each call, in order.
  var answers: [Answer] = []
  /// What each connection of the server received.
  var received: [String] = []
  /// Connections that the client keeps at the end.
  var idle = 0
}

/// What one call came to.
struct Answer: Sendable, Equatable {
  var status = 0
  var body = ""
  var failure: ClientFailure?

  /// An answer.
  static func success(_ status: Int, _ body: String) -> Answer {
    Answer(status: status, body: body)
  }

  /// A failure before the answer's head, or after it (`status`).
  static func failure(_ failure: ClientFailure, after status: Int = 0) -> Answer {
    Answer(status: status, failure: failure)
  }
}

/// What a test changes of the calls.
struct Calls: Sendable {
  var host = "127.0.0.1"
  var scheme = "http"
  var path = "/"
  var identity: TLSIdentity?
  var trust: TLSTrust?
  /// Called for each request before it is sent.
  var change: @Sendable (Int, inout ClientRequest) -> Void = { _, _ in }
  var count = 1
  /// Turns between two calls, so that the server's doings arrive.
  var turnsBetween = 0

  private static let systemTrust = Result { try TLSTrust() }

  /// Runs the calls one after the other against a server with these scripts.
  func run(_ scripts: [[Step]]) async throws -> Outcome {
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    let trust = try self.trust ?? Self.systemTrust.get()
    return try await onLoop { loop in
      let server = try ScriptedServer(scripts, identity: identity, on: loop)
      defer { server.stop(on: loop) }
      let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
      defer { client.close(on: loop) }
      let url = "\(scheme)://\(host):\(server.endpoint.port)\(path)"
      var outcome = Outcome()
      for index in 0..<count {
        var request = ClientRequest(.get, try ClientURL(Array(url.utf8)))
        change(index, &request)
        outcome.answers.append(await call(request, client, on: loop))
        for _ in 0..<turnsBetween { await client.pause(0, on: loop) }
      }
      outcome.received = server.received
      outcome.idle = client.idleConnections
      return outcome
    }
  }

  private func call(
    _ request: ClientRequest, _ client: HTTPClient, on loop: isolated EventLoop
  ) async -> Answer {
    var answer = Answer()
    do {
      let response = try await client.call(request, on: loop)
      answer.status = response.status
      let body = try await response.body.collect(limit: request.responseLimit)
      answer.body = String(decoding: body, as: UTF8.self)
    } catch {
      answer.failure = error as? ClientFailure
    }
    return answer
  }

  /// One call, one connection.
  func answer(_ script: [Step]) async throws -> Answer {
    try await run([script]).answers[0]
  }
}
