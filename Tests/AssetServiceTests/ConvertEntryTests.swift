import Testing
import Wire

// Entries of a conversion that can not be hosted stay as they were; the others are converted
// (API.md §4).

@Suite struct ConvertEntryTests {
  private static let small = TestImages.base64(TestImages.png(padding: 600))
  private static let other = TestImages.base64(TestImages.png(seed: 3, padding: 700))
  private static let large = TestImages.base64(TestImages.png(seed: 4, padding: 400_000))

  private func expectKept(
    _ answer: TestAnswer, _ entry: String, code: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(answer.status == 200, "\(answer.text.prefix(300))", sourceLocation: sourceLocation)
    #expect(answer.text.contains(entry), sourceLocation: sourceLocation)
    let report = answer.json["x_asset"]
    #expect(report?["failed"]?[0]?["index"]?.int == 1, sourceLocation: sourceLocation)
    #expect(report?["failed"]?[0]?["code"]?.string == code, sourceLocation: sourceLocation)
    let indices = report?["images"]?.array?.map { $0["index"]?.int }
    #expect(indices == [0, 2], sourceLocation: sourceLocation)
    for index in [0, 2] {
      let url = answer.json["data"]?[index]?["url"]?.string
      #expect(url == report?["images"]?[index / 2]?["url"]?.string, sourceLocation: sourceLocation)
    }
  }

  private func body(_ entry: String) -> String {
    "{\"data\":[{\"b64_json\":\"\(Self.small)\"},\(entry),{\"b64_json\":\"\(Self.other)\"}]}"
  }

  @Test(arguments: [
    "{\"a\":1,\"b64_json\":\"\(large)\"}", "{\"url\":\"data:image\\/png;base64,\(large)\",\"z\":2}",
  ])
  func anEntryThatIsTooLargeStays(entry: String) async throws {
    try await withService("limits: { image_bytes: \"256KiB\" }") { service in
      let answer = try service.send("POST", "/v1/images/convert", body(entry))
      expectKept(answer, entry, code: "image_too_large")
      try await until("incoming is empty") { try hasNoIncoming(service.root) }
    }
  }

  @Test func anEntryBeyondTheQuotaStays() async throws {
    let entry = "{\"a\":1,\"b64_json\":\"\(Self.large)\"}"
    try await withService("auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }") { service in
      let key = try service.key("{\"name\":\"a\",\"quota\":5000}")
      let answer = try service.send(
        "POST", "/v1/images/convert", body(entry), [("Authorization", "Bearer \(key)")])
      expectKept(answer, entry, code: "quota_exceeded")
    }
  }

  @Test(arguments: ["/v1/images/convert", "/v1/assets"])
  func parametersThatAreNotKnownAreRefused(path: String) async throws {
    try await withService { service in
      let json = path == "/v1/assets" ? "{\"b64_json\":\"\(Self.small)\"}" : body("{}")
      let answer = try service.send("POST", path + "?ttl=5m&tttl=3", json)
      #expect(answer.status == 400 && answer.param == "tttl", "\(answer.text)")
      let good = try service.send("POST", path + "?ttl=5m", json)
      #expect(good.status < 300, "\(good.text)")
    }
  }
}
