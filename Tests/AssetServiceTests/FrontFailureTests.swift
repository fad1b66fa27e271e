import Testing
import Wire

@testable import AssetService

/// An order that a fake upstream answers in its own way: the prompt names the row.
struct FrontCase: Sendable {
  let prompt: String
  let reply: FakeReply

  /// A service with a front over `upstream`, whose models are `fake` and `slow`.
  static func configuration(_ upstream: FakeUpstream, limits: String = "") -> String {
    configuration(origin: upstream.origin, limits: limits)
  }

  /// Where nobody listens: a port of the system's that is never given out, while one that was free
  /// a moment ago may be another program's by now.
  static let nobody = "http://127.0.0.1:1"

  static func configuration(origin: String, limits: String = "") -> String {
    """
    limits: { image_bytes: "1MiB", \(limits) },
    upstreams: [ { name: "fake", dialect: "openai", base_url: "\(origin)/v1",
                   api_key: "\(key)" } ],
    models: [ { id: "fake", upstream: "fake", expected_bytes: "64KiB" },
              { id: "slow", upstream: "fake", timeout: "1s", expected_bytes: "64KiB" } ]
    """
  }

  static let key = "sk-fake-upstream-0123456789abcdef"

  /// What an order of `prompt` asks; `more` is more of its JSON.
  static func order(_ prompt: String, _ more: String = "", model: String = "fake") -> String {
    "{\"model\":\"\(model)\",\"prompt\":\"\(prompt)\"\(more)}"
  }

  /// Answers each prompt with its row's reply.
  static func upstream(_ cases: [FrontCase]) async throws -> FakeUpstream {
    try await FakeUpstream { request in
      cases.first { request.contains("\"prompt\":\"\($0.prompt)\"") }?.reply
        ?? .json(404, "{\"error\":{\"message\":\"no such prompt\"}}")
    }
  }
}

/// Runs `body` with a service whose front asks a fake upstream.
func withFront(
  _ upstream: FakeUpstream, limits: String = "", storage: String = "",
  _ body: (TestService) async throws -> Void
) async throws {
  let configuration = FrontCase.configuration(upstream, limits: limits)
  do {
    try await withService(configuration, storage: storage, body)
  } catch {
    await upstream.stop()
    throw error
  }
  await upstream.stop()
}

extension TestService {
  /// Orders images of the fake upstream.
  func generate(
    _ prompt: String, _ more: String = "", model: String = "fake"
  ) throws -> TestAnswer {
    let order = FrontCase.order(prompt, more, model: model)
    let answer = try send("POST", "/v1/images/generations", order)
    let whole = answer.lines.joined() + answer.text
    #expect(!whole.contains(FrontCase.key), "the upstream's key is in the answer to \(prompt)")
    #expect(answer["x-request-id"] != nil)
    return answer
  }
}

// What a client hears of an upstream's errors (API.md §3, "Upstream errors").

@Suite struct FrontFailureTests {
  struct Row {
    let order: FrontCase
    let status: Int
    let type: String
    let code: String?
    var param: String?
    /// Whether `x-should-retry: false` must be there; else it must not.
    var isFinal: Bool
    var retryAfter: String?

    init(
      _ prompt: String, _ reply: FakeReply, _ status: Int, _ type: String, _ code: String?,
      param: String? = nil, isFinal: Bool = false, retryAfter: String? = nil
    ) {
      order = FrontCase(prompt: prompt, reply: reply)
      self.status = status
      self.type = type
      self.code = code
      self.param = param
      self.isFinal = isFinal
      self.retryAfter = retryAfter
    }
  }

  private static func error(_ members: String) -> String { "{\"error\":{\(members)}}" }
  private static let moderated = error(
    "\"message\":\"Your request was rejected by the safety system.\","
      + "\"type\":\"image_generation_user_error\",\"param\":null,\"code\":\"moderation_blocked\"")
  private static let policy = "image_generation_user_error"
  private static let requestID = ["x-request-id: req_7"]

