import Foundation
import Testing

/// What the log says of orders: one event for each failure, with what an operator needs.
@Suite struct PaidEventTests {
  private struct Event: Decodable {
    let level: String?
    let message: String?
    let status: Int?
    let code: String?
    let cause: String?
    let upstream: String?
    let model: String?
    let generationID: String?
    let upstreamRequestID: String?
    let attempts: Int?
    enum CodingKeys: String, CodingKey {
      case level, message, status, code, cause, upstream, model, attempts
      case generationID = "generation_id", upstreamRequestID = "upstream_request_id"
    }
  }
  private struct Model: Decodable { let model: String? }
  private struct List: Decodable { let data: [Model] }
  private struct Ours: Decodable {
    struct Facts: Decodable { let upstreamAttempts: Int? }
    let xAsset: Facts
  }

  /// The events of a daemon that ran `body`.
  private func events(
    _ configuration: String, _ body: (Daemon) throws -> Void
  ) throws -> [Event] {
    let scratch = try Scratch()
    let log = scratch.path + "/log"
    let daemon = try Daemon(
      scratch.path + "/store",
      configuration: "{ log: { access: \"off\" }, \(configuration) }", errors: .file(log))
    try body(daemon)
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
    let text = try Data(contentsOf: URL(fileURLWithPath: log))
    return try text.split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(Event.self, from: $0)
    }
  }

  private func order(_ daemon: Daemon, model: String) throws -> Finished {
    try curl(
      "-H", "Content-Type: application/json", "-d",
      "{\"model\":\"\(model)\",\"prompt\":\"a fox\"}", daemon.base + "/v1/images/generations")
  }

  private static let image = png(seed: 1, bytes: 2000)
  private static let limited =
    "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Slow.\"}}"

  /// The order is sent again after an explicit refusal: the answer and the log say so. Its model
  /// stands behind `*`, and keeps the name that it was asked for by.
  @Test func severalAttemptsAreTold() async throws {
    try await onThread {
      let upstream = try ScriptedUpstream { number, _ in
        number < 3
          ? .init(429, Self.limited, fields: ["Retry-After: 0"]) : .image(Self.image)
      }
      let configuration = """
        storage: { min_free_bytes: 0 },
        upstreams: [ { name: "u", dialect: "openai", base_url: "\(upstream.origin)/v1" } ],
        models: [ { id: "other", upstream: "u" }, { id: "*", upstream: "u" } ]
        """
      let all = try events(configuration) { daemon in
        let answer = try order(daemon, model: "vendor/painter-2").decoded(Ours.self)
        #expect(answer.xAsset.upstreamAttempts == 3)
        let list = try curl("-f", daemon.base + "/v1/assets").decoded(List.self)
        #expect(list.data.map(\.model) == ["vendor/painter-2"])
      }
      #expect(upstream.orders.count == 3)
      for order in upstream.orders { #expect(order.contains("\"model\":\"vendor/painter-2\"")) }
      let told = all.filter { $0.message == "an upstream was asked several times" }
      #expect(told.count == 1 && told.first?.level == "info")
      #expect(told.first?.attempts == 3 && told.first?.upstream == "u")
      #expect(told.first?.model == "vendor/painter-2")
      #expect(told.first?.generationID?.hasPrefix("gen-") == true)
      upstream.stop()
    }
  }

  /// Failures before the upstream is asked, and after.
  @Test func everyFailureHasItsFacts() async throws {
    try await onThread {
      let upstream = try ScriptedUpstream { _, _ in
        .init(500, "{\"error\":{\"message\":\"Oops.\"}}", fields: ["x-request-id: req_7"])
      }
      let configuration = """
        storage: { min_free_bytes: 0, max_bytes: "1MiB" },
        upstreams: [ { name: "u", dialect: "openai", base_url: "\(upstream.origin)/v1" },
                     { name: "unset", dialect: "openai", base_url: "\(upstream.origin)/v1",
                       api_key_env: "ASSETD_TEST_NOT_SET" } ],
        models: [ { id: "small", upstream: "u", expected_bytes: 4096 },
                  { id: "large", upstream: "u", expected_bytes: "2MiB" },
                  { id: "unset", upstream: "unset" } ]
        """
      let all = try events(configuration) { daemon in
        for model in ["small", "large", "unset"] { _ = try order(daemon, model: model) }
      }
      let failures = all.filter { $0.message == "a request failed" }
      #expect(failures.map(\.model) == ["small", "large", "unset"])
      #expect(failures.map(\.status) == [502, 507, 503])
      let codes = ["upstream_error", "insufficient_storage", "upstream_not_configured"]
      #expect(failures.map(\.code) == codes)
      // A full store says so before any upstream is chosen.
      #expect(failures.map(\.upstream) == ["u", nil, "unset"])
      #expect(failures.map(\.upstreamRequestID) == ["req_7", nil, nil])
      #expect(failures.allSatisfy { $0.generationID?.hasPrefix("gen-") == true })
      #expect(failures[1].cause?.contains("storage.max_bytes") == true)
      #expect(upstream.orders.count == 1)
      upstream.stop()
    }
  }
}
