import HTTPServer
import Kernel
import Net
import Store
import Testing
import Wire

@testable import AssetService

/// Overload of one kind is refused with 503 and `Retry-After`, and starves no other (PROMISES.md,
/// O1).
@Suite struct OverloadTests {
  private func limits(_ change: (inout ServiceLimits) -> Void) -> ServiceLimits {
    var limits = ServiceLimits()
    change(&limits)
    return limits
  }

  private func expectBusy(_ answer: TestAnswer) {
    #expect(answer.status == 503 && answer.code == "busy", "\(answer.text)")
    #expect(answer["Retry-After"] == "1")
  }

  @Test func uploadsBeyondTheirNumberAreRefused() async throws {
    try await withService(limits: limits { $0.ingests = 1 }) { service in
      let image = TestImages.png(padding: 40_000)
      let url = try #require(try service.host(image).json["url"]?.string)
      // Its client has the answer a moment before its place is given back.
      let budgets = service.service.context.budgets
      try await until("the first has left") { budgets.running(.ingest) == 0 }
      let slow = try service.client()
      try slow.send(
        "POST /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
          + "Content-Length: \(image.count)\r\n\r\n")
      try slow.send(Array(image.prefix(1000)))
      // Without giving way: beside many tests this one may not go on for longer than the upload is
      // waited for.
      let end = ContinuousClock.now + .seconds(20)
      while try hasNoIncoming(service.root) {
        try #require(ContinuousClock.now < end, "the upload began")
      }
      expectBusy(try service.host(image))
      expectBusy(try service.send("POST", "/v1/images/convert", "{}"))
      // Delivery, reads of the API and the other kinds go on.
      #expect(try service.ask("GET", url).body == image)
      #expect(try service.ask("GET", "/v1/assets").status == 200)
      #expect(try service.send("POST", "/v1/images/generations", "{}").status == 400)
      #expect(try service.ask("GET", "/readyz").status == 200)
      try slow.send(Array(image.dropFirst(1000)))
      try await until("its place is free") { try service.host(image).status != 503 }
    }
  }

  @Test func eachKindHasItsOwnNumber() async throws {
    let none = limits {
      $0.generations = 0
      $0.queries = 0
    }
    try await withService(limits: none) { service in
      expectBusy(try service.send("POST", "/v1/images/generations", "{}"))
      expectBusy(try service.ask("GET", "/v1/assets"))
      expectBusy(try service.ask("GET", "/v1/models"))
      #expect(try service.host(TestImages.png()).status == 201)
      #expect(try service.admin("GET", "/admin/stats").status == 200)
      // The operator's calls of the API, too: a takedown must not wait.
      #expect(try service.admin("GET", "/v1/assets").status == 200)
      #expect(try service.ask("GET", "/healthz").status == 200)
    }
  }

  /// Orders that an upstream lets wait hold up nothing else (PROMISES.md, O5).
  @Test func aSlowUpstreamChangesNothingForDelivery() async throws {
    let image = TestImages.png(padding: 40_000)
    let upstream = try await FakeUpstream { _ in
      var reply = FakeReply.images("\"b64_json\":\"\(TestImages.base64(image))\"")
      reply.waits = true
      return reply
    }
    try await withFront(upstream) { service in
      let url = try #require(try service.host(image).json["url"]?.string)
      let order = Array(FrontCase.order("a fox").utf8)
      let clients = try (0..<40).map { _ in
        let client = try service.client()
        try client.send(
          "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(order.count)\r\n\r\n")
        try client.send(order)
        return client
      }
      try await until("all wait") { upstream.requests.count == clients.count }
      for _ in 0..<20 { #expect(try service.ask("GET", url).body == image) }
      #expect(try service.host(image).status == 200)
      #expect(try service.ask("GET", "/v1/assets").status == 200)
      await upstream.release()
      for client in clients { #expect(try client.readAnswer(to: "POST").status == 200) }
    }
  }

  /// A call counts until its answer has left, not until its handler came back.
  @Test func anAnswerThatTakesMemoryCounts() async throws {
    let budgets = CallBudgets(limits { $0.queries = 1 })
    let bodies: [(Response.Body, Int)] = [
      (.stream(length: 1) { _ in }, 1), (.bytes([UInt8](repeating: 0, count: 100_000)), 1),
      (.bytes([1]), 0), (.none, 0),
    ]
    for (body, running) in bodies {
      var pass: CallPass? = try budgets.enter(.query, of: nil)
      #expect(throws: Failure.self) { try budgets.enter(.query, of: nil) }
      var response = pass?.covering(.init(status: 200, body: body))
      pass = nil
      #expect(budgets.running(.query) == running)
      response = nil
      #expect(response == nil && budgets.running(.query) == 0)
    }
  }

  /// A thread is never refused to a call that was let in: its image may be paid for by then.
  @Test func theQueueOfWorkHasRoomForEveryCall() {
    let limits = limits { $0.ingests = 5000 }
    #expect(limits.workerQueue > limits.generations + limits.ingests + limits.queries)
    #expect(UpstreamLine.longest <= limits.generations / 4)
  }

  @Test(arguments: [
    WorkersBusy() as any Error,
    StoreFailure(.ingest, .io(Errno(.openat, code: 24))) as any Error,
  ])
  func whatComesBackIsNoFault(_ error: any Error) {
    let failure = Failure(error)
    #expect(failure.status == 503 && failure.retryAfter == 1)
  }

  /// Where descriptors are few, what is kept open makes room for what is read. Small images have
  /// none.
  @Test func anOpenThatFailsClosesWhatIsIdle() async throws {
    try await withService(loops: 1) { service in
      let loop = try #require(service.service.loops.first)
      let thread = await loop.run { _ in KernelThread.currentID }
      let urls = try (0..<2).map { index in
        try #require(try service.host(TestImages.png(padding: 20_000 + index)).json["url"]?.string)
      }
      #expect(try service.ask("GET", urls[0]).status == 200)
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(.openat, nth: 1, code: 24, thread: thread)
      #expect(try service.ask("GET", urls[1]).status == 200)
      // Again, with nothing left to close.
      SystemCallTrace.fail(.openat, nth: 1, code: 24, thread: thread)
      SystemCallTrace.fail(.openat, nth: 1, code: 24, thread: thread)
      expectBusy(try service.ask("GET", urls[0]))
      _ = SystemCallTrace.stop(thread: thread)
      #expect(try service.ask("GET", urls[0]).status == 200)
    }
  }

  @Test(arguments: [(64, 2), (256, 2), (1024, 8), (20_000, 2), (1 << 20, 64), (10, 2)])
  func descriptorsAreShared(_ limit: Int, _ loops: Int) {
    let shares = DescriptorShares(of: limit, loops: loops)
    #expect(shares.connections >= 4 && shares.openAssets >= 1)
    guard limit >= 64 else { return }
    #expect(shares.connections + loops * shares.openAssets < limit - 34 - 8 * loops)
  }
}
