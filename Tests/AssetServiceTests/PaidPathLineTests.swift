import Glibc
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import AssetService
@testable import Store

/// The paid path's table (AssetService.docc/PaidPath.md): what happens before an order is sent. The
/// upstream counts its calls.
@Suite struct PaidPathLineTests {
  private static let images = (0..<4).map { TestImages.png(seed: UInt8(50 + $0), padding: 900) }
  private static func good(_ index: Int) -> FakeReply {
    .images("\"b64_json\":\"\(TestImages.base64(images[index]))\"")
  }

  /// Each prompt has its image.
  private func upstream() async throws -> FakeUpstream {
    let prompts = ["held", "second", "third"]
    return try await .holding { request in
      let index = prompts.firstIndex { request.contains("\"prompt\":\"\($0)\"") }
      return Self.good(index ?? prompts.count)
    }
  }

  /// An order that runs, and one behind it in line.
  private func twoOrders(
    _ service: TestService, _ upstream: FakeUpstream, fields: [String] = []
  ) async throws -> (running: TestClient, inLine: TestClient) {
    let running = try service.begin("held", fields: fields)
    try await until("the upstream is asked") { upstream.calls("held") == 1 }
    let inLine = try service.begin("second", fields: fields)
    try await service.untilTaken(2)
    return (running, inLine)
  }

  // MARK: Unsent

