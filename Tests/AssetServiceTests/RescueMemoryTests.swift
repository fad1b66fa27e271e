import Net
import Testing
import Wire

@testable import AssetService

/// Paid images that can not be stored share a memory that has an end.
@Suite struct RescueMemoryTests {
  private static let large = TestImages.png(seed: 31, padding: 900_000)
  private static let small = TestImages.png(seed: 32, padding: 5000)
  private static func item(_ image: [UInt8]) -> String {
    "\"b64_json\":\"\(TestImages.base64(image))\""
  }

  @Test func anAllowanceHoldsOverAllImages() {
    let memory = RescueMemory()
    let allowance = RescueAllowance(memory: memory, limit: 100)
    do {
      let (first, second) = (
        UnstoredImage(nil, within: allowance), UnstoredImage(nil, within: allowance)
      )
      let bytes = [UInt8](repeating: 1, count: 60)
      let kept = [
        first.keep(bytes.span), second.keep(bytes.span),
        second.keep(bytes.span.extracting(first: 40)),
      ]
      #expect(kept == [true, false, true])
      #expect(memory.bytes == 100 && second.bytes == 40)
    }
    #expect(memory.bytes == 0, "and is free when they have gone out")
  }

  /// It grows by blocks: to make one block of tens of MiB larger copies all of it, in one turn of a
  /// loop.
  @Test func whatIsKeptIsNeverMoved() async throws {
    let workers = try Workers(threads: 1, queueLimit: 8)
    defer { workers.stop() }
    let image = UnstoredImage(nil)
    let all = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    var rest = all[...]
    for count in [1, 0, 70_000, 262_144, 300_000, 5] + [Int](repeating: 65_536, count: 6) {
      let piece = Array(rest.prefix(count))
      let isKept = image.keep(piece.span)
      #expect(isKept)
      rest = rest.dropFirst(count)
      #expect(image.bytesInMemory == Int64(all.count - rest.count))
    }
    #expect(rest.isEmpty)
    #expect(image.blocks.count == 4 && image.blocks.allSatisfy { $0 <= 256 << 10 })
    for count in [1 << 20, 48 << 10, 262_143] {
      var read: [UInt8] = []
      while true {
        let piece = try await image.read(at: Int64(read.count), count: count, on: workers)
        if piece.isEmpty { break }
        read += piece
      }
      #expect(read == all)
    }
    let digest = try await image.digest(on: workers)
    #expect(digest == TestImages.digest(all))
  }

  @Test(arguments: [1, 2])
  func whatDoesNotFitIsFailedAndSaid(images: Int) async throws {
    let upstream = try await FakeUpstream { _ in
      var reply =
        images == 1
        ? FakeReply.images(Self.item(Self.large))
        : FakeReply.images(Self.item(Self.large), Self.item(Self.small))
      reply.waits = true
      return reply
    }
    var limits = ServiceLimits()
    limits.rescueBytes = 300_000
    try await withService(FrontCase.configuration(upstream), limits: limits) { service in
      let client = try service.client()
      let order = FrontCase.order("a fox", ",\"n\":\(images)")
      try client.send(
        "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n\(order)")
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      try removeFolder(service.root + "/incoming")
      await upstream.release()
      let answer = try client.readAnswer(to: "POST")
      #expect(answer["x-should-retry"] == "false")
      if images == 1 {
        #expect(answer.status == 503 && answer.code == "rescue_memory_full", "\(answer.text)")
      } else {
        #expect(answer.status == 200, "\(answer.text.prefix(300))")
        let failed = answer.json["x_asset"]?["failed"]?.array ?? []
        #expect(failed.map { $0["index"]?.int } == [0])
        #expect(failed.first?["code"]?.string == "rescue_memory_full")
        #expect(answer.json["data"]?[1]?["b64_json"]?.string == TestImages.base64(Self.small))
      }
      let context = service.service.context
      try await until("the memory is free again") { context.rescues.bytes == 0 }
    }
    await upstream.stop()
  }

  // MARK: Conversions

  /// Fifty at once whose entries are too large to be hosted: what is kept of their texts comes out
  /// of one memory. Where that is full it is in files. Paid images have their own.
  @Test func fiftyConversionsShareAMemory() async throws {
    let entry = "{\"a\":1,\"b64_json\":\"\(TestImages.base64(Self.large))\"}"
    let other = "{\"b64_json\":\"\(TestImages.base64(Self.small))\"}"
    let body = Array("{\"data\":[\(entry),\(other)]}".utf8)
    try await withService("limits: { image_bytes: \"128KiB\" }") { service in
      let context = service.service.context
      let limit = context.limits.conversionBytes
      // Room for not even one of them.
      let others = RescueAllowance(memory: context.conversions, limit: limit)
      #expect(others.take(limit - 500_000))
      for isFull in [true, false] {
        if !isFull { others.giveBack(limit - 500_000) }
        for answer in try convertAtOnce(50, body, service) {
          #expect(answer.status == 200, "\(answer.text.prefix(300))")
          #expect(answer.text.contains(entry), "as it was")
          #expect(answer.json["x_asset"]?["failed"]?[0]?["code"]?.string == "image_too_large")
        }
        let left = isFull ? limit - 500_000 : 0
        try await until("the memory is free again") { context.conversions.bytes == left }
      }
      #expect(context.rescues.bytes == 0)
    }
  }

  private func convertAtOnce(
    _ count: Int, _ body: [UInt8], _ service: TestService
  ) throws -> [TestAnswer] {
    let head =
      "POST /v1/images/convert HTTP/1.1\r\nHost: 127.0.0.1\r\n"
      + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
    let clients = try (0..<count).map { _ in
      let client = try service.client()
      try client.send(Array(head.utf8) + body)
      return client
    }
    return try clients.map { try $0.readAnswer(to: "POST") }
  }
}
