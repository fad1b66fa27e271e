import Foundation
import Glibc
import Kernel
import Store
import Testing
import Wire

@testable import AssetService
@testable import Net

/// A file that is missing or cut is 500 `asset_damaged` on every route, never altered bytes, and
/// neither 404 nor 410 (STORE.md, "Damage").
@Suite struct DamageTests {
  private static let image = TestImages.png(padding: 20_000)
  private static let small = TestImages.png(seed: 2, padding: 1000)

  private func file(_ service: TestService, of asset: String) throws -> String {
    let folder = service.root + "/blobs/" + asset.prefix(2)
    let name = try FileManager.default.contentsOfDirectory(atPath: folder)
      .first { $0.hasPrefix(asset) }
    return folder + "/" + (try #require(name))
  }

  private func expectDamaged(_ answer: TestAnswer, _ what: String) {
    #expect(answer.status == 500 && answer.code == "asset_damaged", "\(what): \(answer.text)")
    #expect(answer["Cache-Control"] == "no-store", "\(what)")
  }

  @Test(arguments: [true, false], [true, false])
  func everyRouteSaysSo(isSmall: Bool, isMissing: Bool) async throws {
    let image = isSmall ? Self.small : Self.image
    try await withService { service in
      let temporary = try service.host(image).json
      let permanent = try service.host(image, "?retention=permanent").json
      let id = try #require(temporary["id"]?.string)
      let path = try file(service, of: try #require(temporary["sha256"]?.string))
      try FileManager.default.removeItem(atPath: path)
      if !isMissing { try Data(image.dropLast(100)).write(to: URL(fileURLWithPath: path)) }
      for asset in [temporary, permanent] {
        let link = try service.path(asset)
        expectDamaged(try service.ask("GET", link), "GET")
        expectDamaged(try service.ask("GET", link, [("Range", "bytes=0-9")]), "range")
        #expect(try service.ask("HEAD", link).status == 500)
      }
      expectDamaged(try service.ask("GET", "/v1/assets/\(id)?include=b64_json"), "include")
      let url = try #require(temporary["url"]?.string)
      let convert = try service.send(
        "POST", "/v1/images/convert?response_format=b64_json", "{\"data\":[{\"url\":\"\(url)\"}]}")
      expectDamaged(convert, "convert")
      let ready = try service.ask("GET", "/readyz")
      #expect(ready.status == 200 && ready.json["damaged_blobs"]?.int == 1)
      let metrics = try service.admin("GET", "/metrics").text
      #expect(metrics.contains("\nassetd_damaged_blobs 1\n"))
      #expect(metrics.contains("\nassetd_damage_found_total 1\n"))
      // Sent again, it is whole again.
      #expect(try service.host(image).status == 200)
      for asset in [temporary, permanent] {
        #expect(try service.ask("GET", try service.path(asset)).body == image)
      }
      #expect(try service.ask("GET", "/readyz").json["damaged_blobs"] == nil)
    }
  }

  // MARK: While it is open

  private static let large = TestImages.png(seed: 3, padding: 400_000)

  /// The length is promised already: the connection ends, and the next one hears why.
  @Test func aFileThatIsCutWhileItIsOpenIsFoundBySendingIt() async throws {
    try await withService(loops: 1) { service in
      let asset = try service.host(Self.large).json
      let link = try service.path(asset)
      #expect(try service.ask("GET", link).body == Self.large)
      let path = try file(service, of: try #require(asset["sha256"]?.string))
      #expect(unsafe chmod(path, 0o600) == 0 && truncate(path, 100_000) == 0)
      #expect(throws: TestClient.Failure.self) { try service.ask("GET", link) }
      expectDamaged(try service.ask("GET", link), "GET")
      #expect(try service.ask("GET", "/readyz").json["damaged_blobs"]?.int == 1)
      let metrics = try service.admin("GET", "/metrics").text
      #expect(metrics.contains("\nassetd_damage_found_total 1\n"))
      #expect(try service.host(Self.large).status == 200)
      #expect(try service.ask("GET", link).body == Self.large)
    }
  }

  /// The client takes it piece by piece, and the file is cut under its hands.
  @Test func aFileThatIsCutWhileItIsBase64IsFound() async throws {
    let image = TestImages.png(seed: 4, padding: 16 << 20)
    try await withService(loops: 1) { service in
      let asset = try service.host(image).json
      let id = try #require(asset["id"]?.string)
      let client = try service.client()
      try client.send("GET /v1/assets/\(id)?include=b64_json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      try await until("it is on its way") { try !client.isSilent }
      let path = try file(service, of: try #require(asset["sha256"]?.string))
      #expect(unsafe chmod(path, 0o600) == 0 && truncate(path, 1000) == 0)
      #expect(throws: TestClient.Failure.self) { try client.readAnswer() }
      #expect(service.service.context.store.damagedBlobs == (1, 1))
    }
  }

  /// What the disk does not give: one file is one file, three are a failing disk, and nothing is
  /// bought on it.
  @Test func threeFilesThatAreNotGivenAreAFailingDisk() async throws {
    let models = """
      upstreams: [{ name: "s", dialect: "sample" }], models: [{ id: "sample", upstream: "s" }]
      """
    try await withService(models, loops: 1) { service in
      let links = try (0..<3).map {
        try service.hostPath(TestImages.png(seed: UInt8($0), padding: 50_000 + $0))
      }
      let loop = try #require(service.service.loops.first)
      let thread = await loop.run { _ in KernelThread.currentID }
      func fail(_ link: String) throws {
        SystemCallTrace.start(thread: thread)
        defer { _ = SystemCallTrace.stop(thread: thread) }
        SystemCallTrace.fail(.sendfile, nth: 1, code: EIO, thread: thread)
        #expect(throws: TestClient.Failure.self) { try service.ask("GET", link) }
      }
      for _ in 0..<4 { try fail(links[0]) }
      #expect(service.service.context.store.failureCount == 4)
      #expect(try service.ask("GET", "/readyz").status == 200)
      for link in links.dropFirst() { try fail(link) }
      let ready = try service.ask("GET", "/readyz")
      #expect(ready.status == 503 && ready.json["reason"]?.string == "disk_failing")
      let metrics = try service.admin("GET", "/metrics").text
      #expect(metrics.contains("\nassetd_io_failures_total 6\n"))
      let order = #"{"model":"sample","prompt":"x","size":"64x64"}"#
      #expect(try service.send("POST", "/v1/images/generations", order).code == "read_only")
    }
  }

  /// The thread that brings a cold file into memory meets the fault first.
  @Test func aFileThatCanNotBeBroughtInIsCounted() async throws {
    var limits = ServiceLimits()
    limits.coldReaders = 1
    try await withService(loops: 1, limits: limits, disk: .untold) { service in
      let link = try service.hostPath(Self.large)
      let thread = try await service.service.context.coldReaders.workers.run {
        KernelThread.currentID
      }
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(.pread, nth: 1, code: EIO, thread: thread)
      #expect(try service.ask("GET", link).body == Self.large, "sending it asks once more")
      _ = SystemCallTrace.stop(thread: thread)
      #expect(service.service.context.store.failureCount == 1)
    }
  }
}
