import Crypto
import Glibc
import Kernel
import SQLite
import Testing
import Wire

@testable import AssetService
@testable import Store

/// The paid path's table (AssetService.docc/PaidPath.md), two events at once: the client has left,
/// and the store does not take what was bought. The answer has nobody to go to.
@Suite struct PaidPathLeftTests {
  private static let image = TestImages.png(seed: 71, padding: 5000)

  /// How the store fails.
  enum Fault: CaseIterable {
    /// COMMIT finds no room, once.
    case fullOnce
    /// The catalogue is read-only for a while.
    case readOnly
    /// COMMIT finds no room, as long as the test lasts.
    case full
    /// COMMIT fails with EIO: nobody knows whether it took place.
    case unknown
    /// No file can be made: the image is in memory.
    case noFile
  }

  private func withHeld(
    isArriving: Bool = true, tries: Int = 60,
    _ body: (TestService, FakeUpstream) async throws -> Void
  ) async throws {
    let upstream = try await FakeUpstream { _ in
      let text = TestImages.base64(Self.image)
      let reply = FakeReply.images("\"b64_json\":\"\(text)\"").with("x-request-id: req_1")
      return reply.held(after: isArriving ? reply.bytes.count / 2 : 0)
    }
    var limits = ServiceLimits()
    limits.publishTries = tries
    do {
      try await withService(FrontCase.oneByOne(upstream), loops: 1, limits: limits) { service in
        try await body(service, upstream)
      }
    } catch {
      await upstream.stop()
      throw error
    }
    await upstream.stop()
  }

  /// An order that was sent, and whose answer has begun to arrive.
  private func order(
    _ service: TestService, _ upstream: FakeUpstream, isArriving: Bool = true
  ) async throws -> TestClient {
    let client = try service.begin("a fox", ",\"response_format\":\"url\"")
    try await until("the upstream is asked") { upstream.requests.count == 1 }
    guard isArriving else { return client }
    let purchases = service.service.context.purchases
    try await until("the answer has begun") {
      purchases.all.first?.upstreamRequestID == "req_1"
    }
    return client
  }

  private func leave(_ client: inout TestClient?, _ service: TestService) throws {
    client = nil
    // With one loop, the end of that connection is read before this is answered.
    _ = try service.ask("GET", "/healthz")
  }

  private func arm(_ fault: Fault, _ service: TestService) throws {
    let store = service.service.context.store
    let writer = store.writer.threadID
    switch fault {
    case .fullOnce: WriteFaults.fail(nth: 1, code: ENOSPC, thread: writer)
    case .full: WriteFaults.fail(nth: 1, code: ENOSPC, thread: writer, times: .max)
    case .unknown: WriteFaults.fail(nth: 1, code: EIO, thread: writer)
    case .noFile: try removeFolder(service.root + "/incoming")
    case .readOnly:
      WriteFaults.fail(nth: 1, code: EIO, thread: writer, times: .max)
      #expect(try service.host(TestImages.png(seed: 72)).status == 503)
      #expect(store.files.health.catalogueTrouble != nil)
    }
  }

  private func disarm(_ service: TestService) {
    let writer = service.service.context.store.writer.threadID
    WriteFaults.fail(nth: .max, code: EIO, thread: writer)
  }

  /// A store that takes no rows for a moment gets them a moment later.
  @Test(arguments: [Fault.fullOnce, .readOnly])
  func rowsThatAreRefusedAreTriedAgain(_ fault: Fault) async throws {
    try await withHeld { service, upstream in
      let context = service.service.context
      defer { disarm(service) }
      var client: TestClient? = try await order(service, upstream)
      try leave(&client, service)
      try arm(fault, service)
      await upstream.release()
      if fault == .readOnly {
        try await until("the image waits for its row") {
          try hasNoIncoming(service.root) && blobs(service) > 0
        }
        disarm(service)
      }
      try await service.untilOver()
      let list = try service.ask("GET", "/v1/assets").json["data"]?.array ?? []
      let wanted = TestImages.digest(Self.image).hex
      let asset = try #require(list.first { $0["sha256"]?.string == wanted })
      #expect(try service.ask("GET", try #require(asset["url"]?.string)).body == Self.image)
      #expect(context.metrics.lostImages == 0 && context.metrics.unstoredImages == 0)
      #expect(upstream.requests.count == 1)
    }
  }

  /// Files of blobs.
  private func blobs(_ service: TestService) throws -> Int {
    let digest = TestImages.digest(Self.image).hex
    let folder = try Directory.open(path: service.root + "/blobs/" + digest.prefix(2))
    return try folder.names().count
  }

  /// What is neither stored nor delivered is told; what its client gets is not.
  @Test(arguments: [Fault.full, .unknown, .noFile], [true, false])
  func whatNobodyHasIsTold(_ fault: Fault, hasLeft: Bool) async throws {
    // A file that was begun goes on without its folder.
    let isArriving = fault != .noFile
    try await withHeld(isArriving: isArriving, tries: 1) { service, upstream in
      let context = service.service.context
      defer { disarm(service) }
      var client: TestClient? = try await order(service, upstream, isArriving: isArriving)
      if hasLeft { try leave(&client, service) }
      try arm(fault, service)
      await upstream.release()
      if hasLeft {
        try await until("the loss is told") { context.metrics.lostImages == 1 }
      } else {
        let answer = try #require(client).readAnswer(to: "POST")
        let text = answer.json["data"]?[0]?["b64_json"]?.string
        #expect(text == TestImages.base64(Self.image), "\(answer.text.prefix(300))")
      }
      try await service.untilOver()
      #expect(context.metrics.lostImages == (hasLeft ? 1 : 0))
      #expect(context.metrics.unstoredImages == 1)
      #expect(upstream.requests.count == 1)
    }
  }
}
