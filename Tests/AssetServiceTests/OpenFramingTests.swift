import Testing
import Wire

@testable import AssetService

/// Answers whose JSON is whole while their framing goes on.
@Suite struct OpenFramingTests {
  /// Neither a last chunk nor an end comes: the order's time, which would be waited for, is 300 s.
  @Test(arguments: ["", "b\r\n           \r\n"])
  func anAnswerThatIsWholeIsNotHeld(more: String) async throws {
    let image = TestImages.base64(TestImages.png(padding: 5000))
    let json = "{\"data\":[{\"b64_json\":\"\(image)\"}]}"
    let whole = FakeReply.chunked(Array(json.utf8), of: 1 << 20, type: "application/json")
    let open = FakeReply(bytes: whole.bytes.dropLast("0\r\n\r\n".utf8.count) + Array(more.utf8))
    let upstream = try await FakeUpstream { _ in open }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox")
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer["x-should-retry"] == nil && answer.json["x_asset"]?["failed"] == nil)
      let calls = service.service.context.gates.counters
      #expect(calls.all["fake"]?.byOutcome == ["answered": 1])
    }
  }
}
