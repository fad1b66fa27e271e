import Testing
import Wire

/// An upstream that sends another answer behind each one.
struct LateUpstreamTests {
  private static let clients = 8
  private static let rounds = 4

  enum Time: CaseIterable {
    case atOnce, aTurnLater, withTheNextRequest
  }

  @Test(arguments: Time.allCases)
  func everyOrderGetsItsOwnImage(_ time: Time) async throws {
    let upstream = try await FakeUpstream { Self.answer($0, time) }
    let configuration = """
      upstreams: [ { name: "fake", dialect: "openai", base_url: "\(upstream.origin)/v1",
                     api_key: "k", max_concurrent: \(Self.clients) } ],
      models: [ { id: "fake", upstream: "fake", expected_bytes: "64KiB" } ]
      """
    try await withService(configuration) { service in
      let clients = try (0..<Self.clients).map { _ in try service.client() }
      for round in 0..<Self.rounds {
        for (number, client) in clients.enumerated() {
          let json = """
            {"model":"fake","prompt":"\(round * Self.clients + number)",
             "response_format":"b64_json","asset":{"base64":"raw"}}
            """
          try client.send(
            "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
              + "Content-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n\r\n"
              + json)
        }
        for (number, client) in clients.enumerated() {
          let answer = try client.readAnswer()
          let own = TestImages.base64(Self.image(round * Self.clients + number))
          #expect(answer.status == 200, "\(answer.text.prefix(300))")
          #expect(answer.json["data"]?[0]?["b64_json"]?.string == own)
        }
      }
    }
    #expect(upstream.requests.count == Self.clients * Self.rounds)
    await upstream.stop()
  }

  private static func image(_ prompt: Int) -> [UInt8] {
    TestImages.png(UInt32(1 + prompt), seed: UInt8(prompt), padding: 100 + 997 * prompt)
  }

  private static func answer(_ request: String, _ time: Time) -> FakeReply {
    guard let start = request.firstRange(of: "\r\n\r\n")?.upperBound,
      let order = try? JSONValue.parse(Array(request[start...].utf8).span),
      let prompt = order["prompt"]?.string.flatMap({ Int($0) })
    else { return .json(400, "{\"error\":{\"message\":\"no such prompt\"}}") }
    func answer(_ prompt: Int) -> FakeReply {
      .images("\"b64_json\":\"\(TestImages.base64(image(prompt)))\"")
    }
    var reply = answer(prompt)
    let late = answer(200).bytes
    if time == .atOnce { reply.bytes += late } else { reply.late = late }
    reply.lateWaitsForRequest = time == .withTheNextRequest
    return reply
  }
}
