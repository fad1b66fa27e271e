import Configuration
import Foundation
import Kernel
import Synchronization
import Testing

@testable import AssetService

/// A configuration that asks for what this version does not do is refused, not half obeyed.
@Suite struct StartTests {
  @Test(arguments: [
    (#"gc: { policies: [ { kind: "idle", after: "30d" } ] }"#, "gc.policies"),
    (#"admin_listen: "127.0.0.1:0""#, "admin_listen"),
    (#"fetch: { allow: ["files.internal"] }"#, "fetch.allow"),
    (#"models: [ { id: "sample", upstream: "sample", cache: "24h" } ]"#, "models"),
  ])
  func refusesWhatIsNotOffered(text: String, names: String) async throws {
    let root = TestService.newRoot()
    var settings = try Settings.load(
      ConfigurationFile(name: "test", bytes: Array("{ \(text) }".utf8)), environment: [:])
    settings.storage.root = root
    let refused = settings
    let failure = await #expect(throws: StartFailure.self) {
      try await AssetService.start(refused)
    }
    #expect(failure?.description.hasPrefix(names) == true)
    #expect(!FileManager.default.fileExists(atPath: root), "nothing is made")
  }

  /// A command that has the store for itself for a moment, or only looks whether it is free.
  @Test(arguments: [false, true])
  func waitsForALockThatIsLetGoOf(isShared: Bool) async throws {
    let root = TestService.newRoot()
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    let lock = Holder()
    lock.hold(try Directory.open(path: root).file("lock", .readWriteOrCreate))
    #expect(try lock.take(isShared: isShared))
    var settings = try Settings.load(
      ConfigurationFile(
        name: "test",
        bytes: Array("{ listen: [\"127.0.0.1:0\"], storage: { min_free_bytes: 0 } }".utf8)),
      environment: [:])
    settings.storage.root = root
    settings.log.level = .error
    var options = AssetService.Options()
    options.loops = 1
    options.lockPatience = .seconds(600)
    options.waits = { lock.letGo() }
    let service = try await AssetService.start(settings, options)
    await service.stop(clientTime: .zero)
  }

  /// A file whose lock is held until it is let go of.
  private final class Holder: Sendable {
    private struct Open: ~Copyable { var file: File? }
    private let open = Mutex(Open())
    func hold(_ file: consuming File) {
      var file: File? = file
      open.withLock { $0.file = file.take() }
    }
    func take(isShared: Bool) throws -> Bool {
      try open.withLock { try $0.file?.tryLock(isShared: isShared) ?? false }
    }
    func letGo() { open.withLock { $0.file = nil } }
  }
}
