import Testing
import Wire

/// A good answer of which some entries failed: what the upstream says of them is told, without its
/// secrets.
@Suite struct PartialAnswerTests {
  private static let image = "\"b64_json\":\"\(TestImages.base64(TestImages.png(padding: 300)))\""
  private static let key = FrontCase.key

  private static let rows: [(prompt: String, member: String, told: String)] = [
    (
      "a message", "\"message\":\"Bad key \(key) of Bearer abcdef.\"",
      "Bad key [key] of Bearer [key]"
    ),
    ("a code", "\"code\":\"bad \(key)\"", "\"code\":\"bad [key]\""),
    ("a type", "\"type\":\"bad \(key)\"", "\"type\":\"bad [key]\""),
    ("a param", "\"param\":\"\(key)\"", "\"param\":\"[key]\""),
    ("within", "\"innererror\":{\"code\":\"a\",\"m\":[\"\(key)\"]}", "\"m\":[\"[key]\"]"),
    ("a shortened key", "\"message\":\"sk-fake-**cdef\"", "\"message\":\"[key]\""),
    ("other words", "\"message\" : \"No.\" , \"n\":1.50", "\"message\" : \"No.\" , \"n\":1.50"),
  ]

  /// In an entry, at the root, and beside an image; as URL and as base64.
  @Test(arguments: ["url", "b64_json"])
  func theirErrorsAreTold(format: String) async throws {
    let upstream = try await FrontCase.upstream(
      Self.rows.flatMap { row in
        let error = "\"error\":{\(row.member)}"
        return [
          FrontCase(prompt: row.prompt, reply: .images(Self.image, error)),
          FrontCase(
            prompt: row.prompt + " at the root", reply: .images(Self.image, also: "," + error)),
          FrontCase(
            prompt: row.prompt + " beside", reply: .images("\(Self.image),\(error)", Self.image)),
        ]
      })
    try await withFront(upstream) { service in
      for row in Self.rows {
        for place in ["", " at the root", " beside"] {
          let more = ",\"n\":2,\"response_format\":\"\(format)\""
          let answer = try service.generate(row.prompt + place, more)
          #expect(answer.status == 200, "\(answer.text)")
          #expect(answer.text.contains(row.told), "\(row.prompt)\(place): \(answer.text)")
          #expect(answer.json["data"]?[0]?[format]?.string != nil, "the image is there")
          #expect(!answer.text.contains("sk-fake"), "\(answer.text)")
        }
      }
    }
  }
}
