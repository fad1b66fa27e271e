import Foundation
import Glibc
import Kernel
import Net
import Store
import Testing
import Wire

@testable import AssetService

/// What would wait for the disk is read by threads, and answered as if a loop had read it.
@Suite struct ColdAssetTests {
  private static let images = [TestImages.png(padding: 300), TestImages.png(padding: 40_000)]

  /// Where nobody can say what waits, threads read all of it, the first time.
  @Test(arguments: [DiskWaiting.untold, .told, .never])
  func everyAnswerIsTheSame(_ disk: DiskWaiting) async throws {
    try await withService("auth: { mode: \"keys\" }", disk: disk) { service in
      let key = try service.key(
        "{\"name\":\"gw\",\"scopes\":[\"host\",\"read\"],\"quota\":1000000}")
      let fields = [("Authorization", "Bearer " + key)]
      for image in Self.images {
        let asset = try service.host(image, "?retention=permanent", fields).json
        let id = try #require(asset["id"]?.string)
        let links = [
          try service.path(asset), try service.path(try service.host(image, "", fields).json),
        ]
        for link in links {
          for _ in 0..<4 { #expect(try service.ask("GET", link).body == image) }
          let one = try service.client()
          #expect(try one.ask("HEAD", link).status == 200)
          #expect(try one.ask("GET", link, [("Range", "bytes=1-9")]).body == Array(image[1...9]))
          #expect(try one.ask("GET", link, [("If-None-Match", "*")]).status == 304)
          #expect(try one.ask("GET", link + "x").status == 404)
        }
        let shown = try service.ask("GET", "/v1/assets/\(id)?include=b64_json", fields)
        #expect(shown.json["b64_json"]?.string == TestImages.base64(image), "\(shown.text)")
        #expect(try service.ask("DELETE", "/v1/assets/\(id)", fields).status == 204)
        #expect(try service.ask("GET", links[0]).status == 410)
        #expect(try service.ask("GET", "/v1/assets/\(id)", fields).code == "asset_gone")
        #expect(try service.ask("GET", links[1]).body == image)
      }
      #expect(
        try service.ask("GET", "/images/\(String(repeating: "0", count: 26)).png").status == 404)
      #expect(try service.ask("GET", "/v1/assets", [("Authorization", "Bearer no")]).status == 401)
      #expect(try service.ask("GET", "/readyz").status == 200)
    }
  }

  /// A name that is not in memory: the loop goes on, a thread opens the file.
  @Test func aLoopNeverWaitsForAName() async throws {
    // On a disk, where there is one.
    let root = FileManager.default.currentDirectoryPath + "/.build/told-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    try await withService(root: root, loops: 1) { service in
      guard service.service.context.store.diskWaiting == .told else { return }
      let loop = try #require(service.service.loops.first)
      let thread = await loop.run { _ in KernelThread.currentID }
      let link = try service.hostPath(Self.images[1])
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(.openat, nth: 1, code: EAGAIN, thread: thread)
      #expect(try service.ask("GET", link).body == Self.images[1])
      #expect(try service.ask("GET", link).body == Self.images[1])
      let calls = SystemCallTrace.stop(thread: thread)
      #expect(calls.count { $0 == .openat } == 1, "it was tried once, and is open now")
      #expect(service.service.context.store.failureCount == 0)
    }
  }

  /// Many at once, of which none is at hand.
  @Test func aCrowdAtAColdStore() async throws {
    try await withService(disk: .untold) { service in
      let links = try (0..<24).map { index in
        try service.hostPath(TestImages.png(seed: UInt8(index), padding: 20_000 + index))
      }
      let clients = try (0..<48).map { _ in try service.client() }
      for round in 0..<3 {
        for (index, client) in clients.enumerated() {
          let link = links[(index + round) % links.count]
          try client.send("GET \(link) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        }
        for (index, client) in clients.enumerated() {
          let answer = try client.readAnswer()
          let seed = (index + round) % links.count
          #expect(
            answer.body == TestImages.png(seed: UInt8(seed), padding: 20_000 + seed))
        }
      }
    }
  }

  /// Another program holds the catalogue's lock: said with 503 and Retry-After, by everyone who
  /// would write, and it passes.
  @Test func aForeignLockIsSaid() async throws {
    try await withService { service in
      let link = try service.hostPath(Self.images[0])
      let lock = try ForeignLock(service.root + "/catalog.sqlite")
      let upload = try service.host(Self.images[1])
      #expect(upload.status == 503 && upload["Retry-After"] != nil, "\(upload.text)")
      let ready = try service.ask("GET", "/readyz")
      #expect(ready.status == 503 && ready.json["reason"]?.string == "catalogue_locked")
      let metrics = try service.admin("GET", "/metrics").text
      #expect(metrics.contains("\nassetd_read_only{reason=\"catalogue_locked\"} 1\n"))
      #expect(try service.ask("GET", link).body == Self.images[0])
      try lock.release()
      try await until("it is gone") { try service.ask("GET", "/readyz").status == 200 }
      #expect(try service.host(Self.images[1]).status == 201)
    }
  }
}
