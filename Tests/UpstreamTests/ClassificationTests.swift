import Testing
import Wire

@testable import Upstream

/// What vendors' errors mean, on their own bodies.
struct ClassificationTests {
  /// The collection's classes in our words; what a key may not do is the key's failure.
  static let kinds: [String: UpstreamFailure.Kind] = [
    "invalid_request": .invalidRequest, "auth": .auth, "permission": .auth, "payment": .payment,
    "not_found": .notFound, "content_filter": .contentPolicy, "rate_limit": .rateLimit,
    "overloaded": .overloaded, "timeout": .timeout, "upstream_error": .serverError,
  ]

  @Test("The collection is there") func collection() {
    #expect(Fixture.all.count > 50)
    #expect(Fixture.all.allSatisfy { !$0.body.isEmpty && $0.status != 0 })
  }

  @Test(arguments: Fixture.all.filter { $0.failure != nil && $0.status != 200 })
  func vendors(_ fixture: Fixture) throws {
    let expected = try #require(Self.kinds[fixture.failure ?? ""])
    let headers = UpstreamHeaders(now: 0) { name in fixture.headers[name].map { Array($0.utf8) } }
    let failure = UpstreamFailure(
      status: fixture.status, headers: headers, body: fixture.body.span)
    #expect(failure.kind == expected)
    #expect(failure.status == fixture.status)
    #expect(failure.requestID == fixture.headers["x-request-id"])
    let isRefusal = fixture.status < 500 || [503, 529].contains(fixture.status)
    #expect(
      failure.isUnspent == (isRefusal && (expected == .rateLimit || expected == .overloaded)))
  }

  @Test(
    "Only a status that takes no order says that nothing was bought",
    arguments: [
      (429, true), (400, true), (403, true), (503, true), (529, true), (500, false), (502, false),
      (501, false), (599, false), (302, false),
    ])
  func refusal(_ status: Int, _ isUnspent: Bool) {
    for (code, kind) in [
      ("ServiceUnavailable", UpstreamFailure.Kind.overloaded), ("overloaded_error", .overloaded),
      ("rate_limit_exceeded", .rateLimit),
    ] {
      let found = failure(status, "{\"error\":{\"code\":\"\(code)\",\"message\":\"Busy.\"}}")
      #expect(found.kind == kind, "for the client it is what it says")
      #expect(found.isUnspent == isUnspent && found.isTransient == isUnspent, "\(code)")
    }
  }

  @Test("What is said is read within limits")
  func longTexts() throws {
    // One character, as one calls it, of 200 kB.
    let accent = "e" + String(repeating: "\u{301}", count: 100_000)
    for name in ["message", "code", "type", "param"] {
      let root = JSONValue.object(JSONObject([.init(name: name, value: .string(accent))]))
      let error = try #require(ReportedError(["error": root]))
      let texts = [error.message, error.code, error.type, error.param].compactMap { $0 }
      #expect(texts.count == 1)
      #expect(texts.allSatisfy { $0.utf8.count <= 8000 }, "\(name)")
    }
    let many = (0..<20_000).map { "\($0)" }.joined(separator: ",")
    let text = Array("{\"x\":[\(many)],\"error\":{\"code\":\"moderation_blocked\"}}".utf8)
    let found = UpstreamFailure.withoutImage(skeleton: text.span, requestID: nil)
    #expect(found.kind == .noImage && found.isSpent)
  }

  private func failure(_ status: Int, _ body: String) -> UpstreamFailure {
    let bytes = Array(body.utf8)
    return UpstreamFailure(status: status, headers: UpstreamHeaders(), body: bytes.span)
  }

  @Test("What the upstream said is kept")
  func kept() {
    let found = failure(
      400,
      #"{"error":{"message":"Invalid size","type":"image_generation_user_error","#
        + #""param":"size","code":"invalid_value"}}"#
    )
    #expect(found.type == "image_generation_user_error")
    #expect(found.code == "invalid_value")
    #expect(found.param == "size")
    #expect(found.message == "Invalid size")
  }

  @Test(
    "Bodies that are no envelope",
    arguments: [
      (503, "", UpstreamFailure.Kind.overloaded), (529, "busy", .overloaded),
      (502, "<html>", .serverError), (500, "{", .serverError), (413, "<html>", .invalidRequest),
      (404, "[]", .notFound), (401, "null", .auth), (302, "", .serverError),
      (400, #"{"error":"no"}"#, .invalidRequest),
      (400, #"{"error":"refused by the safety system"}"#, .contentPolicy),
      (400, #"{"code":"content_filter","message":"no"}"#, .contentPolicy),
      (400, #"{"error":{"code":"400","message":"Violates our usage policies"}}"#, .contentPolicy),
      // `moderation` is a parameter too.
      (
        400,
        #"{"error":{"code":"unknown_parameter","param":"moderation","message":"content policy"}}"#,
        .invalidRequest
      ),
    ])
  func odd(_ status: Int, _ body: String, _ expected: UpstreamFailure.Kind) {
    #expect(failure(status, body).kind == expected)
  }

  @Test("What a key may not do is not told to clients")
  func authMessage() {
    let found = failure(401, #"{"error":{"message":"Bad key abc***xyz of org-1"}}"#)
    #expect(!found.message.contains("abc"))
  }

  @Test(
    "Errors inside a 200",
    arguments: [
      (#"{"created":1,"data":[]}"#, UpstreamFailure.Kind.noImage), ("{}", .noImage),
      ("", .noImage), (#"{"data":null,"error":null}"#, .noImage),
      (#"{"error":{"message":"x","code":"moderation_blocked"}}"#, .contentPolicy),
      (#"{"error":{"message":"broke","type":"server_error"}}"#, .noImage),
      (#"{"code":0,"message":"success","data":null}"#, .noImage),
      (#"{"code":1301,"message":"refused by the safety system","data":null}"#, .contentPolicy),
      (#"{"data":[],"error":{"message":"x","code":"rate_limit_exceeded"}}"#, .rateLimit),
      (
        #"{"data":[{"url":""},{"error":{"code":"OutputImageSensitiveContentDetected"}}]}"#,
        .contentPolicy
      ),
    ])
  func inside(_ skeleton: String, _ expected: UpstreamFailure.Kind) {
    let bytes = Array(skeleton.utf8)
    let found = UpstreamFailure.withoutImage(skeleton: bytes.span, requestID: "req_1")
    #expect(found.kind == expected)
    #expect(found.requestID == "req_1")
    // A 200 may have been charged.
    #expect(!found.isUnspent && found.isSpent)
  }

  @Test("The vendor's sentence inside a 200 is told")
  func sentenceInside() {
    for body in [
      #"{"error":{"message":"W"}}"#, #"{"code":7,"message":"W","data":null}"#,
      #"{"error":"W"}"#, #"{"data":[{"error":{"message":"W"}}]}"#, #"{"detail":"W"}"#,
    ] {
      let bytes = Array(body.utf8)
      let found = UpstreamFailure.withoutImage(skeleton: bytes.span, requestID: nil)
      #expect(found.message == "W", "\(body)")
    }
  }

  @Test(
    "What was said in words is told, whatever its shape",
    arguments: [
      #"{"detail":"W"}"#, #"{"detail":[{"msg":"W"}]}"#, #"{"detail":{"message":"W"}}"#,
      #"{"message":"W","data":null}"#, #"{"error":null,"message":"W"}"#, #"{"error":"W"}"#,
      #"{"error":{"message":"W"}}"#, #"{"error":{"msg":"W"}}"#, #"{"error":[{"message":"W"}]}"#,
      #"[{"error":{"message":"W"}}]"#, #"{"code":400,"msg":"W"}"#, #"{"error_msg":"W"}"#,
      #"{"title":"W","status":400}"#, #"{"error":{},"message":"W"}"#, "W", " W\r\n",
    ])
  func sentences(_ body: String) {
    #expect(failure(400, body).message == "W")
  }

  @Test("Keys are not told, nor pages, nor more than 1,000 characters")
  func details() {
    let body = #"{"detail":[{"loc":["body","size",0],"msg":"too big for sk-0123456789abcdef"}]}"#
    #expect(failure(422, body).message == "too big for [key]")
    #expect(failure(400, String(repeating: "a ", count: 5000)).message.count == 1000)
    for page in ["<html>W", "", "{W", "\u{FEFF}<p>"] {
      #expect(failure(400, page).message == "The upstream answered with status 400.")
    }
  }

  @Test(
    "An intermediary's time-out says nothing of the order",
    arguments: [408, 499, 504, 520, 522, 524, 598, 599])
  func unknownOutcome(_ status: Int) {
    for body in ["", "<html>", #"{"error":{"message":"x","code":"overloaded"}}"#] {
      let found = failure(status, body)
      #expect(found.isSpent && !found.isUnspent && !found.isTransient, "\(body)")
    }
    #expect(failure(status, "").kind == (status == 520 ? .connectionLost : .timeout))
  }

  @Test(
    "Nor does a gateway's 502; but the upstream's own words do",
    arguments: [
      ("", true), ("<html>", true), ("Bad Gateway", true), (#"{"message":"x"}"#, true),
      (#"{"error":null}"#, true), (#"{"error":{"message":"x"}}"#, false),
      (#"{"error":"x"}"#, false),
    ])
  func badGateway(_ body: String, _ isSpent: Bool) {
    let found = failure(502, body)
    #expect(found.isSpent == isSpent)
    #expect(found.kind == .serverError && !found.isUnspent && !found.isTransient)
  }

  @Test(
    "What was not sent, or failed in plain words, may be asked again by the client",
    arguments: [500, 501, 505, 507, 521, 523, 525, 526, 530])
  func knownOutcome(_ status: Int) {
    let found = failure(status, "")
    #expect(!found.isSpent && found.kind == .serverError)
  }

  @Test(
    "What a proxy says of an upstream that does not answer is an outage",
    arguments: [
      (504, true), (520, true), (521, true), (522, true), (523, true), (524, true), (598, true),
      (599, true), (500, false), (502, false), (503, false), (408, false), (429, false),
      (525, false), (529, false),
    ])
  func outage(_ status: Int, _ isOutage: Bool) {
    #expect(failure(status, "").isOutage == isOutage)
  }

  @Test("A group whose every image was withheld")
  func allWithheld() throws {
    let fixture = try #require(Fixture.all.first { $0.file == "ark/group.all-items-error.json" })
    let found = UpstreamFailure.withoutImage(skeleton: fixture.body.span, requestID: nil)
    #expect(found.kind == .contentPolicy)
  }
}

/// Hints and ids in heads.
struct UpstreamHeadersTests {
  static let second: Int64 = 1_000_000_000

  @Test(
    "Retry-After (RFC 9110 §10.2.3) and its milliseconds",
    arguments: [
      (["retry-after": "12"], 12 * second), (["retry-after": "0.5"], second / 2),
      (["retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"], 7 * second),
      (["retry-after": "Sun, 06 Nov 1994 08:49:00 GMT"], 0),
      (["retry-after-ms": "250.5", "retry-after": "12"], 250_500_000),
      (["retry-after-ms": "x", "retry-after": "3"], 3 * second),
      (["retry-after": "99999999999"], 86400 * second),
      (["retry-after": "-1"], nil), (["retry-after": "soon"], nil), (["retry-after": "1e5"], nil),
      (["retry-after": ""], nil), (["retry-after": "1.2.3"], nil), ([:], nil),
    ] as [([String: String], Int64?)])
  func retryAfter(_ fields: [String: String], _ expected: Int64?) {
    let headers = UpstreamHeaders(now: 784_111_770) { name in fields[name].map { Array($0.utf8) } }
    #expect(headers.retryAfterNanoseconds == expected)
  }

  @Test(
    "An id is kept when it can stand in a header of ours",
    arguments: [
      ("req_1", "req_1"), ("", nil), ("a b", nil), (String(repeating: "x", count: 129), nil),
    ]
      as [(String, String?)])
  func requestID(_ value: String, _ expected: String?) {
    let headers = UpstreamHeaders(now: 0) { $0 == "x-request-id" ? Array(value.utf8) : nil }
    #expect(headers.requestID == expected)
  }
}
