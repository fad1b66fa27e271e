import AssetService
import Configuration
import Foundation
import Testing

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
}
