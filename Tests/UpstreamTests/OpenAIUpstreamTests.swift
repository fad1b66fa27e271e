import HTTPClient
import Kernel
import Net
import Testing
import Wire

@testable import Upstream

/// Orders to a fake of OpenAI's API.
struct OpenAIUpstreamTests {
  /// What came of orders.
  struct Outcome: Sendable {
    var body = ""
    var requestID: String?
    var attempts = 0
    var failure: UpstreamFailure?
    var received: [String] = []
  }

  static let key = "sk-test-0123456789"
  static let empty = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
  private static let trust = Result { try TLSTrust() }

  /// Runs one order, or a fetch of `url` (in which PORT is the server's), against these scripts;
  /// before it, those of `earlier`.
  func run(
    _ scripts: [[Step]], model: String = "gpt-image-2", key: String? = key,
    fetch url: String? = nil, after earlier: [String?] = [], mayRetry: Bool = true,
    parameters: JSONObject = JSONObject(), timeout: Int64 = 10_000_000_000,
    patience: AnswerPatience = AnswerPatience()
  ) async throws -> Outcome {
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    let trust = try Self.trust.get()
    return try await onLoop { loop in
      let server = try ScriptedServer(scripts, on: loop)
      defer { server.stop(on: loop) }
      let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
      defer { client.close(on: loop) }
      let port = "\(server.endpoint.port)"
      var retry = RetryPolicy()
      retry.firstPause = 1_000_000
      let upstream = OpenAIUpstream(
        base: try ClientURL(Array("http://127.0.0.1:\(port)/v1/".utf8)), key: key, version: "1.0",
        client: client, retry: retry, patience: patience)
      let order = UpstreamOrder(
        model: model, parameters: parameters, timeoutNanoseconds: timeout, mayRetry: mayRetry)
      var outcome = Outcome()
      do {
        for url in earlier + [url] {
          let answer =
            if let url {
              try await upstream.fetch(
                url.replacing("PORT", with: port), until: loop.turnNanoseconds + timeout, on: loop)
            } else {
              try await upstream.generate(order, while: { true }, on: loop)
            }
          outcome.requestID = answer.requestID
          outcome.attempts = answer.attempts
          var body: [UInt8] = []
          while try await answer.read({ bytes in
            for index in bytes.indices { body.append(bytes[index]) }
          }) {}
          outcome.body = String(decoding: body, as: UTF8.self)
        }
      } catch {
        outcome.failure = error as? UpstreamFailure
      }
      outcome.received = server.received
      return outcome
    }
  }

  @Test(arguments: Fixture.all.filter { $0.file.hasPrefix("openai/") })
  func conformance(_ fixture: Fixture) async throws {
    let outcome = try await run([.answer(fixture.answer)])
    let id = outcome.failure == nil ? outcome.requestID : outcome.failure?.requestID
    #expect(id == fixture.headers["x-request-id"])
    if let expected = fixture.failure {
      #expect(outcome.failure?.kind == ClassificationTests.kinds[expected])
    } else {
      #expect(outcome.failure == nil)
      #expect(outcome.body == String(decoding: fixture.body, as: UTF8.self))
    }
  }

