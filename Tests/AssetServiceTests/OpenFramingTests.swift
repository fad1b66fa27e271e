import Foundation
import Net
import Testing
import Wire

@testable import AssetService

/// Answers whose framing goes on when all that is wanted of them is here.
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

  /// An error's status is told although its body does not end: the order's time is 300 s.
  @Test func anErrorThatDoesNotEndIsTold() async throws {
    let head = "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    let open = FakeReply(bytes: Array(head.utf8))
    let upstream = try await FakeUpstream { _ in open }
    try await withFront(upstream) { service in
      let answer = try await order("a fox", at: service.endpoint)
      #expect(answer.status == 400, "\(answer.text)")
      #expect(upstream.requests.count == 1)
    }
  }

  /// On a thread of its own: the answer comes in some seconds.
  private func order(_ prompt: String, at endpoint: Endpoint) async throws -> TestAnswer {
    let body = Array(FrontCase.order(prompt).utf8)
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          with: Result {
            try TestClient(endpoint).ask(
              "POST", "/v1/images/generations", [("Content-Type", "application/json")], body: body)
          })
      }
    }
  }
}
