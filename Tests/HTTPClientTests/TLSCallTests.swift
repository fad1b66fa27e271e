import HTTPClient
import Net
import Testing

/// Calls over TLS: who is trusted, and that nobody else is told anything.
struct TLSCallTests {
  private static let trust = Result {
    try TLSTrust(additionalAuthorities: Array(Certificates.authority.utf8))
  }

  func calls(
    _ certificate: String = Certificates.good, host: String = "127.0.0.1"
  ) throws -> Calls {
    var calls = Calls()
    calls.scheme = "https"
    calls.host = host
    calls.trust = try Self.trust.get()
    calls.identity = try TLSIdentity(
      certificate: Array(certificate.utf8), key: Array(Certificates.key.utf8))
    return calls
  }

  @Test("A trusted server is asked and answers, in one piece and in many, and is kept")
  func trusted() async throws {
    var calls = try calls()
    calls.count = 2
    let body = String(repeating: "0123456789", count: 50_000)
    let outcome = try await calls.run([
      [Step].answer(HTTPClientTests.ok)
        + .answer([
          "HTTP/1.1 200 OK\r\nContent-Le", "ngth: \(body.utf8.count)\r\n\r", "\n" + body,
        ])
    ])
    #expect(outcome.answers == [.success(200, "ok"), .success(200, body)])
    #expect(outcome.received.count == 1)
    #expect(outcome.received[0].hasPrefix("GET / HTTP/1.1\r\n"))
  }

  @Test("A large body goes out")
  func largeRequest() async throws {
    var calls = try calls()
    calls.change = { _, request in
      request.method = .post
      request.body = .bytes([UInt8](repeating: 0x61, count: 4 << 20))
    }
    let outcome = try await calls.run([[Step].answer(HTTPClientTests.ok)])
    #expect(outcome.answers == [.success(200, "ok")])
    #expect(outcome.received[0].utf8.count > 4 << 20)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let certificate: String
    var host = "127.0.0.1"
    let reason: String
  }

  static let refusals = [
    Case(testDescription: "expired", certificate: Certificates.expired, reason: "expired"),
    Case(
      testDescription: "for another name (RFC 9525 §6)", certificate: Certificates.good,
      host: "localhost", reason: "hostMismatch"),
    Case(
      testDescription: "signed by itself", certificate: Certificates.selfSigned,
      reason: "selfSigned"),
    Case(
      testDescription: "signed by a stranger", certificate: Certificates.stranger,
      reason: "untrusted"),
  ]

  @Test("Who can not be trusted receives no byte of the request", arguments: refusals)
  func refused(_ row: Case) async throws {
    let outcome = try await calls(row.certificate, host: row.host).run([
      [Step].answer(HTTPClientTests.ok)
    ])
    let failure = try #require(outcome.answers[0].failure)
    guard case .tls(let reason) = failure else { throw HTTPClientTests.Unexpected() }
    #expect(reason.contains(row.reason))
    #expect(failure.isBeforeSending)
    #expect(outcome.received.allSatisfy { $0.isEmpty })
  }

  @Test("Without the extra authority, the system's do not trust it")
  func untrustedBySystem() async throws {
    var calls = try calls()
    calls.trust = nil
    let failure = try await calls.answer(.answer(HTTPClientTests.ok)).failure
    guard case .tls = failure else { throw HTTPClientTests.Unexpected() }
  }

  @Test("A server that speaks no TLS, and one that says nothing")
  func noTLS() async throws {
    var calls = try calls()
    calls.identity = nil
    let plain = try await calls.answer([.readOnly(1), .send(HTTPClientTests.ok)]).failure
    guard case .tls = plain else { throw HTTPClientTests.Unexpected() }
    calls.change = { _, request in request.connectTimeout = 20_000_000 }
    let silent = try await calls.answer([])
    #expect(silent == .failure(.timedOut(.securing, afterSending: false)))
  }

  @Test("An end without close_notify may be a cut (RFC 8446 §6.1)")
  func truncated() async throws {
    let text = "HTTP/1.1 200 OK\r\n\r\nhello"
    let whole = try await calls().answer(.answer([text], then: [.close]))
    #expect(whole == .success(200, "hello"))
    let cut = try await calls().answer(.answer([text], then: [.drop]))
    #expect(cut == .failure(.brokeOff, after: 200))
  }
}