  @Test("The request")
  func request() async throws {
    let parameters: JSONValue = [
      "prompt": "a lake", "model": "other", "asset": ["ttl": "1h"], "response_format": "url",
      "size": "1024x1024",
    ]
    let outcome = try await run(
      [.answer(Self.empty)], parameters: try #require(parameters.object))
    let text = try #require(outcome.received.first)
    #expect(text.hasPrefix("POST /v1/images/generations HTTP/1.1\r\n"))
    #expect(text.contains("\r\nAuthorization: Bearer \(Self.key)\r\n"))
    #expect(text.contains("\r\nContent-Type: application/json\r\nAccept: application/json\r\n"))
    #expect(text.contains("\r\nUser-Agent: assetd/1.0\r\n"))
    #expect(
      text.hasSuffix(
        #"\#r\#n\#r\#n{"model":"gpt-image-2","prompt":"a lake","size":"1024x1024"}"#))
  }

  @Test(
    "All but the GPT image models are told in which form to answer (UPSTREAMS.md §2.3)",
    arguments: [
      ("dall-e-3", true), ("seedream-4", true), ("black-forest-labs/flux", true),
      ("gpt-image-2", false), ("openai/gpt-image-1-mini", false), ("chatgpt-image-latest", false),
    ])
  func responseFormat(_ model: String, _ isTold: Bool) {
    let order = UpstreamOrder(model: model, parameters: JSONObject(), timeoutNanoseconds: 1)
    let sent = OpenAIUpstream.parameters(of: order)
    #expect(sent["response_format"] == (isTold ? "b64_json" : nil))
  }

  @Test("An order that may not be sent again is sent once")
  func noRetries() async throws {
    let outcome = try await run(
      [Self.error(429, "retry-after-ms: 1\r\n"), .answer(Self.empty)], mayRetry: false)
    #expect(outcome.failure?.kind == .rateLimit && outcome.failure?.attempts == 1)
    #expect(outcome.received.count == 1)
  }

  @Test("How often an order was sent is told")
  func attempts() async throws {
    let busy = Self.error(503, "retry-after-ms: 1\r\n")
    let good = try await run([busy, .answer(Self.empty)])
    #expect(good.failure == nil && good.attempts == 2)
    let bad = try await run([busy, busy, busy])
    #expect(bad.failure?.attempts == 3)
  }

  @Test("All pauses together are no longer than the longest one")
  func onePauseOfTwentySeconds() {
    var headers = UpstreamHeaders()
    headers.retryAfterNanoseconds = 20_000_000_000
    let none: [UInt8] = []
    let failure = UpstreamFailure(status: 429, headers: headers, body: none.span)
    func pause(_ attempt: Int, waited: Int64) -> Int64? {
      RetryPolicy().pause(
        after: failure, attempt: attempt, waited: waited, timeLeft: 300_000_000_000, random: 0)
    }
    #expect(pause(0, waited: 0) == 20_000_000_000)
    #expect(pause(1, waited: 20_000_000_000) == nil)
  }

  @Test("Many parameters cost each once", .timeLimit(.minutes(1)))
  func manyParameters() {
    let members = (0..<200_000).map { JSONObject.Member(name: "m\($0)", value: 1) }
    let order = UpstreamOrder(
      model: "m", parameters: JSONObject(members), timeoutNanoseconds: 1)
    let sent = OpenAIUpstream.parameters(of: order)
    #expect(sent.members.count == 200_002, "with model and response_format")
    #expect(sent.members.first?.name == "model")
  }

  @Test("Without a key no authorization is sent")
  func noKey() async throws {
    let outcome = try await run([.answer(Self.empty)], key: nil)
    #expect(outcome.failure == nil)
    #expect(outcome.received.count == 1)
    #expect(!outcome.received[0].lowercased().contains("authorization"))
  }

  // MARK: Money is spent once

  static func error(_ status: Int, _ fields: String = "") -> [Step] {
    .answer("HTTP/1.1 \(status) Status\r\n\(fields)Content-Length: 0\r\n\r\n")
  }

  @Test(
    "What is certain to be unspent is sent again, at most twice",
    arguments: [
      ([429, 200], 2, nil), ([503, 429, 200], 3, nil), ([503, 503, 503, 200], 3, .overloaded),
      ([500, 200], 1, .serverError), ([504, 200], 1, .timeout), ([402, 200], 1, .payment),
      ([400, 200], 1, .invalidRequest), ([401, 200], 1, .auth),
    ] as [([Int], Int, UpstreamFailure.Kind?)])
  func retries(_ statuses: [Int], _ calls: Int, _ expected: UpstreamFailure.Kind?) async throws {
    let outcome = try await run(
      statuses.map { $0 == 200 ? .answer(Self.empty) : Self.error($0, "retry-after-ms: 1\r\n") })
    #expect(outcome.failure?.kind == expected)
    #expect(outcome.received.count == calls)
  }

  @Test(
    "A failure of its own may have been paid for, whatever its code says", arguments: [500, 502])
  func failureThatSpeaksOfOverload(_ status: Int) async throws {
    let body = #"{"error":{"code":"ServiceUnavailable","message":"Busy."}}"#
    let fields = "retry-after-ms: 1\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    let outcome = try await run([
      .answer("HTTP/1.1 \(status) Status\r\n\(fields)\(body)"), .answer(Self.empty),
    ])
    #expect(outcome.failure?.kind == .overloaded && outcome.failure?.attempts == 1)
    #expect(outcome.received.count == 1)
  }

