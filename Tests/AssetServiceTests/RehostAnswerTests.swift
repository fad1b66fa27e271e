import Crypto
import Dispatch
import Foundation
import Glibc
import Kernel
import Testing
import Wire

@testable import AssetService
@testable import Net
@testable import Store

/// The last step of an order: stored images go out as base64, and those that are not to be stored
/// are deleted once they have arrived, and only then.
@Suite struct RehostAnswerTests {
  private static let images = (0..<2).map { TestImages.png(seed: UInt8(120 + $0), padding: 6000) }
  private static func text(_ index: Int) -> String { TestImages.base64(images[index]) }
  private static func good(_ index: Int) -> String { "\"b64_json\":\"\(text(index))\"" }
  private static let two = ",\"n\":2,\"response_format\":\"b64_json\""
  private static let passing = two + ",\"asset\":{\"store\":false}"

  private func upstream() async throws -> FakeUpstream {
    try await FakeUpstream { _ in .images(Self.good(0), Self.good(1)) }
  }

  /// Orders two images; `body` runs between their rows and the answer, and gets the path of the
  /// second one's file. They were stored before, so the publication is over only when its discarded
  /// files are gone.
  private func order(
    _ service: TestService, _ more: String, meanwhile body: (String) async throws -> Void
  ) async throws -> TestAnswer {
    #expect(try service.generate("a fox", Self.two).status == 200)
    let path = try file(service, of: Self.images[1])
    let gate = DispatchSemaphore(value: 0)
    defer { gate.signal() }
    service.service.context.store.unlinker.submit(.init(then: { gate.wait() }))
    let client = try service.begin("a fox", more)
    try await until("the rows are there") { try service.assets == 4 }
    try await body(path)
    gate.signal()
    return try client.readAnswer(to: "POST")
  }

  private func expectBoth(_ answer: TestAnswer) {
    #expect(answer.status == 200, "\(answer.text.prefix(400))")
    let data = answer.json["data"]?.array ?? []
    #expect(data.map { $0["b64_json"]?.string } == [Self.text(0), Self.text(1)])
    #expect(answer.json["x_asset"]?["failed"] == nil && answer["x-should-retry"] == nil)
    #expect(answer.json["x_asset"]?["warnings"] == nil)
  }

