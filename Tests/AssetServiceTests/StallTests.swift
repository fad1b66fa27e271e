import Configuration
import Kernel
import Testing
import Wire

@testable import AssetService
@testable import Net
@testable import Store

/// What an operator sees of a disk that does not answer.
@Suite struct StallTests {
  private static let limit: Int64 = 100_000_000

  @Test func itIsToldAndNothingIsBought() async throws {
    let models = """
      upstreams: [{ name: "s", dialect: "sample" }], models: [{ id: "sample", upstream: "s" }]
      """
    try await withService(models, stallLimit: Self.limit) { service in
      let store = service.service.context.store
      let link = try service.hostPath(TestImages.png())
      #expect(try service.ask("GET", link).status == 200)
      // Uploads have all threads that write, and wait as well.
      let (gate, workers) = (ThreadSignal(), service.service.context.workers)
      store.points.submit { _ in gate.wait() }
      for _ in 0..<workers.threads { #expect(workers.start { gate.wait() }) }
      let began = SystemClock.monotonicNanoseconds
      try await until("it is told") {
        SystemClock.monotonicNanoseconds - began > 2 * Self.limit
          && store.health == .readOnly(.diskStalled)
      }
      let ready = try service.ask("GET", "/readyz")
      #expect(ready.status == 503 && ready.json["status"]?.string == "read_only")
      #expect(ready.json["reason"]?.string == "disk_stalled")
      #expect(abs((ready.json["since"]?.int ?? 0) - Int(SystemClock.wallSeconds)) < 3600)
      let order = #"{"model":"sample","prompt":"x","size":"64x64"}"#
      let refused = try service.send("POST", "/v1/images/generations", order)
      #expect(refused.status == 503 && refused.code == "read_only", "\(refused.text)")
      // It waits for nothing.
      let metrics = try service.admin("GET", "/metrics").text
      #expect(metrics.contains("\nassetd_read_only{reason=\"disk_stalled\"} 1\n"))
      #expect(!metrics.contains("\nassetd_assets ") && metrics.contains("\nassetd_ready 0\n"))
      #expect(!metrics.contains("upstream_calls_total{"))
      #expect(try service.ask("GET", link).status == 200, "what is at hand is served")
      for _ in 0...workers.threads { gate.raise() }
      try await until("it answers") { try service.ask("GET", "/readyz").status == 200 }
    }
  }
}
