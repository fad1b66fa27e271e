import Foundation
import Testing
import Wire

extension TestAnswer {
  /// A JSON value per line.
  fileprivate var jsonLines: [JSONValue] {
    text.split(separator: "\n").compactMap { try? JSONValue.parse(Array($0.utf8).span) }
  }
}

/// What an operator sees of an orphan sweep that has stopped.
@Suite struct SweepStopTests {
  @Test func stoppedSweepIsTold() async throws {
    try await withService { service in
      let name = String(repeating: "ab", count: 32) + "-00000005"
      let path = service.root + "/blobs/ab/" + name
      try Data([1]).write(to: URL(fileURLWithPath: path))
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: path)
      for order in [#"{"dry_run":true}"#, "{}"] {
        let total = try service.admin("POST", "/admin/gc", order).jsonLines.last
        #expect(total?["orphans_stopped"]?.string?.contains(name) == true)
      }
      let metrics = try service.admin("GET", "/metrics").text
      #expect(metrics.contains("\nassetd_orphan_sweep_stopped 1\n"))
      #expect(metrics.contains("\nassetd_orphan_sweep_stops_total 1\n"))
      #expect(FileManager.default.fileExists(atPath: path))
      let total = try service.admin("POST", "/admin/gc", #"{"allow_large":true}"#).jsonLines.last
      #expect(total?["orphans_stopped"] == nil && total?["blobs"]?.int == 1)
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(try service.admin("GET", "/metrics").text.contains("_sweep_stopped 0\n"))
    }
  }
}
