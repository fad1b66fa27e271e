import Testing
import Wire

// What is not offered yet is refused when it would change the answer's form, and named in the
// answer when it is a wish (API.md §3; RFC 7240 §2).

@Suite struct LaterAnswersTests {
  private func withUpstream(_ body: (TestService, FakeUpstream) async throws -> Void) async throws {
    let image = TestImages.base64(TestImages.png())
    let upstream = try await FakeUpstream { _ in .images("\"b64_json\":\"\(image)\"") }
    try await withFront(upstream) { service in try await body(service, upstream) }
  }

  @Test func wishesThatAreNotMetAreNamed() async throws {
    try await withUpstream { service, _ in
      let rows: [(fields: [(String, String)], ignored: [String])] = [
        ([], []), ([("Idempotency-Key", "a")], ["Idempotency-Key"]),
        ([("Prefer", "respond-async")], ["Prefer: respond-async"]),
        ([("prefer", "wait=10, Respond-Async; x=1")], ["Prefer: respond-async"]),
        ([("Prefer", "return=minimal")], []), ([("Prefer", "respond-asyncx")], []),
        ([("Prefer", "wait=1"), ("Prefer", "respond-async")], ["Prefer: respond-async"]),
        (
          [("Idempotency-Key", "b"), ("Prefer", "respond-async,wait=5")],
          ["Idempotency-Key", "Prefer: respond-async"]
        ),
      ]
      for row in rows {
        for format in ["url", "b64_json"] {
          let order = FrontCase.order("a", ",\"response_format\":\"\(format)\",\"async\":false")
          let answer = try service.send("POST", "/v1/images/generations", order, row.fields)
          #expect(answer.status == 200, "\(row) \(answer.text)")
          let named = answer.json["x_asset"]?["ignored"]?.array?.compactMap(\.string)
          #expect(named == (row.ignored.isEmpty ? nil : row.ignored), "\(row)")
        }
      }
    }
  }

  @Test func anAnswerOfAnotherFormIsRefusedUnpaid() async throws {
    try await withUpstream { service, upstream in
      let path = "/v1/images/generations"
      for value in ["true", "1", "\"true\"", "{}"] {
        let order = FrontCase.order("a", ",\"async\":\(value)")
        let answer = try service.send("POST", path, order)
        #expect(answer.status == 400 && answer.param == "async", "\(value): \(answer.text)")
      }
      for query in ["?async=true", "?async", "?async=1", "?async=True"] {
        let answer = try service.send("POST", path + query, FrontCase.order("a"))
        #expect(answer.status == 400 && answer.param == "async", "\(query): \(answer.text)")
      }
      #expect(upstream.requests.isEmpty)
      for query in ["?async=false", "?async=0", "?api-version=2"] {
        #expect(try service.send("POST", path + query, FrontCase.order("a")).status == 200)
      }
      #expect(upstream.requests.count == 3)
      #expect(upstream.requests.allSatisfy { !$0.contains("async") })
    }
  }
}
