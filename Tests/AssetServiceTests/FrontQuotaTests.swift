import Dispatch
import Testing
import Wire

@testable import AssetService
@testable import Store

/// A key's quota ends purchases, not only what is stored (API.md §3).
@Suite struct FrontQuotaTests {
  private static let image = TestImages.png(padding: 943)
  private static let good = "\"b64_json\":\"\(TestImages.base64(image))\""

  private static let small = "{\"name\":\"gw\",\"scopes\":[\"generate\"],\"quota\":2500}"

  /// A service in keys mode whose model expects 1,000 bytes an image.
  private func withKeys(
    _ upstream: FakeUpstream, _ body: (TestService) async throws -> Void
  ) async throws {
    let configuration = """
      auth: { mode: "keys", bootstrap_key_env: "BOOTSTRAP" },
      upstreams: [ { name: "fake", dialect: "openai", base_url: "\(upstream.origin)/v1" } ],
      models: [ { id: "fake", upstream: "fake", expected_bytes: 1000 } ]
      """
    try await withService(configuration, body)
    await upstream.stop()
  }

  private func generate(
    _ service: TestService, _ key: String, _ more: String = ""
  ) throws -> TestAnswer {
    try service.send(
      "POST", "/v1/images/generations", FrontCase.order("a fox", more),
      [("Authorization", "Bearer \(key)")])
  }