  /// It needs not wait, so nobody looks whether its client stays: half-closed ones do.
  @Test func aClientThatLeavesAtOnceIsServedAllTheSame() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      do { _ = try service.begin() }
      try await until("the image is stored") { try service.assets == 1 }
      try await service.untilOver()
      #expect(upstream.requests.count == 1)
    }
  }

  @Test func aFullStoreBuysNothing() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream, storage: "max_bytes: 12288") { service in
      let many = try service.generate("a fox", ",\"n\":4")
      #expect(many.status == 507 && many.code == "insufficient_storage", "\(many.text)")
      #expect(upstream.requests.isEmpty)
    }
  }

  /// What was refused before it was sent is bought once when it comes again.
  @Test func aRefusedOrderIsBoughtOnceWhenItComesAgain() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      let faults = await WorkerFaults(service)
      faults.fail(.openat, code: EIO)
      #expect(try service.generate("a fox").status == 503)
      #expect(upstream.requests.isEmpty)
      faults.stop()
      let again = try service.begin("a fox", fields: ["x-stainless-retry-count: 1"])
      #expect(try again.readAnswer(to: "POST").status == 200)
      #expect(upstream.requests.count == 1)
      #expect(try service.assets == 1)
    }
  }

  // MARK: No file can be begun

  struct NoFile: Sendable {
    let code: Int32
    let status: Int
    let answer: String
  }
  static let noFiles = [
    NoFile(code: EIO, status: 503, answer: "storage_failed"),
    NoFile(code: EROFS, status: 503, answer: "storage_failed"),
    NoFile(code: EMFILE, status: 503, answer: "busy"),
    NoFile(code: ENFILE, status: 503, answer: "busy"),
    NoFile(code: ENOSPC, status: 507, answer: "insufficient_storage"),
    NoFile(code: EDQUOT, status: 507, answer: "insufficient_storage"),
  ]

  @Test(arguments: noFiles)
  func whereNoFileCanBeBegunNothingIsBought(_ row: NoFile) async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      let faults = await WorkerFaults(service)
      faults.fail(.openat, code: row.code)
      let answer = try service.generate("a fox")
      #expect(answer.status == row.status && answer.code == row.answer, "\(answer.text)")
      #expect(answer["Retry-After"] != nil || row.status == 507)
      #expect(upstream.requests.isEmpty)
      try await service.untilOver()
      #expect(service.service.context.store.space.reserved == 0)
    }
  }

  /// The disk fails while the order waits: it is not sent when its turn comes.
  @Test(arguments: noFiles)
  func norWhenItsTurnComes(_ row: NoFile) async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      let (running, inLine) = try await twoOrders(service, upstream)
      let faults = await WorkerFaults(service)
      // The image of the one that runs meets it as well.
      faults.fail(.openat, code: row.code, times: 8)
      await upstream.release()
      let paid = try running.readAnswer(to: "POST")
      #expect(paid.status == 200, "\(paid.text)")
      let answer = try inLine.readAnswer(to: "POST")
      #expect(answer.status == row.status && answer.code == row.answer, "\(answer.text)")
      #expect(upstream.requests.count == 1)
    }
  }

  // MARK: In line

  /// Each of these orders gets its image.
  private func expectImages(of clients: [TestClient]) throws {
    for client in clients {
      let answer = try client.readAnswer(to: "POST")
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["x_asset"]?["images"]?.array?.count == 1)
    }
  }

  /// Space that was promised is there when the turn comes, although there is no more.
  @Test func anOrderInLineHasItsSpace() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream, storage: "max_bytes: 8192") { service in
      let (running, inLine) = try await twoOrders(service, upstream)
      let full = try service.generate("third")
      #expect(full.status == 507 && full.code == "insufficient_storage", "\(full.text)")
      await upstream.release()
      try expectImages(of: [running, inLine])
      #expect(upstream.requests.count == 2)
    }
  }

  /// So is its owner's quota.
  @Test func anOrderInLineHasItsQuota() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream, keys: true) { service in
      let key = try service.key(
        "{\"name\":\"gw\",\"scopes\":[\"generate\",\"host\"],\"quota\":8192}")
      let fields = ["Authorization: Bearer \(key)"]
      let (running, inLine) = try await twoOrders(service, upstream, fields: fields)
      let full = try service.begin("third", fields: fields).readAnswer(to: "POST")
      #expect(full.status == 507 && full.code == "quota_exceeded", "\(full.text)")
      let upload = try service.host(
        Self.images[3], "", [("Authorization", "Bearer \(key)")])
      #expect(upload.status == 507 && upload.code == "quota_exceeded", "\(upload.text)")
      await upstream.release()
      try expectImages(of: [running, inLine])
      #expect(upstream.requests.count == 2)
    }
  }

  /// Another call's COMMIT fails, and the catalogue can not be opened again: nothing is sent until
  /// it can, neither what waits nor what comes.
  @Test func whileTheStoreIsReadOnlyNothingIsBought() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      let (running, inLine) = try await twoOrders(service, upstream)
      let writer = service.service.context.store.writer.threadID
      WriteFaults.fail(nth: 1, code: EIO, thread: writer, times: .max)
      defer { WriteFaults.fail(nth: .max, code: EIO, thread: writer) }
      let upload = try service.host(Self.images[3])
      #expect(upload.status == 503 && upload.code == "read_only", "\(upload.text)")
      await upstream.release()
      let paid = try running.readAnswer(to: "POST")
      #expect(paid.json["x_asset"]?["warning"]?.string == "not_stored", "\(paid.text)")
      let refused = [try inLine.readAnswer(to: "POST"), try service.generate("third")]
      for answer in refused {
        #expect(answer.status == 503 && answer.code == "read_only", "\(answer.text)")
      }
      #expect(upstream.requests.count == 1)
      WriteFaults.fail(nth: .max, code: EIO, thread: writer)
      try await until("it is well again") { try service.ask("GET", "/readyz").status == 200 }
      #expect(try service.generate("third").status == 200)
      #expect(upstream.requests.count == 2)
    }
  }

  // MARK: In our own pause

  /// Refuses the first order, once it is released, and takes the next.
  private func refusingOnce() async throws -> FakeUpstream {
    let isFirst = Mutex(true)
    return try await FakeUpstream { _ in
      guard isFirst.withLock({ exchange(&$0, with: false) }) else { return Self.good(0) }
      var reply = FakeReply.json(
        429, ["Retry-After: 1"], "{\"error\":{\"code\":\"rate_limit_exceeded\"}}")
      reply.waits = true
      return reply
    }
  }

  /// The upstream took no order, and its client left before it would have been asked again.
  @Test func whoLeavesInAPauseIsNotBoughtFor() async throws {
    let upstream = try await refusingOnce()
    try await withOneByOne(upstream) { service in
      do {
        let client = try service.begin()
        try await until("the upstream is asked") { upstream.requests.count == 1 }
        withExtendedLifetime(client) {}
      }
      // With one loop, the end of that connection is read before this is answered.
      _ = try service.ask("GET", "/healthz")
      await upstream.release()
      try await service.untilOver()
      #expect(upstream.requests.count == 1)
      #expect(try service.assets == 0)
    }
  }

  /// The service ends in the pause: what is not bought yet is not bought.
  @Test func anEndInAPauseBuysNothing() async throws {
    let upstream = try await refusingOnce()
    try await withOneByOne(upstream) { service in
      let client = try service.begin()
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      service.service.context.gates.beginDraining()
      await upstream.release()
      let answer = try client.readAnswer(to: "POST")
      #expect(answer.status == 429 && answer["x-should-retry"] == nil, "\(answer.text)")
      #expect(upstream.requests.count == 1)
    }
  }
}