  private func file(_ service: TestService, of image: [UInt8]) throws -> String {
    let digest = SHA256.digest(of: image.span).hex
    let folder = service.root + "/blobs/" + digest.prefix(2)
    let name = try FileManager.default.contentsOfDirectory(atPath: folder)
      .first { $0.hasPrefix(digest) }
    return folder + "/" + (try #require(name))
  }

  /// One of two can not be opened for its answer: its URL goes out, and it is not deleted with the
  /// other.
  @Test func whatCanNotBeReadIsNotDeleted() async throws {
    let upstream = try await upstream()
    try await withFront(upstream) { service in
      var path = ""
      let answer = try await order(service, Self.passing) {
        path = $0
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
      }
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
      #expect(answer.status == 200, "\(answer.text.prefix(400))")
      let data = try #require(answer.json["data"]?.array)
      let ours = try #require(answer.json["x_asset"])
      #expect(data[0]["b64_json"]?.string == Self.text(0) && data[0]["url"] == nil)
      let url = try #require(data[1]["url"]?.string)
      #expect(url == ours["images"]?[1]?["url"]?.string)
      #expect(ours["warnings"]?[0]?["index"]?.int == 1 && ours["failed"] == nil)
      #expect(answer["x-should-retry"] == "false")
      try await until("what was delivered goes") { try service.assets == 3 }
      #expect(try service.ask("GET", url).body == Self.images[1])
    }
  }

  /// A damaged one is in `failed`, and not among the images.
  @Test func whatFailedIsNotListed() async throws {
    let upstream = try await upstream()
    try await withFront(upstream) { service in
      let answer = try await order(service, Self.passing) {
        try FileManager.default.removeItem(atPath: $0)
      }
      #expect(answer.status == 200, "\(answer.text.prefix(400))")
      let ours = try #require(answer.json["x_asset"])
      #expect(ours["failed"]?[0]?["code"]?.string == "asset_damaged")
      let ids = ours["images"]?.array?.compactMap { $0["id"]?.string } ?? []
      #expect(ids.count == 1 && answer["x-asset-ids"] == ids.first)
      try await until("what was delivered goes") { try service.assets == 3 }
    }
  }

  /// Keeps all threads of the workers but some busy until `gate` is rung.
  private func hold(
    _ workers: Workers, but free: Int = 0, _ gate: DispatchSemaphore
  ) async throws -> [Task<Void, any Error>] {
    let held = (0..<workers.threads - free).map { _ in
      Task {
        try await workers.run { gate.wait() }
      }
    }
    try await until("the threads are busy") { workers.pending >= held.count }
    return held
  }

  @Test(arguments: [two, passing])
  func aShortageOfDescriptorsIsWaitedFor(_ more: String) async throws {
    let upstream = try await upstream()
    try await withFront(upstream) { service in
      let faults = await WorkerFaults(service)
      let gate = DispatchSemaphore(value: 0)
      var held: [Task<Void, any Error>] = []
      let answer = try await order(service, more) { _ in
        held = try await hold(service.service.context.workers, but: 1, gate)
        faults.fail(.openat, code: EMFILE, times: 3)
      }
      faults.stop()
      for _ in held { gate.signal() }
      for task in held { try await task.value }
      expectBoth(answer)
      let left = more == Self.passing ? 2 : 4
      try await until("what was delivered goes") { try service.assets == left }
    }
  }

  /// Our own queue is full when the answer is begun.
  @Test(arguments: [two, passing])
  func aFullQueueIsWaitedFor(_ more: String) async throws {
    let upstream = try await upstream()
    var limits = ServiceLimits()
    (limits.generations, limits.ingests, limits.queries) = (8, 8, 8)
    let queue = limits.workerQueue
    try await withService(FrontCase.configuration(upstream), limits: limits) { service in
      let workers = service.service.context.workers
      let gate = DispatchSemaphore(value: 0)
      let all = workers.threads + queue
      let opener = Thread {
        let end = ContinuousClock.now + .seconds(60)
        while workers.pending <= all, ContinuousClock.now < end { usleep(1000) }
        for _ in 0..<workers.threads { gate.signal() }
      }
      var held: [Task<Void, any Error>] = []
      let answer = try await order(service, more) { _ in
        held = try await hold(workers, gate)
        held += (0..<queue).map { _ in Task { try await workers.run {} } }
        try await until("the queue is full") { workers.pending == all }
        opener.start()
      }
      for task in held { try await task.value }
      expectBoth(answer)
      let left = more == Self.passing ? 2 : 4
      try await until("what was delivered goes") { try service.assets == left }
    }
    await upstream.stop()
  }

  /// Another program holds the catalogue's lock when the rows are to be written.
  @Test func theCataloguesLockIsWaitedFor() async throws {
    let upstream = try await FakeUpstream.holding { _ in .images(Self.good(0)) }
    try await withFront(upstream) { service in
      let client = try service.begin("held")
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      let lock = try ForeignLock(service.root + "/catalog.sqlite")
      await upstream.release()
      try await until("the writer has met the lock") {
        service.service.context.store.health == .readOnly(.catalogueLocked)
      }
      try lock.release()
      let answer = try client.readAnswer(to: "POST")
      #expect(answer.status == 200 && answer.json["x_asset"]?["warning"] == nil, "\(answer.text)")
      let url = try #require(answer.json["data"]?[0]?["url"]?.string)
      #expect(try service.ask("GET", url).body == Self.images[0])
    }
  }

  /// The kernel takes an answer at once; a client that ends without reading it has not got it.
  @Test func whatOnlyTheKernelTookIsKept() async throws {
    let image = TestImages.png(seed: 130, padding: 400_000)
    let upstream = try await FakeUpstream { _ in
      .images("\"b64_json\":\"\(TestImages.base64(image))\"")
    }
    let more = ",\"response_format\":\"b64_json\",\"asset\":{\"store\":false}"
    try await withOneByOne(upstream) { service in
      do {
        let client = try service.begin("a fox", more)
        try await until("the answer has left") {
          upstream.requests.count == 1
            && service.service.context.budgets.running(.generation) == 0
        }
        withExtendedLifetime(client) {}
      }
      #expect(try service.assets == 1)
      let got = try service.begin("a fox", more).readAnswer(to: "POST")
      #expect(got.json["data"]?[0]?["b64_json"]?.string == TestImages.base64(image))
      try await until("what was delivered goes, the other stays") {
        try service.assets == 1 && upstream.requests.count == 2
      }
    }
  }
}