  private static let refused: [Row] = [
    Row(
      "a wrong key",
      .json(
        401, requestID,
        error("\"message\":\"Incorrect API key provided: \(FrontCase.key).\"")),
      502, "upstream_error", "upstream_auth_failed", isFinal: true),
    Row(
      "a key that may not", .json(403, requestID, error("\"message\":\"\(FrontCase.key)\"")),
      502, "upstream_error", "upstream_auth_failed", isFinal: true),
    Row(
      "an empty balance", .json(402, requestID, error("\"message\":\"Pay.\"")),
      402, "insufficient_quota", "insufficient_quota", isFinal: true),
    Row(
      "an empty balance as 429",
      .json(429, requestID, error("\"message\":\"Pay.\",\"code\":\"insufficient_quota\"")),
      402, "insufficient_quota", "insufficient_quota", isFinal: true),
    Row(
      "a rate limit",
      .json(
        429, requestID + ["Retry-After: 120"],
        error("\"message\":\"Slow.\",\"code\":\"rate_limit_exceeded\"")),
      429, "rate_limit_error", "rate_limit_exceeded", retryAfter: "120"),
    Row(
      "a bare rate limit", .json(429, requestID + ["Retry-After: 30"], "{}"), 429,
      "rate_limit_error", "rate_limit_exceeded", retryAfter: "30"),
    Row(
      "an overload", .json(503, requestID + ["Retry-After: 60"], error("\"message\":\"Busy.\"")),
      503, "upstream_error", "upstream_overloaded", retryAfter: "60"),
    Row(
      "a fault", .json(500, requestID, error("\"message\":\"Oops.\"")),
      502, "upstream_error", "upstream_error"),
    Row("a bare fault", .json(500, requestID, "<html>"), 502, "upstream_error", "upstream_error"),
    Row(
      "a fault as 502", .json(502, requestID, error("\"message\":\"Oops.\"")),
      502, "upstream_error", "upstream_error"),
    Row(
      "a gateway's 502", .json(502, requestID, "<html>"), 502, "upstream_error", "upstream_error",
      isFinal: true),
    Row(
      "a gateway's 522", .json(522, requestID, "<html>"), 504, "upstream_error",
      "upstream_timeout", isFinal: true),
    Row(
      "a gateway's 599", .json(599, requestID, ""), 504, "upstream_error", "upstream_timeout",
      isFinal: true),
    Row("moderated as 400", .json(400, requestID, moderated), 400, policy, "moderation_blocked"),
    Row("moderated as 403", .json(403, requestID, moderated), 400, policy, "moderation_blocked"),
    Row(
      "moderated in 200", .json(200, requestID, moderated), 400, policy, "moderation_blocked",
      isFinal: true),
    Row(
      "moderated in data", .json(200, requestID, "{\"data\":[\(moderated)]}"),
      400, policy, "moderation_blocked", isFinal: true),
    Row(
      "no such model",
      .json(
        404, requestID,
        error(
          "\"message\":\"No.\",\"type\":\"invalid_request_error\",\"code\":\"model_not_found\"")),
      404, "invalid_request_error", "model_not_found"),
    Row(
      "a wrong size",
      .json(
        400, requestID,
        error(
          "\"message\":\"Size?\",\"type\":\"vendor_error\",\"param\":\"size\",\"code\":\"bad\"")),
      400, "vendor_error", "bad", param: "size"),
    Row(
      "409", .json(409, requestID, error("\"message\":\"No.\"")), 409, "invalid_request_error",
      nil),
    Row(
      "413", .json(413, requestID, error("\"message\":\"No.\"")), 413, "invalid_request_error",
      nil),
    Row(
      "422", .json(422, requestID, error("\"message\":\"No.\"")), 422, "invalid_request_error",
      nil),
  ]

  private static let good = "\"b64_json\":\"\(TestImages.base64(TestImages.png()))\""
  private static let tooLarge = TestImages.base64(TestImages.png(padding: 1 << 20))
  static func cut(_ reply: FakeReply, after count: Int) -> FakeReply {
    FakeReply(bytes: Array(reply.bytes.prefix(count)), drops: true)
  }

