import Testing
import Wire

// Images that end before their end (STORE.md, "Structure").

@Suite struct TruncatedImageTests {
  private static let whole = TestImages.png(padding: 5000)
  private static let half = Array(whole.prefix(2500))
  private static let halfText = TestImages.base64(half)

  @Test func anUploadThatIsNotWholeIsRefused() async throws {
    try await withService { service in
      for count in [40, 2500, Self.whole.count - 1] {
        let raw = try service.host(Array(Self.whole.prefix(count)))
        #expect(raw.status == 400 && raw.code == "truncated_image", "\(count): \(raw.text)")
      }
      let json = try service.send("POST", "/v1/assets", "{\"b64_json\":\"\(Self.halfText)\"}")
      #expect(json.status == 400 && json.code == "truncated_image", "\(json.text)")
      try await until("incoming is empty") { try hasNoIncoming(service.root) }
      let stats = try service.admin("GET", "/admin/stats").json
      #expect(stats["assets"]?.int == 0)
    }
  }

  @Test func bytesBehindTheEndAreKept() async throws {
    try await withService { service in
      let image = Self.whole + Array("something else".utf8)
      let path = try service.hostPath(image)
      #expect(try service.ask("GET", path).body == image)
    }
  }

  @Test func aConvertedOneIsKeptAndSaid() async throws {
    try await withService { service in
      let good = TestImages.base64(Self.whole)
      let body = "{\"data\":[{\"b64_json\":\"\(good)\"},{\"b64_json\":\"\(Self.halfText)\"}]}"
      for format in ["url", "b64_json"] {
        let answer = try service.send(
          "POST", "/v1/images/convert?response_format=\(format)", body)
        #expect(answer.status == 200, "\(answer.text)")
        let warnings = answer.json["x_asset"]?["warnings"]?.array
        #expect(warnings == [["index": 1, "code": "image_truncated"]])
        #expect(answer.json["x_asset"]?["failed"] == nil)
      }
    }
  }

  @Test func aPaidOneIsKeptAndSaid() async throws {
    let upstream = try await FakeUpstream { _ in
      .images(
        "\"b64_json\":\"\(TestImages.base64(Self.whole))\"", "\"b64_json\":\"\(Self.halfText)\"")
    }
    try await withFront(upstream) { service in
      let answer = try service.generate("half a fox", ",\"n\":2,\"response_format\":\"url\"")
      #expect(answer.status == 200, "\(answer.text)")
      let warnings = answer.json["x_asset"]?["warnings"]?.array ?? []
      #expect(warnings.contains(["index": 1, "code": "image_truncated"]), "\(answer.text)")
      let url = try #require(answer.json["data"]?[1]?["url"]?.string)
      #expect(try service.ask("GET", url).body == Self.half)
    }
  }
}
