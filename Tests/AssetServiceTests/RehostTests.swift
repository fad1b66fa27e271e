import Crypto
import Foundation
import SQLite
import Testing
import Wire

@testable import AssetService
@testable import Store

/// What a paid answer holds when its images were taken down, or can not be read back.
@Suite struct RehostTests {
  private static let images = (0..<2).map { TestImages.png(seed: UInt8(20 + $0), padding: 6000) }
  private static func text(_ index: Int) -> String { TestImages.base64(images[index]) }
  private static func good(_ index: Int) -> String { "\"b64_json\":\"\(text(index))\"" }

  /// An upstream that holds its answers back.
  private func waiting(_ reply: FakeReply) async throws -> FakeUpstream {
    try await FakeUpstream { _ in
      var reply = reply
      reply.waits = true
      return reply
    }
  }

  private func order(
    _ service: TestService, _ more: String, _ fields: String = ""
  ) throws -> TestClient {
    let client = try service.client()
    let order = FrontCase.order("a fox", more)
    try client.send(
      "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n\(fields)"
        + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n\(order)")
    return client
  }

  private func block(_ image: [UInt8], _ service: TestService) async throws {
    let digest = SHA256.digest(of: image.span).hex
    try await service.service.context.store.write { (session) throws(StoreFailure) in
      _ = try catalog(.record) { () throws(SQLiteFailure) in
        try session.connection.execute(
          "INSERT INTO blocked (digest, blocked_at) VALUES (x'\(digest)', 0)")
      }
    }
  }

  private func expectWithheld(_ answer: TestAnswer, _ index: Int, stored: Bool) throws {
    #expect(answer.status == 200, "\(answer.text.prefix(400))")
    let data = try #require(answer.json["data"]?.array)
    #expect(data[index]["b64_json"]?.string == "" && data[index]["url"] == nil)
    #expect(data[1 - index]["b64_json"]?.string == Self.text(1 - index))
    let failed = answer.json["x_asset"]?["failed"]?.array ?? []
    #expect(failed.map { $0["index"]?.int } == [index])
    #expect(failed.first?["code"]?.string == "content_blocked")
    #expect(answer.json["x_asset"]?["images"]?.array?.count == (stored ? 1 : 0))
    let warning = answer.json["x_asset"]?["warning"]?.string
    #expect(warning == (stored ? nil : "not_stored"))
    #expect(answer["x-should-retry"] == "false")
  }

  // MARK: Taken down

  @Test func anImageThatWasTakenDownIsFailedAlone() async throws {
    let upstream = try await FakeUpstream { request in
      request.contains("\"n\":2") ? .images(Self.good(0), Self.good(1)) : .images(Self.good(0))
    }
    try await withFront(upstream) { service in
      try await block(Self.images[0], service)
      let answer = try service.generate("a fox", ",\"n\":2,\"response_format\":\"b64_json\"")
      try expectWithheld(answer, 0, stored: true)
      let none = try service.generate("a fox")
      #expect(none.status == 502 && none.code == "content_blocked", "\(none.text)")
      #expect(none["x-should-retry"] == "false")
      #expect(upstream.requests.count == 2)
    }
  }

  /// Rescued in memory, its digest was never asked for.
  @Test func itIsWithheldWhenTheStoreFails() async throws {
    let upstream = try await waiting(.images(Self.good(0), Self.good(1)))
    try await withFront(upstream) { service in
      try await block(Self.images[1], service)
      let client = try order(service, ",\"n\":2,\"response_format\":\"url\"")
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      try removeFolder(service.root + "/incoming")
      await upstream.release()
      try expectWithheld(try client.readAnswer(to: "POST"), 1, stored: false)
    }
  }

  /// The image before it is beyond the quota: the transaction ends before its digest is looked at.
  @Test func itIsWithheldWhenAnotherImageIsRefused() async throws {
    let upstream = try await FakeUpstream { _ in .images(Self.good(0), Self.good(1)) }
    let configuration = """
      auth: { mode: "keys", bootstrap_key_env: "BOOTSTRAP" },
      upstreams: [ { name: "fake", dialect: "openai", base_url: "\(upstream.origin)/v1" } ],
      models: [ { id: "fake", upstream: "fake", expected_bytes: 1000 } ]
      """
    try await withService(configuration) { service in
      let key = try service.key("{\"name\":\"gw\",\"scopes\":[\"generate\"],\"quota\":2500}")
      try await block(Self.images[1], service)
      let client = try order(service, ",\"n\":2", "Authorization: Bearer \(key)\r\n")
      try expectWithheld(try client.readAnswer(to: "POST"), 1, stored: false)
    }
    await upstream.stop()
  }

  // MARK: Not to be read

  private func file(_ service: TestService, of image: [UInt8]) throws -> String {
    let digest = SHA256.digest(of: image.span).hex
    let folder = service.root + "/blobs/" + digest.prefix(2)
    let name = try FileManager.default.contentsOfDirectory(atPath: folder)
      .first { $0.hasPrefix(digest) }
    return folder + "/" + (try #require(name))
  }

  /// The images were stored before, so their new files are discarded; then the first one's file can
  /// not be opened, or is gone, between its row and its answer.
  @Test(arguments: [true, false])
  func aStoredImageThatCanNotBeReadIsNeverSilent(isMissing: Bool) async throws {
    let upstream = try await FakeUpstream { _ in .images(Self.good(0), Self.good(1)) }
    try await withFront(upstream) { service in
      let more = ",\"n\":2,\"response_format\":\"b64_json\""
      #expect(try service.generate("a fox", more).status == 200)
      let path = try file(service, of: Self.images[0])
      let gate = DispatchSemaphore(value: 0)
      defer { gate.signal() }
      // The publication is over when its discarded files are gone.
      service.service.context.store.unlinker.submit(.init(then: { gate.wait() }))
      let client = try order(service, more)
      try await until("the rows are there") {
        try service.admin("GET", "/admin/stats").json["assets"]?.int == 4
      }
      try FileManager.default.removeItem(atPath: path)
      if !isMissing {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
      }
      gate.signal()
      let answer = try client.readAnswer(to: "POST")
      #expect(answer.status == 200, "\(answer.text.prefix(400))")
      let data = try #require(answer.json["data"]?.array)
      let ours = try #require(answer.json["x_asset"])
      #expect(data[1]["b64_json"]?.string == Self.text(1))
      #expect(data[0]["b64_json"]?.string ?? "" == "")
      #expect(answer["x-should-retry"] == "false")
      if isMissing {
        #expect(ours["failed"]?[0]?["code"]?.string == "asset_damaged", "\(ours)")
      } else {
        #expect(data[0]["url"]?.string == ours["images"]?[0]?["url"]?.string)
        #expect(ours["warnings"]?[0]?["index"]?.int == 0)
        #expect(ours["failed"] == nil)
      }
    }
  }
}
