import Testing
import Wire

@testable import AssetService
@testable import Store

/// A model of two upstreams: when the second is asked, and when it is not.
@Suite struct FailoverTests {
  private static let image = TestImages.png(padding: 500)
  private static let good = FakeReply.images("\"b64_json\":\"\(TestImages.base64(image))\"")

  /// A service of one loop; the model `both` has both upstreams, `first` and `late` as well, with
  /// one call at a time at the first.
  private func withBoth(
    _ first: FakeUpstream, _ second: FakeUpstream, _ body: (TestService) async throws -> Void
  ) async throws {
    let configuration = """
      upstreams: [ { name: "first", dialect: "openai", base_url: "\(first.origin)/v1",
                     max_concurrent: 1 },
                   { name: "second", dialect: "openai", base_url: "\(second.origin)/v1" } ],
      models: [ { id: "both", upstream: ["first", "second"], expected_bytes: 4096 },
                { id: "late", upstream: ["first", "second"], timeout: "1s", expected_bytes: 4096 },
                { id: "first", upstream: "first", expected_bytes: 4096 } ]
      """
    try await withService(configuration, loops: 1) { service in
      do { try await body(service) } catch {
        // Else the service's end waits for an answer that does not come.
        await first.stop()
        throw error
      }
    }
    await first.stop()
    await second.stop()
  }

  private func order(_ service: TestService, _ model: String) throws -> TestClient {
    let client = try service.client()
    let order = FrontCase.order("a fox", model: model)
    try client.send(
      "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n\(order)")
    return client
  }

  private func waiting(_ reply: FakeReply) async throws -> FakeUpstream {
    try await FakeUpstream { _ in
      var reply = reply
      reply.waits = true
      return reply
    }
  }

  /// Its time in line at the first is over: the second, which has room, is asked.
  @Test func whoWaitedInLineIsSentToTheNext() async throws {
    let first = try await waiting(Self.good)
    let second = try await FakeUpstream { _ in Self.good }
    try await withBoth(first, second) { service in
      let running = try order(service, "first")
      try await until("the first is asked") { first.requests.count == 1 }
      #expect(try order(service, "late").readAnswer(to: "POST").status == 200)
      #expect(second.requests.count == 1)
      await first.release()
      #expect(try running.readAnswer(to: "POST").status == 200)
    }
  }

  /// The first says that it took no order, but its client has left by then.
  @Test func whoLeftAtTheFirstIsNotBoughtAtTheNext() async throws {
    let first = try await waiting(.json(429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}"))
    let second = try await FakeUpstream { _ in Self.good }
    try await withBoth(first, second) { service in
      do {
        let client = try order(service, "both")
        try await until("the first is asked") { first.requests.count == 1 }
        withExtendedLifetime(client) {}
      }
      // With one loop, the end of that connection is read before this is answered.
      _ = try service.ask("GET", "/healthz")
      await first.release()
      let context = service.service.context
      try await until("it is over") { context.budgets.running(.generation) == 0 }
      #expect(second.requests.isEmpty)
    }
  }

  /// The service ends while an order waits at the first, in line or for its answer: it is sent no
  /// further.
  @Test(arguments: [true, false]) func theEndOfTheServiceAsksNoOther(isInLine: Bool) async throws {
    let refusal = FakeReply.json(429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}")
    let first = try await waiting(isInLine ? Self.good : refusal)
    let second = try await FakeUpstream { _ in Self.good }
    try await withBoth(first, second) { service in
      let context = service.service.context
      let running = isInLine ? try order(service, "first") : nil
      if isInLine { try await until("the first is asked") { first.requests.count == 1 } }
      let client = try order(service, "both")
      try await until("it waits") {
        context.store.space.reserved >= (isInLine ? 8192 : 4096) && first.requests.count == 1
      }
      context.gates.beginDraining()
      if !isInLine { await first.release() }
      let answer = try client.readAnswer(to: "POST")
      #expect(answer.status == (isInLine ? 503 : 429), "\(answer.text)")
      #expect(answer.code == (isInLine ? "shutting_down" : "rate_limit_exceeded"))
      #expect(first.requests.count == 1 && second.requests.isEmpty)
      await first.release()
      if let running { #expect(try running.readAnswer(to: "POST").status == 200) }
    }
  }

  /// While another upstream is left, that one is the second attempt.
  @Test func theFirstIsNotAskedTwice() async throws {
    let first = try await FakeUpstream { _ in
      .json(429, ["Retry-After: 0"], "{\"error\":{\"code\":\"rate_limit_exceeded\"}}")
    }
    let second = try await FakeUpstream { _ in Self.good }
    try await withBoth(first, second) { service in
      let answer = try order(service, "both").readAnswer(to: "POST")
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["x_asset"]?["upstream"]?.string == "second")
      #expect(first.requests.count == 1 && second.requests.count == 1)
    }
  }

  /// What may have been bought at the first is not bought at the second.
  @Test(arguments: [
    FakeReply.lost, .json(500, "{}"), .json(504, "{}"), .json(200, "{\"data\":[]}"),
  ])
  func whatMayBeBoughtIsNotSentToTheNext(_ reply: FakeReply) async throws {
    let first = try await FakeUpstream { _ in reply }
    let second = try await FakeUpstream { _ in Self.good }
    try await withBoth(first, second) { service in
      let answer = try order(service, "both").readAnswer(to: "POST")
      #expect([502, 504].contains(answer.status), "\(answer.text)")
      #expect(first.requests.count == 1 && second.requests.isEmpty)
    }
  }

  /// A client that tries again by itself would multiply our own attempts.
  @Test func aRetryOfTheClientIsSentOnce() async throws {
    let first = try await FakeUpstream { _ in
      .json(429, ["Retry-After: 0"], "{\"error\":{\"code\":\"rate_limit_exceeded\"}}")
    }
    let second = try await FakeUpstream { _ in Self.good }
    try await withBoth(first, second) { service in
      let order = FrontCase.order("a fox", model: "first")
      let answer = try service.send(
        "POST", "/v1/images/generations", order, [("x-stainless-retry-count", "1")])
      #expect(answer.status == 429, "\(answer.text)")
      #expect(first.requests.count == 1)
    }
  }
}