  /// What was paid for and can not be had: buying it again must be the client's own decision.
  private static let spent: [Row] = [
    Row(
      "no image", .json(200, requestID, "{\"created\":1,\"data\":[]}"), 502, "upstream_error",
      "no_image_returned", isFinal: true),
    Row(
      "an empty item", .json(200, requestID, "{\"data\":[{}]}"), 502, "upstream_error",
      "no_image_returned", isFinal: true),
    Row(
      "nulls", .json(200, requestID, "{\"data\":[null,{\"b64_json\":null,\"url\":null}]}"), 502,
      "upstream_error", "no_image_returned", isFinal: true),
    Row(
      "an error in 200", .json(200, requestID, "{\"error\":{\"message\":\"Oops.\"}}"), 502,
      "upstream_error", "no_image_returned", isFinal: true),
    Row(
      "a code in 200", .json(200, requestID, "{\"code\":0,\"message\":\"Oops.\",\"data\":null}"),
      502, "upstream_error", "no_image_returned", isFinal: true),
    Row(
      "a limit in 200", .json(200, requestID, error("\"message\":\"x\",\"code\":\"rate_limit\"")),
      429, "rate_limit_error", "rate_limit", isFinal: true, retryAfter: "5"),
    Row(
      "no bytes", .json(200, requestID, "{\"data\":[{\"b64_json\":\"data:image/png;base64,\"}]}"),
      502, "upstream_error", "no_image_returned", isFinal: true),
    Row(
      "null as text", .json(200, requestID, "{\"data\":[{\"b64_json\":\"null\"}]}"), 502,
      "upstream_error", "no_image_returned", isFinal: true),
    Row(
      "None as text", .json(200, requestID, "{\"data\":[{\"b64_json\":\"None\"}]}"), 502,
      "upstream_error", "no_image_returned", isFinal: true),
    Row(
      "a proxy's 504", .json(504, requestID, "<html>"), 504, "upstream_error", "upstream_timeout",
      isFinal: true),
    Row(
      "a proxy's 524", .json(524, requestID, "<html>"), 504, "upstream_error", "upstream_timeout",
      isFinal: true),
    // Answers of the upstream's own side, so that its circuit stays closed.
    Row(
      "a proxy's 499", .json(499, requestID, ""), 504, "upstream_error", "upstream_timeout",
      isFinal: true),
    Row(
      "a proxy's 408", .json(408, requestID, ""), 504, "upstream_error", "upstream_timeout",
      isFinal: true),
    Row("lost", .lost, 502, "upstream_error", "upstream_connection_lost", isFinal: true),
    Row(
      "lost within", cut(.images(good), after: 180), 502, "upstream_error",
      "upstream_connection_lost", isFinal: true),
    Row(
      "no JSON", .answer(200, requestID, type: "text/html", Array("<html>".utf8)), 502,
      "upstream_error", "invalid_answer", isFinal: true),
    Row(
      "cut JSON", .json(200, requestID, "{\"data\":[{\(good.dropLast())"), 502, "upstream_error",
      "invalid_answer", isFinal: true),
    Row(
      "no base64", .json(200, requestID, "{\"data\":[{\"b64_json\":\"@@@@\"}]}"), 502,
      "upstream_error", "invalid_base64", isFinal: true),
    Row(
      "a huge image", .json(200, requestID, "{\"data\":[{\"b64_json\":\"\(tooLarge)\"}]}"), 502,
      "upstream_error", "image_too_large", isFinal: true),
    Row(
      "a foreign URL",
      .json(200, requestID, "{\"data\":[{\"url\":\"https://images.example/a.png\"}]}"), 502,
      "upstream_error", "foreign_result_url", isFinal: true),
  ]