  @Test("An answer that was read to its end leaves nothing behind")
  func nothingWaits() async throws {
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    let trust = try Self.trust.get()
    try await onLoop { loop in
      let server = try ScriptedServer([.answer(Self.empty), .answer(Self.empty)], on: loop)
      defer { server.stop(on: loop) }
      let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
      defer { client.close(on: loop) }
      let upstream = OpenAIUpstream(
        base: try ClientURL(Array("http://127.0.0.1:\(server.endpoint.port)/v1".utf8)), key: nil,
        version: "1.0", client: client)
      for isRead in [true, false] {
        let order = UpstreamOrder(
          model: "m", parameters: JSONObject(), timeoutNanoseconds: 600_000_000_000)
        let answer = try await upstream.generate(order, while: { true }, on: loop)
        answer.expectEnd()
        let before = client.waits
        if isRead {
          while try await answer.read({ _ in }) {}
        } else {
          answer.close()
        }
        let after = client.waits
        #expect(before == 1 && after == 0)
      }
    }
  }

  @Test("An empty balance is no rate limit, whatever its status")
  func balance() async throws {
    let fixture = try #require(
      Fixture.all.first { $0.file == "openai/error.429.insufficient_quota.json" })
    let outcome = try await run([.answer(fixture.answer), .answer(Self.empty)])
    #expect(outcome.failure?.kind == .payment)
    #expect(outcome.received.count == 1)
  }

  @Test("A hint that is too long is passed on")
  func longHint() async throws {
    let outcome = try await run([Self.error(429, "retry-after: 60\r\n"), .answer(Self.empty)])
    #expect(outcome.failure?.kind == .rateLimit)
    #expect(outcome.failure?.retryAfterNanoseconds == 60_000_000_000)
    #expect(outcome.received.count == 1)
  }

  @Test("An outcome that is not known is never tried again")
  func ambiguous() async throws {
    let lost = try await run([[.request, .drop], .answer(Self.empty)])
    #expect(lost.failure?.kind == .connectionLost)
    #expect(lost.failure?.isUnspent == false)
    #expect(
      lost.failure?.message
        == "The upstream closed the connection without an answer; the call may have been billed.")
    #expect(lost.received.count == 1)
    let late = try await run([[.request], .answer(Self.empty)], timeout: 900_000_000)
    #expect(late.failure?.kind == .timeout)
    #expect(late.failure?.isUnspent == false)
    #expect(
      late.failure?.message
        == "The upstream did not answer within 1 s; the call may have been billed.")
    #expect(late.received.count == 1)
    let cut = try await run([
      .answer(["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], then: [.close]),
      .answer(Self.empty),
    ])
    #expect(cut.failure?.kind == .connectionLost)
    #expect(
      cut.failure?.message == "The upstream's answer broke off; the call may have been billed.")
    #expect(cut.received.count == 1)
  }

  @Test(
    "The pause: doubling, with the upstream's hint, within the time that is left",
    arguments: [
      (0, nil, 100, 500), (1, nil, 100, 1000), (2, nil, 100, nil), (0, 3000, 100, 3000),
      (0, 21000, 100, nil), (0, 3000, 5, nil), (0, 0, 100, 0),
    ] as [(Int, Int64?, Int64, Int64?)])
  func pause(_ attempt: Int, _ hint: Int64?, _ left: Int64, _ expected: Int64?) {
    var headers = UpstreamHeaders()
    headers.retryAfterNanoseconds = hint.map { $0 * 1_000_000 }
    let none: [UInt8] = []
    let failure = UpstreamFailure(status: 429, headers: headers, body: none.span)
    let pause = RetryPolicy().pause(
      after: failure, attempt: attempt, timeLeft: left * 1_000_000_000, random: 0)
    #expect(pause == expected.map { $0 * 1_000_000 })
  }

  @Test("An encoding that can not be read: paid for and not to be asked for again; errors stand")
  func encoding() async throws {
    let answer = "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"
    let good = try await run([.answer("HTTP/1.1 200 OK\r\n" + answer), .answer(Self.empty)])
    #expect(good.failure?.kind == .encodingUnsupported)
    #expect(good.failure?.isUnspent == false)
    #expect(good.received.count == 1)
    let bad = try await run([.answer("HTTP/1.1 402 Pay\r\n" + answer)])
    #expect(bad.failure?.kind == .payment)
  }

  @Test("An error of megabytes is judged by its start, else by its status")
  func hugeError() async throws {
    let padding = String(repeating: " ", count: 3 << 20)
    let refusal = #"{"error":{"code":"moderation_blocked","message":"No."}}"#
    for (body, kind) in [(refusal, UpstreamFailure.Kind.contentPolicy), ("x", .invalidRequest)] {
      let body = body + padding
      let length = try await run([
        .answer("HTTP/1.1 400 Bad\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
      ])
      #expect(length.failure?.kind == kind)
      let open = try await run([.answer(["HTTP/1.1 400 Bad\r\n\r\n" + body], then: [.close])])
      #expect(open.failure?.kind == kind)
    }
  }

  @Test("An error whose body does not end is judged by its status at once, and sent again")
  func errorWithoutEnd() async throws {
    var patience = AnswerPatience()
    patience.errorBody = 1_000_000
    let busy = "HTTP/1.1 429 Busy\r\nretry-after-ms: 1\r\nContent-Length: 99\r\n\r\n{"
    let outcome = try await run(
      [.answer(busy), .answer(busy), .answer(Self.empty)], timeout: 60_000_000_000,
      patience: patience)
    #expect(outcome.failure == nil && outcome.attempts == 3, "\(outcome)")
  }

  @Test("The key is in no part of an error, whatever it looks like, nor are long codes")
  func keyInError() async throws {
    let key = "0123456789-plain-key"
    let long = String(repeating: "x", count: 5000)
    for part in ["message", "code", "type", "param"] {
      let body = "{\"error\":{\"message\":\"M\",\"\(part)\":\"is \(key) \(long)\"}}"
      let fields = "x-request-id: of-\(key)\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
      let outcome = try await run([.answer("HTTP/1.1 400 Bad\r\n\(fields)\(body)")], key: key)
      let failure = try #require(outcome.failure)
      #expect(!"\(failure)".contains(key), "\(part): \(failure)")
      let codes = [failure.code, failure.type, failure.param].compactMap { $0 }
      #expect(codes.allSatisfy { $0.utf8.count <= 64 })
      #expect("\(failure)".contains("is [key]"), "\(failure)")
      let bytes = Array(body.utf8)
      let inside = UpstreamFailure.withoutImage(
        skeleton: bytes.span, requestID: nil, Scrubber(key: key))
      #expect(!"\(inside)".contains(key), "in a 200: \(part): \(inside)")
    }
  }

  @Test("What is said of an order that was sent")
  func sentences() async throws {
    let late = try await run([[.request]], timeout: 900_000_000)
    #expect(
      late.failure?.message
        == "The upstream did not answer within 1 s; the call may have been billed.")
    let cut = try await run([
      .answer(["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], then: [.close])
    ])
    #expect(
      cut.failure?.message
        == "The upstream's answer broke off; the call may have been billed.")
  }
}
