import Glibc
import Kernel
import SQLite
import Testing
import Wire

@testable import AssetService
@testable import Store

/// The paid path's table (AssetService.docc/PaidPath.md): a store that fails after the order was
/// sent, at each of its calls.
@Suite struct PaidPathFaultTests {
  private static let image = TestImages.png(seed: 41, padding: 900_000)

  /// One call that fails while an image is stored.
  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    /// `nil` for the write within COMMIT.
    var call: SystemCall?
    var nth = 1
    let code: Int32

    var testDescription: String { "\(name): \(code == EIO ? "EIO" : "ENOSPC")" }
  }

  /// The order of STORE.md, "Ingest"; the second fsync is that of the folder.
  private static let calls: [(String, SystemCall?, Int)] = [
    ("write", .pwrite, 1), ("fsync", .fsync, 1), ("mode", .fchmod, 1), ("close", .close, 1),
    ("rename", .rename, 1), ("fsync of the folder", .fsync, 2), ("COMMIT", nil, 1),
  ]
  static let faults = calls.flatMap { name, call, nth in
    [EIO, ENOSPC].map { Fault(name: name, call: call, nth: nth, code: $0) }
  }

  @Test(arguments: faults, [false, true])
  func whatIsPaidForGoesOut(_ fault: Fault, isArriving: Bool) async throws {
    try await expectRescued(fault, isArriving: isArriving)
  }

  /// No file can be begun: all of the image is in memory.
  @Test(arguments: [EIO, EMFILE, ENOSPC])
  func whatHasNoFileGoesOut(code: Int32) async throws {
    try await expectRescued(Fault(name: "open", call: .openat, code: code), isArriving: false)
  }

  private func expectRescued(_ fault: Fault, isArriving: Bool) async throws {
    let text = TestImages.base64(Self.image)
    let upstream = try await FakeUpstream { _ in
      let reply = FakeReply.images("\"b64_json\":\"\(text)\",\"x\":1")
        .with("x-request-id: req_1")
      return isArriving ? reply.held(after: reply.bytes.count / 2) : reply.held(after: 0)
    }
    try await withFront(upstream) { service in
      let context = service.service.context
      let faults = await WorkerFaults(service)
      let client = try service.begin("a fox", ",\"response_format\":\"url\"")
      try await until("the upstream is asked") { upstream.requests.count == 1 }
      if isArriving {
        try await until("the answer has begun") {
          context.purchases.all.first?.upstreamRequestID == "req_1"
        }
      }
      if let call = fault.call {
        faults.fail(call, nth: fault.nth, code: fault.code)
      } else {
        WriteFaults.fail(nth: 1, code: fault.code, thread: context.store.writer.threadID)
      }
      await upstream.release()
      let answer = try client.readAnswer(to: "POST")
      faults.stop()
      #expect(answer.status == 200, "\(answer.text.prefix(300))")
      let entry = answer.json["data"]?[0]
      #expect(entry?["b64_json"]?.string == text && entry?["url"] == nil)
      #expect(entry?["x"]?.int == 1)
      #expect(answer.json["x_asset"]?["warning"]?.string == "not_stored")
      #expect(answer["x-should-retry"] == "false")
      #expect(try service.assets == 0)
      #expect(upstream.requests.count == 1)
    }
  }
}
