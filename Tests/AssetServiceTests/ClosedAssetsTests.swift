import Foundation
import Testing
import Wire

// A file that was removed keeps its space as long as somebody has it open: the loops' caches let go
// of it by themselves (STORE.md, invariant 8).

@Suite struct ClosedAssetsTests {
  /// Blobs of this store that this process has open.
  private func open(_ root: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { number in
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + number)
    }.filter { $0.hasPrefix(root + "/blobs/") }
  }

  /// Larger than what is kept in memory.
  @Test func aRemovedAssetIsClosedThoughNobodyAsksForItAgain() async throws {
    try await withService { service in
      var assets: [(id: String, path: String)] = []
      for seed in 0..<30 {
        let image = TestImages.png(padding: 20_000 + seed)
        let asset = try service.host(image).json
        let path = try #require(asset["url"]?.string).replacing("http://127.0.0.1", with: "")
        #expect(try service.ask("GET", path).body == image)
        assets.append((try #require(asset["id"]?.string), path))
      }
      for asset in assets.dropLast() {
        #expect(try service.ask("DELETE", "/v1/assets/" + asset.id).status == 204)
      }
      #expect(try service.ask("GET", #require(assets.last).path).status == 200)
      try await until("removed files are open") {
        try !open(service.root).contains { $0.hasSuffix(" (deleted)") }
      }
      #expect(try service.ask("GET", #require(assets.last).path).status == 200)
    }
  }

  /// Before a policy comes to it.
  @Test func anAssetThatHasEndedIsClosed() async throws {
    try await withService { service in
      let image = TestImages.png(padding: 20_000)
      let path = try service.hostPath(image, "?ttl=2s")
      #expect(try service.ask("GET", path).body == image)
      try await until("it is open") { try open(service.root).isEmpty }
      #expect(try service.ask("GET", path).status == 410)
    }
  }
}
