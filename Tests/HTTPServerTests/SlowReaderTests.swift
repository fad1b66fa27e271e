import HTTPServer
import Kernel
import Net
import Testing

@testable import HTTPServer

/// What a peer that does not read costs.
struct SlowReaderTests {
  /// O3: among many, the kernel takes little of a large file for it; without a mark it takes 2.3 MB
  /// and more, and a thousand such readers all memory of TCP. Once given up, nothing is kept for
  /// it: a reset.
  @Test func littleIsHeldForAReaderThatStops() async throws {
    var limits = ServerLimits()
    limits.paceInterval = 50_000_000
    limits.crowdedReaders = 0
    let server = try await TestServer(
      limits: limits, file: try sparseFile(64_000_000), fileBytes: 64_000_000)
    let client = try server.client()
    try client.send(get("/file"))
    try await server.probe.until("not given up") { server.probe.all.count == 1 }
    let outcome = try #require(server.probe.all.first).outcome
    #expect(outcome.isAborted)
    #expect(outcome.bodyBytes < 1 << 20, "\(outcome.bodyBytes)")
    #expect(throws: Errno(.recv, code: 104)) { _ = try client.readToEnd() }
    try await server.end()
  }
}
