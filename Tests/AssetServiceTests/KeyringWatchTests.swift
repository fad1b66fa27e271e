import Dispatch
import Foundation
import Kernel
import Links
import Net
import Testing
import Wire

@testable import AssetService

// A5: the key ring's file is the word of the operator, while the service runs (API.md §5, §7).

@Suite struct KeyringWatchTests {
  private func read(_ service: TestService) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: service.root + "/keyring.json")))
  }

  /// As a script does it: a whole new file takes the name.
  private func write(_ bytes: [UInt8], _ service: TestService, mode: Int = 0o600) throws {
    let (files, target) = (FileManager.default, service.root + "/keyring.json")
    let attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
    #expect(
      files.createFile(atPath: target + ".draft", contents: Data(bytes), attributes: attributes))
    if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
    try files.moveItem(atPath: target + ".draft", toPath: target)
  }

  /// On every loop: each request has a connection of its own.
  private func statuses(_ service: TestService, _ path: String) throws -> Set<Int> {
    Set(try (0..<12).map { _ in try service.ask("GET", path).status })
  }

  /// The file after a rotation, and after the old key was retired, too.
  private func rotation(
    of file: [UInt8]
  ) throws -> (rotated: [UInt8], retired: [UInt8]) {
    let ring = try KeyRing(json: file.span)
    let rotated = try ring.rotated(now: 1)
    return (rotated.json(), try rotated.retiring(ring.signing.id).json())
  }

  private func link(to id: String, _ service: TestService) throws -> String {
    try service.path(try service.send("POST", "/v1/assets/\(id)/links", "{}").json)
  }

  /// The second byte of a token, in base64url's second and third character.
  private func key(of path: String) -> Substring {
    path.dropFirst("/v1/temp-images/".count + 1).prefix(2)
  }

  @Test func aRetiredKeyIsRefusedWithoutARestart() async throws {
    try await withService { service in
      let image = TestImages.png()
      let asset = try service.host(image).json
      let id = try #require(asset["id"]?.string)
      let old = try service.path(asset)
      #expect(try statuses(service, old) == [200])

      let files = try rotation(of: try read(service))
      try write(files.rotated, service)
      try await until("the new key signs") { try key(of: link(to: id, service)) != key(of: old) }
      let new = try link(to: id, service)
      #expect(try statuses(service, old) == [200] && statuses(service, new) == [200])

      try write(files.retired, service)
      try await until("the old key is refused") { try service.ask("GET", old).status == 403 }
      #expect(try statuses(service, old) == [403] && statuses(service, new) == [200])
      let convert = "/v1/images/convert?response_format=b64_json"
      let body = "{\"data\":[{\"url\":\"\(service.base + old)\"}]}"
      let host = [("Host", String(service.base.dropFirst("http://".count)))]
      #expect(try service.send("POST", convert, body, host).code == "link_invalid")
    }
  }

  /// Also while all workers are busy, and stay so.
  @Test func aRetiredKeyIsRefusedWhateverTheWorkersDo() async throws {
    try await withService { service in
      let old = try service.hostPath(TestImages.png())
      let retired = try rotation(of: try read(service)).retired
      let workers = service.service.context.workers
      let gate = DispatchSemaphore(value: 0)
      let count = 2 * SystemInfo.coreCount + 4 + 20
      let work = Task {
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<count { group.addTask { try? await workers.run { gate.wait() } } }
        }
      }
      try await until("all are busy, and more wait") { workers.pending == count }
      try write(retired, service)
      try await until("the old key is refused") { try service.ask("GET", old).status == 403 }
      #expect(workers.pending == count)
      for _ in 0..<count { gate.signal() }
      await work.value
    }
  }

  /// A slip of the operator's hand kills no link, and is mended without a restart.
  @Test func aFileThatCanNotBeUsedChangesNothing() async throws {
    try await withService { service in
      let good = try read(service)
      let path = try service.hostPath(TestImages.png())
      let retired = try rotation(of: good).retired
      let watch = try KeyringWatch(service.service.context)
      let slips: [(text: [UInt8]?, mode: Int)] = [
        (Array("{\"keys\":[".utf8), 0o600), (retired, 0o644), (nil, 0), (Array("{}".utf8), 0o600),
      ]
      for slip in slips {
        if let text = slip.text {
          try write(text, service, mode: slip.mode)
        } else {
          try removeFolder(service.root + "/keyring.json")
        }
        watch.look()
        #expect(try statuses(service, path) == [200])
      }
      try write(retired, service)
      try await until("the good file counts") { try service.ask("GET", path).status == 403 }
      try write(good, service)
      try await until("and the next one") { try service.ask("GET", path).status == 200 }
    }
  }
}