  @Test func everyErrorIsToldAsTheContractSays() async throws {
    let rows = Self.refused + Self.spent
    try await withFront(try await FrontCase.upstream(rows.map(\.order))) { service in
      for row in rows {
        let answer = try service.generate(row.order.prompt)
        let name = "\(row.order.prompt): \(answer.text)"
        #expect(answer.status == row.status, "\(name)")
        #expect(answer.type == row.type, "\(name)")
        #expect(answer.code == row.code, "\(name)")
        #expect(answer.param == row.param, "\(name)")
        #expect(answer["x-should-retry"] == (row.isFinal ? "false" : nil), "\(name)")
        #expect(answer["Retry-After"] == row.retryAfter, "\(name)")
        let hasID = String(decoding: row.order.reply.bytes, as: UTF8.self).contains("req_7")
        #expect(answer["x-upstream-request-id"] == (hasID ? "req_7" : nil), "\(name)")
        expectEnvelope(answer, row.order.prompt)
      }
      try await until("incoming is empty") { try hasNoIncoming(service.root) }
      #expect(try service.admin("GET", "/admin/stats").json["assets"]?.int == 0)
    }
  }

  @Test func noAnswerInTimeIsNotAskedAgain() async throws {
    let upstream = try await FakeUpstream { _ in .silence }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox", model: "slow")
      #expect(answer.status == 504 && answer.code == "upstream_timeout", "\(answer.text)")
      #expect(answer.type == "upstream_error")
      #expect(answer["x-should-retry"] == "false")
      #expect(upstream.requests.count == 1, "the order was sent once")
    }
  }

  @Test func anUpstreamThatIsNotThereMayBeAskedAgain() async throws {
    try await withService(FrontCase.configuration(origin: FrontCase.nobody)) { service in
      let answer = try service.generate("a fox", model: "slow")
      #expect(answer.status == 502 && answer.code == "upstream_unreachable", "\(answer.text)")
      #expect(answer.type == "upstream_error")
      #expect(answer["x-should-retry"] == nil)
    }
  }

  /// After some calls in a row that it did not answer an upstream is not asked for a while, and the
  /// next in the model's list is.
  @Test func aDeadUpstreamIsNotWaitedFor() async throws {
    let answers = [
      FrontCase(prompt: "busy", reply: .json(503, ["Retry-After: 60"], "{}")),
      FrontCase(prompt: "late", reply: .json(504, "{}")),
      FrontCase(prompt: "lost", reply: .lost),
      FrontCase(prompt: "cut", reply: Self.cut(.images(Self.good), after: 180)),
      FrontCase(prompt: "well", reply: .images(Self.good)),
    ]
    let dead = try await FrontCase.upstream(answers)
    let spare = try await FakeUpstream { _ in .images(Self.good) }
    let configuration = """
      upstreams: [ { name: "dead", dialect: "openai", base_url: "\(dead.origin)/v1" },
                   { name: "spare", dialect: "openai", base_url: "\(spare.origin)/v1" } ],
      models: [ { id: "one", upstream: "dead" }, { id: "both", upstream: ["dead", "spare"] } ]
      """
    try await withService(configuration) { service in
      // Five in a row, not five in all.
      let four = ["late", "cut", "lost", "cut"]
      let prompts = four + ["well"] + four + ["busy"] + four + ["lost"]
      for prompt in prompts {
        let answer = try service.generate(prompt, model: "one")
        #expect(answer.code != "upstream_unavailable", "\(answer.text)")
      }
      #expect(dead.requests.count == prompts.count)
      let answer = try service.generate("a fox", model: "one")
      #expect(answer.status == 503 && answer.type == "upstream_error", "\(answer.text)")
      #expect(answer.code == "upstream_unavailable")
      #expect((1...10).contains(try #require(answer["Retry-After"].flatMap { Int($0) })))
      let other = try service.generate("a fox", model: "both")
      #expect(other.status == 200, "\(other.text)")
      #expect(other.json["x_asset"]?["upstream"]?.string == "spare")
      #expect(dead.requests.count == prompts.count, "it was left alone")
    }
    await dead.stop()
    await spare.stop()
  }
}
