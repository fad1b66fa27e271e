import Foundation
import Synchronization
import Testing
import Wire

@testable import AssetService
@testable import Store

/// An end of the service that paid calls meet.
struct EndOfServiceTests {
  private func configuration(_ upstream: FakeUpstream) -> String {
    FrontCase.configuration(upstream)
  }

  /// Sends an order whose answer the upstream keeps back.
  private func order(_ service: TestService, _ upstream: FakeUpstream) async throws -> TestClient {
    let client = try service.client()
    let body = FrontCase.order("kept back")
    try client.send(
      "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    try await until("the order is sent") { upstream.requests.count == 1 }
    return client
  }

  /// Ends a service while an order of it is under way; then the upstream answers.
  private func orderAndStop(_ upstream: FakeUpstream, _ root: String) async throws {
    let service = try await TestService(configuration(upstream), storage: "", root: root, loops: 2)
    let client = try await order(service, upstream)
    let running = service.service
    async let stopped: Void = running.stop(clientTime: .zero)
    // Its client is let go, and the call goes on.
    #expect(try client.countRest() == 0)
    #expect(running.context.purchases.count == 1)
    await upstream.release()
    await stopped
  }

  /// Clients have had their time, but what is paid for is waited for, and stored.
  @Test func theEndWaitsForPaidCalls() async throws {
    let image = TestImages.png(seed: 7)
    let upstream = try await FakeUpstream { _ in
      var reply = FakeReply.images("\"b64_json\":\"\(TestImages.base64(image))\"")
      reply.waits = true
      return reply
    }
    let root = TestService.newRoot()
    defer { try? FileManager.default.removeItem(atPath: root) }
    try await orderAndStop(upstream, root)
    await upstream.stop()
    try await withService(configuration(upstream), root: root) { again in
      let list = try again.ask("GET", "/v1/assets").json["data"]?.array
      #expect(list?.map { $0["bytes"]?.int } == [image.count])
    }
  }

  /// Whoever can not wait ends it at once, although the upstream is silent.
  @Test func theEndCanBeForced() async throws {
    let upstream = try await FakeUpstream { _ in .silence }
    let root = TestService.newRoot()
    defer { try? FileManager.default.removeItem(atPath: root) }
    let service = try await TestService(configuration(upstream), storage: "", root: root, loops: 2)
    _ = try await order(service, upstream)
    let running = service.service
    let purchase = try #require(running.context.purchases.all.first)
    #expect(purchase.model == "fake" && purchase.upstream == "fake")
    let isOver = Mutex(false)
    let end = Task {
      await running.stop(clientTime: .seconds(60))
      isOver.withLock { $0 = true }
    }
    await running.abandonCalls()
    do { try await until("the service has ended") { isOver.withLock { $0 } } } catch {
      // Without its upstream the call that it waits for is over.
      await upstream.stop()
      await end.value
      throw error
    }
    await upstream.stop()
  }

  /// The last fetches are worth no wait then: their disk may hang.
  @Test(arguments: [false, true]) func aForcedEndWritesNoFetches(isForced: Bool) async throws {
    let root = TestService.newRoot()
    defer { try? FileManager.default.removeItem(atPath: root) }
    let service = try await TestService("", storage: "", root: root, loops: 1)
    let path = try service.hostPath(TestImages.png(seed: 7))
    #expect(try service.ask("GET", path).status == 200)
    let running = service.service
    if isForced { await running.abandonCalls() }
    await running.stop(clientTime: .seconds(60))
    #expect(running.context.store.accessLog.take().isEmpty != isForced)
  }
}
