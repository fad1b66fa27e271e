import Kernel
import Net
import Testing
import Wire

@testable import AssetService
@testable import Store

// What a request may cost (ARCHITECTURE.md §2): counted at the kernel's seam, on the loop's thread.

@Suite(.serialized) struct BudgetTests {
  /// The calls of the loop while a warm client asks once; waiting for events does not count.
  private func calls(
    _ service: TestService, _ path: String, _ fields: [(String, String)] = [], status: Int
  ) async throws -> [SystemCall] {
    let loop = try #require(service.service.loops.first)
    let thread = await loop.run { _ in KernelThread.currentID }
    let client = try service.client()
    for _ in 0..<3 { #expect(try client.ask("GET", path, fields).status == status) }
    SystemCallTrace.start(thread: thread)
    #expect(try client.ask("GET", path, fields).status == status)
    let calls = SystemCallTrace.stop(thread: thread)
    return calls.filter { $0 != .epollWait }
  }

  @Test(arguments: ["", "?retention=permanent"])
  func aWarmGetIsThreeCalls(_ query: String) async throws {
    try await withService(loops: 1) { service in
      let image = TestImages.png(padding: 40_000)
      let asset = try service.host(image, query).json
      let url = try #require(asset["url"]?.string).replacing("http://127.0.0.1", with: "")
      #expect(try await calls(service, url, status: 200) == [.recv, .send, .sendfile])
      let tag = "\"\(asset["sha256"]?.string ?? "")\""
      let fresh = try await calls(service, url, [("If-None-Match", tag)], status: 304)
      #expect(fresh == [.recv, .send])
    }
  }

  /// What was not sent whole is looked at: the rest may have to come from the disk, with the loop
  /// waiting for it.
  @Test(arguments: [("HEAD", "bytes=0-"), ("GET", "bytes=0-99"), ("GET", "bytes=39000-")])
  func aPartSaysNothingOfTheWhole(_ method: String, _ range: String) async throws {
    try await withService(loops: 1) { service in
      let loop = try #require(service.service.loops.first)
      let thread = await loop.run { _ in KernelThread.currentID }
      let client = try service.client()
      // Short of memory the kernel may call any file cold, but not every time.
      let isLooked = try (0..<20).contains { index in
        let path = try service.hostPath(TestImages.png(padding: 40_000 + index))
        _ = try client.ask(method, path, [("Range", range)])
        // The loop is done with accepting the connection.
        _ = try client.ask("GET", "/healthz")
        SystemCallTrace.start(thread: thread)
        #expect(try client.ask("GET", path).status == 200)
        let calls = SystemCallTrace.stop(thread: thread).filter { $0 != .epollWait }
        // A file system in memory says at the first look that it can not say.
        return calls.filter { $0 != .preadv2 } == [.recv, .send, .sendfile]
          && calls.contains(.preadv2)
      }
      #expect(isLooked)
    }
  }

  /// Two images of the largest size that can be configured: there is no room for them, that is all.
  @Test func anOrderOfAnySizeIsAnswered() async throws {
    let configuration = """
      upstreams: [ { name: "fake", dialect: "openai", base_url: "http://127.0.0.1:9/v1" } ],
      models: [ { id: "fake", upstream: "fake", expected_bytes: 9223372036854775807, max_n: 2 } ]
      """
    try await withService(configuration, loops: 1) { service in
      let order = "{\"model\":\"fake\",\"prompt\":\"a fox\",\"n\":2}"
      let answer = try service.send("POST", "/v1/images/generations", order)
      #expect(answer.status == 507, "\(answer.text)")
    }
  }

  /// Nothing blocks on a loop: a disk that hangs is asked for its space by others.
  @Test func noLoopAsksTheDiskForSpace() async throws {
    let reply = FakeReply.images("\"b64_json\":\"\(TestImages.base64(TestImages.png()))\"")
    let upstream = try await FakeUpstream { _ in reply }
    let configuration = """
      upstreams: [ { name: "fake", dialect: "openai", base_url: "\(upstream.origin)/v1" } ],
      models: [ { id: "fake", upstream: "fake", expected_bytes: 4096 } ]
      """
    try await withService(configuration, loops: 1) { service in
      let loop = try #require(service.service.loops.first)
      let thread = await loop.run { _ in KernelThread.currentID }
      let ledger = service.service.context.store.files.ledger
      SystemCallTrace.start(thread: thread)
      // As if nobody had asked for a second.
      ledger.bury(0)
      #expect(try service.ask("GET", "/readyz").status == 200)
      ledger.bury(0)
      #expect(try service.ask("GET", "/metrics").status == 200)
      ledger.bury(0)
      #expect(try service.admin("GET", "/admin/stats").status == 200)
      ledger.bury(0)
      #expect(try service.host(TestImages.png(padding: 300_000)).status == 201)
      ledger.bury(0)
      let order = FrontCase.order("a fox", model: "fake")
      #expect(try service.send("POST", "/v1/images/generations", order).status == 200)
      let calls = SystemCallTrace.stop(thread: thread)
      #expect(!calls.contains(.fstatvfs))
      #expect(calls.contains(.recv))
    }
    await upstream.stop()
  }
}
