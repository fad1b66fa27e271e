import Foundation
import Kernel
import SQLite
import Testing
import Wire

@testable import AssetService
@testable import Store

// What becomes of results that were paid for (API.md §1, §3 "Money is spent once").

@Suite struct FrontRescueTests {
  private static let image = TestImages.png(padding: 5000)
  private static let text = TestImages.base64(image)
  private static let svg = Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><a/></svg>".utf8)
  private static let good = "\"b64_json\":\"\(text)\""
  private static let bad = "\"b64_json\":\"\(TestImages.base64(svg))\""

  private func expectNothingLeft(_ service: TestService, assets: Int) async throws {
    try await until("incoming is empty") { try hasNoIncoming(service.root) }
    #expect(try service.admin("GET", "/admin/stats").json["assets"]?.int == assets)
  }

  // MARK: Good ones

  /// What the upstream said beside its images, byte for byte.
  private static let also =
    ",\"usage\":{\"total_tokens\":1.50e2,\"input_tokens_details\":{\"text_tokens\":7}},"
    + "\"background\":\"opaque\",\"quality\":\"high\",\"x_vendor\":[1, 2,\"\\u00e9\"]"

  @Test(arguments: ["url", "b64_json"])
  func everythingBesideTheImageIsKept(_ format: String) async throws {
    let item = "\"revised_prompt\":\"a red fox\",\(Self.good),\"x_seed\":42"
    let upstream = try await FakeUpstream { _ in .images(item, also: Self.also) }
    try await withFront(upstream) { service in
      let answer = try service.generate(
        "a fox", ",\"response_format\":\"\(format)\",\"asset\":{\"ttl\":60},\"x_mine\":true")
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.text.hasPrefix("{\"created\":1712000000,\"data\":["))
      #expect(answer.text.contains(Self.also + ",\"x_asset\":"))
      let entry = try #require(answer.json["data"]?.array?.first)
      let names = ["revised_prompt", format, "x_seed"]
      #expect(entry.object?.members.map(\.name) == names)
      let asset = try #require(answer.json["x_asset"]?["images"]?.array?.first)
      let url = try #require(asset["url"]?.string)
      #expect(entry[format]?.string == (format == "url" ? url : Self.text))
      #expect(try service.ask("GET", url).body == Self.image)
      let names2 = answer.json["x_asset"]?.object?.members.map(\.name)
      #expect(names2 == ["generation_id", "upstream", "latency_ms", "replayed", "images"])
      #expect(answer["x-asset-ids"] == asset["id"]?.string)
      #expect(answer["x-asset-expires-at"].flatMap { Int($0) } == asset["expires_at"]?.int)
      #expect(answer["x-asset-generation-id"] == answer.json["x_asset"]?["generation_id"]?.string)
      #expect(answer["x-asset-replayed"] == "false")
      #expect(answer["x-should-retry"] == nil)
      // Our own options are ours; what is not known goes on, since the entry says nothing else.
      let request = try #require(upstream.requests.first)
      #expect(request.contains("Authorization: Bearer \(FrontCase.key)"))
      #expect(!request.contains("asset\""))
      #expect(request.contains("\"response_format\":\"b64_json\""), "our form, not the client's")
      #expect(request.contains("\"x_mine\":true"))
    }
  }

  // MARK: What can not be hosted

  @Test(arguments: ["url", "b64_json"])
  func whatCanNotBeHostedGoesOutAsItIs(_ format: String) async throws {
    let pixels = TestImages.png(20_000, 5_001)
    let cases = [
      FrontCase(prompt: "svg", reply: .images(Self.bad)),
      FrontCase(
        prompt: "pixels", reply: .images("\"b64_json\":\"\(TestImages.base64(pixels))\"")),
      FrontCase(
        prompt: "data",
        reply: .images("\"url\":\"data:image/svg+xml;base64,\(TestImages.base64(Self.svg))\"")),
    ]
    try await withFront(try await FrontCase.upstream(cases)) { service in
      for (order, bytes) in zip(cases, [Self.svg, pixels, Self.svg]) {
        let answer = try service.generate(order.prompt, ",\"response_format\":\"\(format)\"")
        #expect(answer.status == 200, "\(answer.text)")
        let entry = try #require(answer.json["data"]?.array?.first)
        #expect(entry["b64_json"]?.string == TestImages.base64(bytes), "\(order.prompt)")
        #expect(entry["url"] == nil)
        expectWarning(answer, "not_hostable")
      }
      try await expectNothingLeft(service, assets: 0)
    }
  }

  /// The marks of an answer whose images are not in the store.
  private func expectWarning(_ answer: TestAnswer, _ warning: String, images: Int = 0) {
    #expect(answer.json["x_asset"]?["warning"]?.string == warning, "\(answer.text.suffix(400))")
    #expect(answer["x-should-retry"] == "false")
    #expect(answer.json["x_asset"]?["images"]?.array?.count == images)
    #expect((answer["x-asset-ids"] != nil) == (images > 0))
    #expect((answer["x-asset-expires-at"] != nil) == (images > 0), "the life of nothing")
    #expect(answer["x-asset-generation-id"] != nil)
  }

  @Test func oneBadOfTwoTakesTheOtherNotWithIt() async throws {
    let broken = "\"b64_json\":\"@@@@\""
    let foreign = "\"url\":\"https://images.example/a.png\""
    let cases = [
      FrontCase(prompt: "svg", reply: .images(Self.bad, Self.good)),
      FrontCase(prompt: "broken", reply: .images(broken, Self.good)),
      FrontCase(prompt: "foreign", reply: .images(foreign, Self.good)),
      FrontCase(prompt: "empty", reply: .images("\"x\":1", Self.good)),
    ]
    try await withFront(try await FrontCase.upstream(cases)) { service in
      for (order, code) in zip(
        cases, [nil, "invalid_base64", "foreign_result_url", "no_image_returned"])
      {
        let answer = try service.generate(order.prompt, ",\"n\":2,\"response_format\":\"url\"")
        #expect(answer.status == 200, "\(answer.text)")
        let data = try #require(answer.json["data"]?.array)
        #expect(try service.ask("GET", try #require(data[1]["url"]?.string)).body == Self.image)
        let failed = answer.json["x_asset"]?["failed"]?.array ?? []
        guard let code else {
          #expect(data[0]["b64_json"]?.string == TestImages.base64(Self.svg))
          #expect(failed.isEmpty)
          expectWarning(answer, "not_hostable", images: 1)
          continue
        }
        #expect(failed.map { $0["index"]?.int } == [0], "\(order.prompt)")
        #expect(failed.first?["code"]?.string == code)
        #expect(failed.first?["message"]?.string?.isEmpty == false)
        #expect(answer.json["x_asset"]?["warning"] == nil)
      }
    }
  }

  @Test func fewerThanOrderedIsSaid() async throws {
    try await withFront(try await FakeUpstream { _ in .images(Self.good) }) { service in
      let answer = try service.generate("a fox", ",\"n\":3")
      #expect(answer.status == 200)
      let failed = answer.json["x_asset"]?["failed"]?.array ?? []
      #expect(failed.map { $0["index"]?.int } == [1, 2])
      #expect(failed.allSatisfy { $0["code"]?.string == "no_image_returned" })
    }
  }

  // MARK: Results that are URLs

  @Test(arguments: ["url", "b64_json"])
  func aURLOnTheUpstreamsOriginIsFetchedAndHosted(_ format: String) async throws {
    let upstream = try await FakeUpstream { request in
      if request.hasPrefix("GET /files/a.png?x=1 ") {
        return .answer(200, type: "application/octet-stream", Self.image)
      }
      let host = request.split(separator: "\r\n").first { $0.hasPrefix("Host: ") } ?? ""
      return .images("\"url\":\"http://\(host.dropFirst(6))/files/a.png?x=1\"")
    }
    try await withFront(upstream) { service in
      let answer = try service.generate("a fox", ",\"response_format\":\"\(format)\"")
      #expect(answer.status == 200, "\(answer.text)")
      let entry = try #require(answer.json["data"]?.array?.first)
      let url = try #require(answer.json["x_asset"]?["images"]?.array?.first?["url"]?.string)
      #expect(entry.object?.members.map(\.name) == [format])
      #expect(entry[format]?.string == (format == "url" ? url : Self.text))
      #expect(try service.ask("GET", url).body == Self.image)
      // S3: the key goes to no result URL.
      #expect(upstream.requests.count == 2)
      #expect(upstream.requests.last?.contains("uthorization") == false)
    }
  }

  @Test(arguments: ["url", "b64_json"])
  func aDataURLIsHosted(_ format: String) async throws {
    let item = "\"url\":\"data:image/png;base64,\(Self.text)\""
    try await withFront(try await FakeUpstream { _ in .images(item) }) { service in
      let answer = try service.generate("a fox", ",\"response_format\":\"\(format)\"")
      let entry = try #require(answer.json["data"]?.array?.first)
      #expect(entry.object?.members.map(\.name) == [format], "\(answer.text.prefix(200))")
      let url = try #require(answer.json["x_asset"]?["images"]?.array?.first?["url"]?.string)
      #expect(try service.ask("GET", url).body == Self.image)
      #expect(entry[format]?.string == (format == "url" ? url : Self.text))
    }
  }

  @Test func aFetchThatFailsIsNotBoughtAgain() async throws {
    let upstream = try await FakeUpstream { request in
      guard request.hasPrefix("POST") else {
        return request.contains("lost") ? .lost : .json(404, "")
      }
      let host = request.split(separator: "\r\n").first { $0.hasPrefix("Host: ") } ?? ""
      let name = request.contains("\"lost\"") ? "lost" : "gone"
      return .images("\"url\":\"http://\(host.dropFirst(6))/\(name).png\"")
    }
    try await withFront(upstream) { service in
      for prompt in ["lost", "gone"] {
        let answer = try service.generate(prompt)
        #expect(answer.status == 502 && answer.type == "upstream_error", "\(answer.text)")
        #expect(answer["x-should-retry"] == "false", "\(prompt)")
      }
      try await expectNothingLeft(service, assets: 0)
    }
  }

  // MARK: A store that fails

  /// Where storing may fail after the upstream has answered.
  enum StoreFault: CaseIterable {
    case begin, middle, settle, commit
    /// COMMIT fails with EIO: nobody knows whether it took place.
    case unknownCommit
  }

  @Test(arguments: StoreFault.allCases, ["url", "b64_json"])
  func aPaidImageIsNeverDropped(_ fault: StoreFault, _ format: String) async throws {
    let image = TestImages.png(seed: 3, padding: 900_000)
    let item = "\"b64_json\":\"\(TestImages.base64(image))\",\"x\":1"
    let upstream = try await FakeUpstream { _ in
      var reply = FakeReply.images(item, also: Self.also)
      reply.waits = true
      return reply
    }
    // Room for the order, not for the image.
    let storage = fault == .middle ? "max_bytes: \"600KiB\"" : ""
    try await withFront(upstream, storage: storage) { service in
      let client = try service.client()
      try order(
        from: client,
        ",\"response_format\":\"\(format)\",\"asset\":{\"base64\":\"data_url\"}")
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      try arm(fault, service)
      await upstream.release()
      let answer = try client.readAnswer()
      #expect(answer.status == 200, "\(answer.text.prefix(300))")
      let entry = try #require(answer.json["data"]?.array?.first)
      #expect(entry["b64_json"]?.string == "data:image/png;base64," + TestImages.base64(image))
      #expect(entry["url"] == nil && entry["x"]?.int == 1)
      #expect(answer.text.contains(Self.also))
      expectWarning(answer, "not_stored")
      #expect(try service.admin("GET", "/admin/stats").json["assets"]?.int == 0)
    }
  }

  /// Sends an order, and does not wait for its answer.
  private func order(from client: TestClient, _ more: String = "") throws {
    let order = FrontCase.order("a fox", more)
    try client.send(
      "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n"
        + order)
  }

  private func arm(_ fault: StoreFault, _ service: TestService) throws {
    switch fault {
    case .begin: try removeFolder(service.root + "/incoming")
    case .middle: break
    case .settle: try removeFolder(service.root + "/blobs")
    case .commit:
      WriteFaults.fail(nth: 1, code: ENOSPC, thread: service.service.context.store.writer.threadID)
    case .unknownCommit:
      WriteFaults.fail(nth: 1, code: EIO, thread: service.service.context.store.writer.threadID)
    }
  }

  // MARK: A client that leaves

  @Test func aClientThatHangsUpDoesNotLoseTheImage() async throws {
    let upstream = try await FakeUpstream { _ in
      var reply = FakeReply.images(Self.good)
      reply.waits = true
      return reply
    }
    try await withFront(upstream) { service in
      do {
        let client = try service.client()
        try order(from: client)
        try await until("the upstream is asked") { upstream.requests.count == 1 }
      }
      await upstream.release()
      try await until("the image is stored") {
        try service.admin("GET", "/admin/stats").json["assets"]?.int == 1
      }
      let asset = try #require(
        try service.ask("GET", "/v1/assets").json["data"]?.array?.first)
      #expect(try service.ask("GET", try #require(asset["url"]?.string)).body == Self.image)
      #expect(upstream.requests.count == 1)
    }
  }
}
