import Testing
import Wire

@testable import AssetService

/// An error repeats little of what a client has sent, however long its names are.
@Suite struct LongNameTests {
  /// The first is one character.
  private static let names = [
    "a" + String(repeating: "\u{301}", count: 100_000), String(repeating: "n", count: 200_000),
  ]

  @Test func noErrorRepeatsThem() async throws {
    let configuration = """
      upstreams: [ { name: "u", dialect: "sample", unknown_parameters: "reject" } ],
      models: [ { id: "m", upstream: "u" } ]
      """
    try await withService(configuration) { service in
      let image = TestImages.base64(TestImages.png())
      let asset = try service.host(TestImages.png(seed: 7)).json
      let id = try #require(asset["id"]?.string)
      for name in Self.names {
        let calls = [
          ("POST", "/v1/images/generations", "{\"prompt\":\"x\",\"\(name)\":1}"),
          ("POST", "/v1/images/generations", "{\"prompt\":\"x\",\"asset\":{\"\(name)\":1}}"),
          ("POST", "/v1/images/generations", "{\"prompt\":\"x\",\"model\":\"\(name)\"}"),
          ("POST", "/v1/images/convert", "{\"asset\":{\"\(name)\":1},\"data\":[]}"),
          ("POST", "/v1/assets", "{\"b64_json\":\"\(image)\",\"asset\":{\"\(name)\":1}}"),
        ]
        for (method, path, body) in calls {
          let answer = try service.send(method, path, body)
          #expect((400..<500).contains(answer.status), "\(path): \(answer.status)")
          #expect(answer.body.count < 1000, "\(path): \(answer.body.count)")
        }
        let short = String(name.unicodeScalars.prefix(20_000).map(Character.init))
        for (method, path) in [
          ("PATCH", "/v1/assets/\(id)"), ("POST", "/v1/assets/\(id)/links"),
        ] {
          let answer = try service.send(method, path, "{\"\(short)\":1}")
          #expect(answer.status == 400 && answer.body.count < 1000, "\(path): \(answer.status)")
        }
        for path in ["/admin/keys", "/admin/gc"] {
          let answer = try service.admin("POST", path, "{\"\(short)\":1}")
          #expect(answer.status == 400 && answer.body.count < 1000, "\(path): \(answer.status)")
        }
      }
    }
  }

  /// Whatever forgets to cut its own.
  @Test func everyFailureIsBounded() {
    let failure = Failure.badRequest(Self.names[1], param: Self.names[0])
    #expect(failure.envelope.count < 5000)
  }
}
