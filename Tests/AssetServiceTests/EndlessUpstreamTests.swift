import Testing
import Wire

@testable import AssetService

/// An upstream whose image has no end: what it can send is little more than an image may have.
@Suite struct EndlessUpstreamTests {
  private static let image = TestImages.png(padding: 498)
  private static let text = TestImages.base64(image)
  /// What two sockets' buffers may hold, by far; the limit of whole answers is 1 GiB.
  private static let mostBytes = 128 << 20

  /// Base64 without an end, white space within it, the same escaped.
  static let endless = [
    ("A", false), ("A", true), ("\\n", true), ("\\u0020", true), ("A\\n\\n\\n\\n\\n\\n\\n", true),
    (" ", false),
  ]

  @Test(arguments: endless)
  func theConnectionIsClosedSoonAfterTheLimit(_ unit: String, hasWholeOne: Bool) async throws {
    let whole = hasWholeOne ? "{\"b64_json\":\"\(Self.text)\"}," : ""
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    let beginning = head + "{\"data\":[\(whole){\"b64_json\":\"\(Self.text)"
    let filler = Array(String(repeating: unit, count: 65_536 / unit.utf8.count).utf8)
    let upstream = try await FakeUpstream { _ in
      FakeReply(bytes: Array(beginning.utf8), endless: filler)
    }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox", ",\"n\":2,\"response_format\":\"url\"")
      #expect(answer["x-should-retry"] == "false")
      let codes = ["image_too_large", "invalid_base64"]
      if hasWholeOne {
        #expect(answer.status == 200, "\(answer.text)")
        let url = try #require(answer.json["data"]?[0]?["url"]?.string)
        #expect(try service.ask("GET", url).body == Self.image)
        let code = answer.json["x_asset"]?["failed"]?[0]?["code"]?.string
        #expect(codes.contains(code ?? ""), "\(answer.text)")
      } else {
        #expect(answer.status == 502 && codes.contains(answer.code ?? ""), "\(answer.text)")
      }
      try await until("the connection is closed") {
        upstream.isCutOff || upstream.poured >= FakeUpstream.mostPoured
      }
      #expect(upstream.isCutOff && upstream.poured < Self.mostBytes, "\(upstream.poured)")
      #expect(upstream.requests.count == 1)
    }
  }
}
