import Testing
import Wire

@testable import AssetService

// Bodies that are small and would cost much: refused where they are read, in words that say why.

@Suite struct HostileBodyTests {
  private static func members(_ count: Int, _ value: String = "1") -> String {
    (0..<count).map { "\"m\($0)\":\(value)" }.joined(separator: ",")
  }

  private static let image = TestImages.base64(TestImages.png())
  private static let deep =
    String(repeating: "{\"a\":", count: 17) + "1" + String(repeating: "}", count: 17)

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let path: String
    let body: String
    let words: String

    var testDescription: String { name }
  }

  private static let rows: [Row] = [
    Row(
      name: "an order of 30,000 members", path: "/v1/images/generations",
      body: "{\"prompt\":\"x\",\(members(30_000))}", words: "256 members"),
    Row(
      name: "an order with 257 options", path: "/v1/images/generations",
      body: "{\"prompt\":\"x\",\"asset\":{\(members(257))}}", words: "256 members"),
    Row(
      name: "a deep order", path: "/v1/images/generations",
      body: "{\"prompt\":\"x\",\"x\":\(deep)}", words: "16 levels"),
    Row(
      name: "an order of many values", path: "/v1/images/generations",
      body: "{\"prompt\":\"x\",\"x\":[\((0..<20_000).map { "\($0)" }.joined(separator: ","))]}",
      words: "10000 values"),
    Row(
      name: "an upload of 30,000 members", path: "/v1/assets",
      body: "{\"b64_json\":\"\(image)\",\(members(30_000))}", words: "256 members"),
    Row(
      name: "an upload with 257 options", path: "/v1/assets",
      body: "{\"b64_json\":\"\(image)\",\"asset\":{\(members(257))}}", words: "256 members"),
    Row(
      name: "a deep upload", path: "/v1/assets",
      body: "{\"b64_json\":\"\(image)\",\"x\":\(deep)}", words: "16 levels"),
    Row(
      name: "a conversion of 257 members", path: "/v1/images/convert",
      body: "{\"data\":[{\"b64_json\":\"\(image)\"}],\(members(256))}", words: "256 members"),
    Row(
      name: "an entry of 257 URLs", path: "/v1/images/convert",
      body:
        "{\"data\":[{\([String](repeating: "\"url\":\"\"", count: 257).joined(separator: ","))}]}",
      words: "256 members"),
    Row(
      name: "a deep conversion", path: "/v1/images/convert",
      body: "{\"data\":[{\"b64_json\":\"\(image)\"}],\"x\":\(deep)}", words: "16 levels"),
  ]

  @Test(.timeLimit(.minutes(2)))
  func whatCostsMuchIsRefused() async throws {
    try await withService { service in
      for row in Self.rows {
        let answer = try service.send("POST", row.path, row.body)
        #expect(answer.status == 400, "\(row.name): \(answer.text)")
        let error = answer.json["error"]
        #expect(error?["code"]?.string == "invalid_value", "\(row.name)")
        #expect(
          error?["message"]?.string?.contains(row.words) == true, "\(row.name): \(answer.text)")
      }
      let key = try service.admin("POST", "/admin/keys", "{\"name\":\"a\",\(Self.members(300))}")
      #expect(key.status == 400)
    }
  }

  @Test func whatIsWithinTheLimitsIsTaken() async throws {
    try await withService { service in
      let upload = "{\"b64_json\":\"\(Self.image)\",\(Self.members(255))}"
      let hosted = try service.send("POST", "/v1/assets", upload)
      #expect(hosted.status == 201, "\(hosted.text)")
      let answer = "{\"data\":[{\"b64_json\":\"\(Self.image)\",\(Self.members(255))}]}"
      let converted = try service.send("POST", "/v1/images/convert", answer)
      #expect(converted.status == 200, "\(converted.text)")
    }
  }
}
