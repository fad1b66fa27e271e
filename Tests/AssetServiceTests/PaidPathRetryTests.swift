import Dispatch
import Testing
import Wire

@testable import AssetService
@testable import Store

/// The paid path's table (AssetService.docc/PaidPath.md), "retried by the client". Replay is not
/// built yet: an order that comes again is a new one, and bought again wherever the first one is.
/// These counts change with replay, and only with it.
@Suite struct PaidPathRetryTests {
  private static let image = TestImages.png(seed: 70, padding: 900)
  private static let good = FakeReply.images("\"b64_json\":\"\(TestImages.base64(image))\"")
  private static let again = ["x-stainless-retry-count: 1", "Idempotency-Key: order-1"]

  /// The same order for the second time.
  private func retry(_ service: TestService) throws -> TestClient {
    try service.begin("a fox", fields: Self.again)
  }

  private func expectBought(_ answer: TestAnswer, isRetry: Bool) {
    #expect(answer.status == 200, "\(answer.text)")
    #expect(answer.json["x_asset"]?["replayed"] == .bool(false))
    // The wish is not met, and the answer says so.
    #expect(answer.json["x_asset"]?["ignored"]?[0]?.string == (isRetry ? "Idempotency-Key" : nil))
  }

  @Test func inLineBothAreBought() async throws {
    let upstream = try await FakeUpstream.holding { _ in Self.good }
    try await withOneByOne(upstream) { service in
      let running = try service.begin("held")
      try await until("the upstream is asked") { upstream.calls("held") == 1 }
      let first = try service.begin("a fox")
      try await service.untilTaken(2)
      let second = try retry(service)
      try await service.untilTaken(3)
      await upstream.release()
      #expect(try running.readAnswer(to: "POST").status == 200)
      expectBought(try first.readAnswer(to: "POST"), isRetry: false)
      expectBought(try second.readAnswer(to: "POST"), isRetry: true)
      #expect(upstream.calls("a fox") == 2)
    }
  }

  /// Where the first order's answer is when the second one comes: nothing of it has come, or half.
  @Test(arguments: [0, 0.5])
  func whatWasSentIsBoughtAgain(part: Double) async throws {
    let upstream = try await FakeUpstream { _ in
      let reply = Self.good.with("x-request-id: req_1")
      return reply.held(after: Int(Double(reply.bytes.count) * part))
    }
    try await withFront(upstream) { service in
      let first = try service.begin("a fox")
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      if part > 0 {
        let purchases = service.service.context.purchases
        try await until("the answer has begun") {
          purchases.all.first?.upstreamRequestID == "req_1"
        }
      }
      let second = try retry(service)
      try await until("it is asked again") { upstream.requests.count == 2 }
      await upstream.release()
      expectBought(try first.readAnswer(to: "POST"), isRetry: false)
      expectBought(try second.readAnswer(to: "POST"), isRetry: true)
      #expect(upstream.requests.count == 2)
      #expect(try service.assets == 2)
    }
  }

  /// Its rows are there and its answer is not, or is out.
  @Test(arguments: [false, true])
  func whatIsDurableIsBoughtAgain(isDelivered: Bool) async throws {
    let upstream = try await FakeUpstream { _ in Self.good }
    try await withFront(upstream) { service in
      expectBought(try service.generate("a fox"), isRetry: false)
      let gate = DispatchSemaphore(value: 0)
      defer { gate.signal() }
      // A publication is over when its discarded file is gone.
      if !isDelivered {
        service.service.context.store.unlinker.submit(.init(then: { gate.wait() }))
      }
      let first = try service.begin("a fox")
      try await until("the rows are there") { try service.assets == 2 }
      if isDelivered { expectBought(try first.readAnswer(to: "POST"), isRetry: false) }
      let second = try retry(service)
      try await until("its rows are there") { try service.assets == 3 }
      gate.signal()
      if !isDelivered { expectBought(try first.readAnswer(to: "POST"), isRetry: false) }
      expectBought(try second.readAnswer(to: "POST"), isRetry: true)
      #expect(upstream.requests.count == 3)
    }
  }
}
