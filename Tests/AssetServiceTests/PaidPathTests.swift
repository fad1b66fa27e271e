import Store
import Testing
import Wire

@testable import AssetService

/// The paid path's table (AssetService.docc/PaidPath.md): what becomes of an order, by where it is
/// and what happens there. The upstream counts its calls.
@Suite struct PaidPathTests {
  private static let images = (0..<3).map { TestImages.png(seed: UInt8($0), padding: 5000) }
  private static func good(_ index: Int) -> String {
    "\"b64_json\":\"\(TestImages.base64(images[index]))\""
  }

  /// A service of one loop whose upstream takes one call at a time.
  private func withOneByOne(
    _ upstream: FakeUpstream, _ body: (TestService) async throws -> Void
  ) async throws {
    let configuration = """
      upstreams: [ { name: "fake", dialect: "openai", base_url: "\(upstream.origin)/v1",
                     max_concurrent: 1 } ],
      models: [ { id: "fake", upstream: "fake", expected_bytes: 4096 },
                { id: "slow", upstream: "fake", timeout: "1s", expected_bytes: 4096 } ]
      """
    try await withService(configuration, loops: 1, body)
    await upstream.stop()
  }

  private func waiting() async throws -> FakeUpstream {
    try await FakeUpstream { _ in
      var reply = FakeReply.images(Self.good(0))
      reply.waits = true
      return reply
    }
  }

  /// Sends an order and does not wait; comes back when it was taken.
  private func order(
    _ service: TestService, model: String = "fake", orders: Int64 = 0
  ) async throws -> TestClient {
    let client = try service.client()
    let order = FrontCase.order("a fox", model: model)
    try client.send(
      "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n"
        + order)
    let store = service.service.context.store
    try await until("the order is taken") { store.space.reserved >= orders * 4096 }
    return client
  }

  // MARK: The answer arrives

  /// What of two images came before the answer ended, and what is said of the rest.
  struct Cut: Sendable {
    let name: String
    let reply: FakeReply
    let whole: Int
    let code: String?
    var model = "fake"
  }

  private static func cut(_ fraction: Double, drops: Bool = true) -> FakeReply {
    let all = FakeReply.images(good(0), good(1)).bytes
    return FakeReply(bytes: Array(all.prefix(Int(Double(all.count) * fraction))), drops: drops)
  }

  private static let both = "{\"data\":[{\(good(0))},{\(good(1))}"
  static let cuts = [
    Cut(name: "cut before its head", reply: .lost, whole: 0, code: "upstream_connection_lost"),
    Cut(name: "cut in the first", reply: cut(0.3), whole: 0, code: "upstream_connection_lost"),
    Cut(name: "cut in the second", reply: cut(0.7), whole: 1, code: "upstream_connection_lost"),
    Cut(
      name: "stalls in the first", reply: cut(0.3, drops: false), whole: 0,
      code: "upstream_timeout", model: "slow"),
    Cut(
      name: "stalls in the second", reply: cut(0.7, drops: false), whole: 1,
      code: "upstream_timeout", model: "slow"),
    Cut(name: "no end", reply: .json(200, both), whole: 2, code: nil),
    Cut(name: "no JSON at the end", reply: .json(200, both + "]]]"), whole: 2, code: nil),
    Cut(
      name: "no JSON in between", reply: .json(200, "{\"data\":[{\(good(0))},@"), whole: 1,
      code: "invalid_answer"),
  ]

  @Test(arguments: cuts)
  func whatCameWholeIsDelivered(_ cut: Cut) async throws {
    let upstream = try await FakeUpstream { _ in cut.reply }
    try await withFront(upstream) { service in
      let answer = try service.generate(
        cut.name, ",\"n\":2,\"response_format\":\"url\"", model: cut.model)
      #expect(answer["x-should-retry"] == "false", "\(cut.name)")
      #expect(upstream.requests.count == 1)
      guard cut.whole > 0 else {
        #expect([502, 504].contains(answer.status) && answer.code == cut.code, "\(answer.text)")
        return
      }
      #expect(answer.status == 200, "\(cut.name): \(answer.text)")
      let data = try #require(answer.json["data"]?.array)
      try #require(data.count >= cut.whole)
      for index in 0..<cut.whole {
        let url = try #require(data[index]["url"]?.string)
        #expect(try service.ask("GET", url).body == Self.images[index])
      }
      let failed = answer.json["x_asset"]?["failed"]?.array ?? []
      #expect(failed.map { $0["index"]?.int } == Array(cut.whole..<2), "\(answer.text)")
      #expect(failed.allSatisfy { $0["code"]?.string == cut.code })
      #expect(try service.admin("GET", "/admin/stats").json["assets"]?.int == cut.whole)
    }
  }

  @Test func aClientThatLeavesInTheAnswerDoesNotLoseTheImage() async throws {
    let upstream = try await FakeUpstream { _ in
      let reply = FakeReply.images(Self.good(0)).with("x-request-id: req_1")
      return reply.held(after: reply.bytes.count / 2)
    }
    try await withOneByOne(upstream) { service in
      do {
        let client = try await order(service, orders: 1)
        let purchases = service.service.context.purchases
        try await until("the answer has begun") {
          purchases.all.first?.upstreamRequestID == "req_1"
        }
        withExtendedLifetime(client) {}
      }
      _ = try service.ask("GET", "/healthz")
      await upstream.release()
      try await until("the image is stored") { try service.assets == 1 }
      #expect(upstream.requests.count == 1)
    }
  }

  // MARK: In line

  @Test func anOrderInLineWhoseClientLeftIsNotBought() async throws {
    let upstream = try await waiting()
    try await withOneByOne(upstream) { service in
      let first = try await order(service, orders: 1)
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      do { _ = try await order(service, orders: 2) }
      // With one loop, the end of that connection is read before this is answered.
      _ = try service.ask("GET", "/healthz")
      await upstream.release()
      #expect(try first.readAnswer(to: "POST").status == 200)
      let context = service.service.context
      try await until("both are over") { context.budgets.running(.generation) == 0 }
      #expect(upstream.requests.count == 1, "the second was not bought")
      #expect(context.store.space.reserved == 0)
    }
  }

  @Test func anOrderInLineHasADeadline() async throws {
    let upstream = try await waiting()
    try await withOneByOne(upstream) { service in
      let first = try await order(service, orders: 1)
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      let late = try await order(service, model: "slow")
      let answer = try late.readAnswer(to: "POST")
      #expect(answer.status == 503 && answer.code == "upstream_busy", "\(answer.text)")
      #expect(answer["Retry-After"] == "5" && answer["x-should-retry"] == nil)
      await upstream.release()
      #expect(try first.readAnswer(to: "POST").status == 200)
      #expect(upstream.requests.count == 1)
    }
  }

  /// SIGTERM: what is in line is not sent, what is sent is waited for.
  @Test func theEndOfTheServiceBuysNoMore() async throws {
    let upstream = try await waiting()
    try await withOneByOne(upstream) { service in
      let first = try await order(service, orders: 1)
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      let second = try await order(service, orders: 2)
      let context = service.service.context
      #expect(context.purchases.count == 1)
      #expect(context.purchases.all.first?.model == "fake")
      context.gates.beginDraining()
      let answer = try second.readAnswer(to: "POST")
      #expect(answer.status == 503 && answer.code == "shutting_down", "\(answer.text)")
      await upstream.release()
      try await until("the call is over") { context.purchases.count == 0 }
      #expect(try first.readAnswer(to: "POST").status == 200)
      #expect(upstream.requests.count == 1)
    }
  }
}