  @Test func aQuotaThatIsUsedUpBuysNothing() async throws {
    let upstream = try await FakeUpstream { _ in .images(Self.good) }
    try await withKeys(upstream) { service in
      let key = try service.key(Self.small)
      for _ in 0..<2 { #expect(try generate(service, key).status == 200) }
      let full = try generate(service, key)
      #expect(full.status == 507 && full.code == "quota_exceeded", "\(full.text)")
      #expect(full.type == "insufficient_storage")
      for figure in ["2000", "2500", "1000"] { #expect(full.text.contains(figure)) }
      let many = try generate(service, key, ",\"n\":9")
      #expect(many.status == 507 && many.text.contains("9000"), "\(many.text)")
      #expect(upstream.requests.count == 2, "nothing was bought")
      let page = try service.ask(
        "GET", "/metrics", [("Authorization", "Bearer \(TestService.adminKey)")]
      ).text
      #expect(page.contains("\nassetd_quota_refusals_total 2\n"))
      #expect(page.contains("\nassetd_purchases_under_way 0\n"))
    }
  }

  /// What was promised to orders that run counts as used.
  @Test func fiftyOrdersAtOnceBuyWhatFits() async throws {
    let upstream = try await FakeUpstream { _ in
      var reply = FakeReply.images(Self.good)
      reply.waits = true
      return reply
    }
    try await withKeys(upstream) { service in
      let key = try service.key(
        "{\"name\":\"gw\",\"scopes\":[\"generate\"],\"quota\":20000}")
      let order = FrontCase.order("a fox")
      let clients = try (0..<50).map { _ in
        let client = try service.client()
        try client.send(
          "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + "Authorization: Bearer \(key)\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(order.utf8.count)\r\n\r\n\(order)")
        return client
      }
      try await until("all are judged") {
        upstream.requests.count == 20 && service.service.context.metrics.quotaRefusals == 30
      }
      await upstream.release()
      let answers = try clients.map { try $0.readAnswer(to: "POST") }
      #expect(answers.count(where: { $0.status == 200 }) == 20)
      #expect(answers.count(where: { $0.code == "quota_exceeded" }) == 30)
      #expect(!answers.contains { $0.text.contains("not_stored") })
      #expect(upstream.requests.count == 20)
    }
  }

  /// Less has come than was thought: the rest is free for others at once, before there are rows.
  @Test func whatHasComeIsWhatIsNeeded() async throws {
    let upstream = try await FakeUpstream.holding { _ in .images(Self.good) }
    try await withKeys(upstream) { service in
      let key = try service.key("{\"name\":\"gw\",\"scopes\":[\"generate\"],\"quota\":4500}")
      let fields = ["Authorization: Bearer \(key)"]
      let first = try service.begin("held", ",\"n\":4", fields: fields)
      try await until("the upstream is asked") { upstream.calls("held") == 1 }
      let writer = service.service.context.store.writer
      let gate = DispatchSemaphore(value: 0)
      defer { gate.signal() }
      writer.submit { (_) throws(StoreFailure) in
        gate.wait()
      } then: { _ in
      }
      try await until("the writer is held") { writer.waiting == 0 }
      // Its promise is asked for in a transaction before the one with the rows of the first.
      let second = try service.begin("a fox", fields: fields)
      try await until("it asks for its promise") { writer.waiting == 1 }
      await upstream.release()
      try await until("one image of four has come") { writer.waiting == 2 }
      gate.signal()
      for client in [first, second] {
        let answer = try client.readAnswer(to: "POST")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["x_asset"]?["images"]?.array?.count == 1)
      }
    }
  }

  /// A store that can not begin a file says so before money is spent.
  @Test func aStoreWithoutFilesBuysNothing() async throws {
    let upstream = try await FakeUpstream { _ in .images(Self.good) }
    try await withFront(upstream) { service in
      try removeFolder(service.root + "/incoming")
      let answer = try service.generate("a fox")
      #expect(answer.status >= 500, "\(answer.text)")
      #expect(upstream.requests.isEmpty)
    }
  }

  /// More came than was expected: what is paid for goes out, and the answer says why it is not
  /// stored.
  @Test func anImageBeyondTheQuotaGoesOutWithItsReason() async throws {
    let large = TestImages.png(padding: 5000)
    let text = TestImages.base64(large)
    let upstream = try await FakeUpstream { _ in .images("\"b64_json\":\"\(text)\"") }
    try await withKeys(upstream) { service in
      let key = try service.key(Self.small)
      let answer = try generate(service, key)
      #expect(answer.status == 200 && answer["x-should-retry"] == "false", "\(answer.text)")
      #expect(answer.json["data"]?[0]?["b64_json"]?.string == text)
      #expect(answer.json["x_asset"]?["warning"]?.string == "not_stored")
      let reason = try #require(answer.json["x_asset"]?["warnings"]?.array?.first)
      #expect(reason["code"]?.string == "quota_exceeded" && reason["index"]?.int == 0)
      #expect(reason["message"]?.string?.contains("2500") == true)
      #expect(service.service.context.metrics.unstoredImages == 1)
      #expect(try generate(service, key).status == 200, "nothing was stored, so it may try again")
    }
  }

  /// More came than was expected, and the quota holds it: what the order itself was promised does
  /// not stand in its way.
  @Test func anExcessThatFitsIsStored() async throws {
    let image = TestImages.png(padding: 1943)
    let upstream = try await FakeUpstream { _ in
      .images("\"b64_json\":\"\(TestImages.base64(image))\"")
    }
    try await withKeys(upstream) { service in
      let answer = try generate(service, try service.key(Self.small))
      #expect(answer.status == 200, "\(answer.text.prefix(300))")
      #expect(answer.json["x_asset"]?["images"]?[0]?["bytes"]?.int == image.count)
      #expect(answer.json["x_asset"]?["warning"] == nil)
    }
  }

  /// What is more than promised does not take the room of another order that runs.
  @Test func anExcessTakesNobodysPromise() async throws {
    let large = TestImages.png(padding: 5000)
    let upstream = try await FakeUpstream { request in
      guard request.contains("\"small\"") else {
        return .images("\"b64_json\":\"\(TestImages.base64(large))\"")
      }
      var reply = FakeReply.images(Self.good)
      reply.waits = true
      return reply
    }
    try await withKeys(upstream) { service in
      // It holds either of them, and what both are thought to need.
      let quota = large.count + 900
      let key = try service.key("{\"name\":\"gw\",\"scopes\":[\"generate\"],\"quota\":\(quota)}")
      let client = try service.client()
      let order = FrontCase.order("small")
      try client.send(
        "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          + "Authorization: Bearer \(key)\r\nContent-Type: application/json\r\n"
          + "Content-Length: \(order.utf8.count)\r\n\r\n\(order)")
      try await until("the first is asked") { upstream.requests.count == 1 }
      let excess = try generate(service, key)
      #expect(excess.status == 200, "\(excess.text.prefix(300))")
      #expect(excess.json["data"]?[0]?["b64_json"]?.string == TestImages.base64(large))
      #expect(excess.json["x_asset"]?["warning"]?.string == "not_stored")
      let reason = excess.json["x_asset"]?["warnings"]?[0]?["code"]?.string
      #expect(reason == "quota_exceeded")
      await upstream.release()
      let kept = try client.readAnswer(to: "POST")
      #expect(kept.status == 200 && kept.json["x_asset"]?["warning"] == nil, "\(kept.text)")
      #expect(kept.json["x_asset"]?["images"]?.array?.count == 1)
    }
  }
}
