import Crypto
import Synchronization
import Testing
import Wire

@testable import AssetService

/// Results that an upstream gives as URLs on its own origin (API.md §3).
@Suite struct FrontResultURLTests {
  private static let image = TestImages.png(padding: 200_000)

  /// An upstream whose answers are URLs of `count` results; `file` gives them.
  private func upstream(
    count: Int = 1, _ file: @escaping @Sendable (String) -> FakeReply
  ) async throws -> FakeUpstream {
    try await FakeUpstream { request in
      if request.hasPrefix("GET ") { return file(request) }
      let host = request.split(separator: "\r\n").first { $0.hasPrefix("Host: ") } ?? ""
      let items = (0..<count).map { "{\"url\":\"http://\(host.dropFirst(6))/\($0).png\"}" }
      return .json(200, "{\"data\":[\(items.joined(separator: ","))]}")
    }
  }

  /// One read of a chunked answer brings many pieces: all of them belong to the image.
  @Test func aResultInManySmallChunksIsWhole() async throws {
    let upstream = try await upstream { _ in .chunked(Self.image, of: 1000, type: "image/png") }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox", ",\"response_format\":\"url\"")
      #expect(answer.status == 200, "\(answer.text)")
      let asset = try #require(answer.json["x_asset"]?["images"]?[0])
      #expect(asset["bytes"]?.int == Self.image.count)
      #expect(asset["sha256"]?.string == SHA256.digest(of: Self.image.span).hex)
      #expect(answer.json["x_asset"]?["warnings"] == nil)
      #expect(try service.ask("GET", try #require(asset["url"]?.string)).body == Self.image)
    }
  }

  /// Nothing, or a page, where an image was promised: it was paid for, and is not asked again.
  @Test(arguments: ["", "<!DOCTYPE html><html><body>Not found</body></html>", "{\"error\":1}"])
  func aResultThatIsNoImageIsSaid(_ body: String) async throws {
    let upstream = try await upstream { _ in
      .answer(200, type: "text/html", Array(body.utf8))
    }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox")
      #expect(answer.status == 502 && answer.code == "no_image_returned", "\(answer.text)")
      #expect(answer["x-should-retry"] == "false")
      #expect(upstream.requests.count == 2)
    }
  }

  /// A GET buys nothing: what may go better is tried again, also when the body breaks off.
  @Test func aResultThatFailsAtFirstIsHad() async throws {
    let whole = FakeReply.answer(200, type: "image/png", Self.image)
    let cut = FakeReply(bytes: Array(whole.bytes.prefix(100_000)), drops: true)
    let replies: [FakeReply] = [.json(503, "{}"), cut, .lost, cut, whole]
    let asked = Atomic<Int>(0)
    let upstream = try await upstream { _ in
      replies[min(asked.add(1, ordering: .relaxed).oldValue, replies.count - 1)]
    }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox", ",\"response_format\":\"url\"")
      #expect(answer.status == 200, "\(answer.text)")
      let asset = try #require(answer.json["x_asset"]?["images"]?[0])
      #expect(asset["sha256"]?.string == SHA256.digest(of: Self.image.span).hex)
      #expect(upstream.requests.count == 1 + replies.count)
    }
  }

  /// One that never comes whole is given up, and not bought again.
  @Test func aResultThatAlwaysBreaksOffIsGivenUp() async throws {
    let whole = FakeReply.answer(200, type: "image/png", Self.image)
    let cut = FakeReply(bytes: Array(whole.bytes.prefix(100_000)), drops: true)
    let upstream = try await upstream { _ in cut }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox")
      #expect(answer.status == 502 && answer["x-should-retry"] == "false", "\(answer.text)")
      #expect(upstream.requests.count == 1 + 3)
    }
  }

  /// Some vendors fill the member that they do not use with a word.
  @Test(arguments: ["None", "null"])
  func aWordWhereTheImageIsNotDoesNotHideItsURL(word: String) async throws {
    let upstream = try await FakeUpstream { request in
      request.hasPrefix("GET ")
        ? .answer(200, type: "image/png", Self.image)
        : .images("\"b64_json\":\"\(word)\",\"url\":\"/0.png\"")
    }
    try await withFront(upstream) { service in
      for format in ["url", "b64_json"] {
        let answer = try service.generate("a fox", ",\"response_format\":\"\(format)\"")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["x_asset"]?["images"]?[0]?["bytes"]?.int == Self.image.count)
        #expect(!answer.text.contains("\"\(word)\""))
        #expect(answer.json["data"]?[0]?[format]?.string != nil)
      }
    }
  }

  /// The log's event of a lost image must be enough to get it: signatures are longer than what
  /// `LogRedaction` leaves.
  @Test func theURLOfALostImageStaysWholeInTheLog() {
    let signature = String(repeating: "0123456789abcdef", count: 8)
    let url = "https://example.com/\(signature)/a.png?X-Amz-Signature=\(signature)&x=%41%42ü"
    let line = JSONValue.array(ServiceContext.pieces(url).map { .string($0) }).bytes
    #expect(LogRedaction.shortening(line) == line)
    #expect(ServiceContext.pieces(url).joined() == url)
    #expect(ServiceContext.pieces(String(repeating: "a", count: 100_000)).joined().count < 5000)
  }

  /// No fetch waits for another: none is answered before all have been asked.
  @Test func resultsAreFetchedSideBySide() async throws {
    let upstream = try await upstream(count: 4) { _ in
      var reply = FakeReply.answer(200, type: "image/png", Self.image)
      reply.waits = true
      return reply
    }
    try await withFront(upstream) { service in
      let client = try service.client()
      let order = FrontCase.order("a fox", ",\"n\":4,\"response_format\":\"url\"")
      try client.send(
        "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n\(order)")
      try await until("all are asked for") { upstream.requests.count == 5 }
      await upstream.release()
      let answer = try client.readAnswer(to: "POST")
      #expect(answer.status == 200, "\(answer.text)")
      let urls = (answer.json["data"]?.array ?? []).compactMap { $0["url"]?.string }
      #expect(urls.count == 4)
      for url in urls { #expect(try service.ask("GET", url).body == Self.image) }
    }
  }
}
