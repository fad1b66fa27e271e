import Dispatch
import Glibc
import Kernel
import SQLite
import Testing
import Wire

@testable import AssetService
@testable import Store

/// The paid path's table (AssetService.docc/PaidPath.md): the rows are committed and the answer is
/// not out yet, or just out. Nothing that happens then takes the image.
@Suite struct PaidPathDurableTests {
  private static let image = TestImages.png(seed: 60, padding: 900)

  private func upstream() async throws -> FakeUpstream {
    try await FakeUpstream { _ in .images("\"b64_json\":\"\(TestImages.base64(Self.image))\"") }
  }

  /// An order whose client can be let go of.
  final class Held {
    var client: TestClient?
    init(_ client: TestClient) { self.client = client }

    func answer() throws -> TestAnswer { try #require(client).readAnswer(to: "POST") }
  }

  /// Ends the connection; with one loop, that is read before the other request is answered.
  private func leave(_ order: Held, _ service: TestService) throws {
    order.client = nil
    _ = try service.ask("GET", "/healthz")
  }

  /// Runs `body` with an order whose rows are there and whose answer is not begun: its image was
  /// stored before, and the publication is over only when its discarded file is gone.
  private func whileDurable(
    _ service: TestService, assets: Int? = nil, _ more: String = "", fields: [String] = [],
    _ body: (Held) async throws -> Void
  ) async throws -> Held {
    if assets == nil {
      let first = try service.begin("a fox", more, fields: fields).readAnswer(to: "POST")
      #expect(first.status == 200, "\(first.text)")
    }
    let gate = DispatchSemaphore(value: 0)
    service.service.context.store.unlinker.submit(.init(then: { gate.wait() }))
    defer { gate.signal() }
    let order = Held(try service.begin("a fox", more, fields: fields))
    try await until("the rows are there") { try service.assets == assets ?? 2 }
    try await body(order)
    return order
  }

  private func expectImage(_ service: TestService, _ answer: TestAnswer) throws {
    #expect(answer.status == 200, "\(answer.text)")
    let url = try #require(answer.json["data"]?[0]?["url"]?.string)
    #expect(try service.ask("GET", url).body == Self.image)
  }

  @Test func aClientThatLeavesLosesNothing() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      _ = try await whileDurable(service) { try leave($0, service) }
      try await service.untilOver()
      let list = try service.ask("GET", "/v1/assets").json["data"]?.array ?? []
      #expect(list.count == 2)
      for asset in list {
        let url = try #require(asset["url"]?.string)
        #expect(try service.ask("GET", url).body == Self.image)
      }
      #expect(upstream.requests.count == 2, "once for each order")
    }
  }

  /// An image that is not to be stored goes when it is delivered, but not when its client may have
  /// left: what is sent then may arrive nowhere.
  @Test func anImageThatWasNotDeliveredIsKept() async throws {
    let upstream = try await upstream()
    let more = ",\"response_format\":\"b64_json\",\"asset\":{\"store\":false}"
    try await withOneByOne(upstream) { service in
      #expect(try service.generate("a fox").status == 200)
      #expect(try service.generate("a fox", more).status == 200)
      try await until("what was delivered goes") { try service.assets == 1 }
      let order = try await whileDurable(service, assets: 2, more) { order in
        try order.client?.finish()
        _ = try service.ask("GET", "/healthz")
      }
      #expect(try order.answer().status == 200)
      try await service.untilOver()
      #expect(try service.assets == 2)
    }
  }

  /// Nothing is written any more: not by the answer, nor by those who fetch it.
  @Test(arguments: [EIO, ENOSPC])
  func aDiskThatFailsChangesNothing(code: Int32) async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      let writer = service.service.context.store.writer.threadID
      defer { WriteFaults.fail(nth: .max, code: code, thread: writer) }
      let faults = await WorkerFaults(service)
      let order = try await whileDurable(service) { _ in
        WriteFaults.fail(nth: 1, code: code, thread: writer, times: .max)
        for call in [SystemCall.openat, .pwrite, .fsync, .rename] {
          faults.fail(call, code: code, times: 4)
        }
      }
      try expectImage(service, try order.answer())
      faults.stop()
      #expect(upstream.requests.count == 2)
    }
  }

  /// With its rows the quota is used up; the next order is refused, this one is delivered.
  @Test func aQuotaThatIsUsedUpChangesNothing() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream, keys: true) { service in
      let quota = 4096 + Self.image.count
      let key = try service.key(
        "{\"name\":\"gw\",\"scopes\":[\"generate\",\"read\"],\"quota\":\(quota)}")
      let fields = ["Authorization: Bearer \(key)"]
      let order = try await whileDurable(service, fields: fields) { _ in
        let full = try service.begin("a fox", fields: fields).readAnswer(to: "POST")
        #expect(full.status == 507 && full.code == "quota_exceeded", "\(full.text)")
      }
      try expectImage(service, try order.answer())
      #expect(upstream.requests.count == 2)
    }
  }

  /// A takedown is no part of this version; a deletion in its place: the URL that goes out, or went
  /// out, says that the image is gone.
  @Test func aDeletedImageIsGone() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      func deleteNewest() throws {
        let newest = try service.ask("GET", "/v1/assets").json["data"]?[0]?["id"]?.string
        let id = try #require(newest)
        #expect(try service.ask("DELETE", "/v1/assets/\(id)").status == 204)
      }
      let delivered = try service.generate("a fox")
      try expectImage(service, delivered)
      try deleteNewest()
      let url = try #require(delivered.json["data"]?[0]?["url"]?.string)
      #expect(try service.ask("GET", url).status == 410)
      let order = try await whileDurable(service) { _ in try deleteNewest() }
      let answer = try order.answer()
      #expect(answer.status == 200, "\(answer.text)")
      let late = try #require(answer.json["data"]?[0]?["url"]?.string)
      #expect(try service.ask("GET", late).status == 410)
    }
  }

  @Test func whatIsDeliveredStaysWhenItsClientLeaves() async throws {
    let upstream = try await upstream()
    try await withOneByOne(upstream) { service in
      let answer = try service.begin().readAnswer(to: "POST")
      try await service.untilOver()
      try expectImage(service, answer)
      #expect(try service.assets == 1 && upstream.requests.count == 1)
    }
  }
}
