import Dispatch
import Testing
import Wire

@testable import AssetService
@testable import Net

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

  /// A long body is read beside the loop, which it would hold for milliseconds; so is what an order
  /// is sent on as. While no thread is free it waits, and the loop serves others.
  @Test(arguments: [
    ("/v1/images/generations", ",", "invalid_json"), ("/v1/assets", "", "missing_image"),
    ("/v1/assets/ID/links", ",", "invalid_json"),
  ])
  func aLongBodyIsReadBesideTheLoop(path: String, end: String, code: String) async throws {
    try await withService(loops: 1) { service in
      let workers = service.service.context.workers
      let hosted = try service.host(TestImages.png()).json
      let id = try #require(hosted["id"]?.string)
      try await until("no thread is busy") { workers.pending == 0 }
      let gate = DispatchSemaphore(value: 0)
      var held = 0
      defer { for _ in 0..<held { gate.signal() } }
      for _ in 0..<workers.threads {
        #expect(workers.start { gate.wait() })
        held += 1
      }
      let text = String(repeating: "\\u0001", count: 10_000)
      let body = "{\"x\":\"\(text)\"\(end)}"
      let client = try service.client()
      try client.send(
        "POST \(path.replacing("ID", with: id)) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      try await until("it waits for a thread") { workers.pending == held + 1 }
      #expect(try service.ask("GET", "/healthz").status == 200)
      for _ in 0..<held { gate.signal() }
      held = 0
      let answer = try client.readAnswer(to: "POST")
      #expect(answer.status == 400 && answer.code == code, "\(answer.text)")
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
