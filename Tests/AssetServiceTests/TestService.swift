import Configuration
import Foundation
import Kernel
import Net
import Testing
import Wire

@testable import AssetService

/// A whole service of one test, on a free port and a folder of its own.
final class TestService {
  let service: AssetService
  let root: String
  let endpoint: Endpoint
  /// `http://127.0.0.1:<port>`
  let base: String

  init(
    _ configuration: String, storage: String, root: String, loops: Int,
    limits: ServiceLimits = ServiceLimits(), disk: DiskWaiting? = nil, stallLimit: Int64 = .max
  ) async throws {
    let text = """
      { listen: ["127.0.0.1:0"], log: { access: "off", level: "error" },
        storage: { root: "\(root)", min_free_bytes: 0, \(storage) }, \(configuration) }
      """
    let settings = try Settings.load(
      ConfigurationFile(name: "test", bytes: Array(text.utf8)),
      environment: ["BOOTSTRAP": TestService.adminKey])
    var options = AssetService.Options()
    options.loops = loops
    options.limits = limits
    options.diskWaiting = disk
    options.keepsHouse = false
    // Tests hold threads for as long as it takes.
    options.stallLimit = stallLimit
    service = try await AssetService.start(settings, options)
    base = try #require(service.addresses.first)
    endpoint = try #require(Endpoint(String(base.dropFirst("http://".count))))
    self.root = root
  }

  /// The key in the variable BOOTSTRAP.
  static let adminKey = "bootstrap-key-of-the-tests"

  /// In memory where there is room for it: a test of HTTP needs no disk.
  static func newRoot() -> String {
    let memory = "/dev/shm"
    let parent = FileManager.default.fileExists(atPath: memory) ? memory : NSTemporaryDirectory()
    return parent + "/assetd-" + UUID().uuidString
  }

  func client() throws -> TestClient { try TestClient(endpoint) }

  /// One request on a connection of its own; a URL of this service may stand for its path.
  func ask(
    _ method: String, _ path: String, _ fields: [(String, String)] = [], body: [UInt8]? = nil
  ) throws -> TestAnswer {
    let target = path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
    return try client().ask(method, target, fields, body: body)
  }

  /// A request with a JSON body.
  func send(
    _ method: String, _ path: String, _ json: String, _ fields: [(String, String)] = []
  ) throws -> TestAnswer {
    try ask(
      method, path, [("Content-Type", "application/json")] + fields, body: Array(json.utf8))
  }

  /// Hosts one image.
  func host(
    _ image: [UInt8], _ query: String = "", _ fields: [(String, String)] = []
  ) throws -> TestAnswer {
    try ask("POST", "/v1/assets\(query)", [("Content-Type", "image/png")] + fields, body: image)
  }

  /// The path of an asset's URL, whatever that is built on.
  func path(_ asset: JSONValue) throws -> String {
    let url = try #require(asset["url"]?.string)
    return "/" + (try #require(url.split(separator: "/", maxSplits: 2).last))
  }

  /// Hosts one image; the path of its URL.
  func hostPath(_ image: [UInt8], _ query: String = "") throws -> String {
    try path(try host(image, query).json)
  }

  /// A call on the admin socket.
  func admin(_ method: String, _ path: String, _ json: String = "{}") throws -> TestAnswer {
    try TestClient(Endpoint(.path(root + "/admin.sock"))).ask(
      method, path, [("Content-Type", "application/json")], body: Array(json.utf8))
  }

  /// A new key; its secret.
  func key(_ json: String) throws -> String {
    try #require(try admin("POST", "/admin/keys", json).json["key"]?.string)
  }
}

/// The lock of a store goes with the last object that holds it, so a service that has just stopped
/// in this process may have it until the tasks that hold it have had their turn, among those of all
/// other tests.
private func start(
  _ configuration: String, storage: String, root: String, loops: Int, limits: ServiceLimits,
  disk: DiskWaiting?, stallLimit: Int64
) async throws -> TestService {
  let end = ContinuousClock.now + .seconds(300)
  while true {
    do {
      return try await TestService(
        configuration, storage: storage, root: root, loops: loops, limits: limits, disk: disk,
        stallLimit: stallLimit)
    } catch {
      guard "\(error)".contains("has this store open"), ContinuousClock.now < end else {
        throw error
      }
    }
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// Runs `body` with a service, which ends and leaves nothing behind.
func withService<Result>(
  _ configuration: String = "", storage: String = "", root: String? = nil, loops: Int = 2,
  limits: ServiceLimits = ServiceLimits(), disk: DiskWaiting? = nil, stallLimit: Int64 = .max,
  _ body: (TestService) async throws -> Result
) async throws -> Result {
  let folder = root ?? TestService.newRoot()
  let service = try await start(
    configuration, storage: storage, root: folder, loops: loops, limits: limits, disk: disk,
    stallLimit: stallLimit)
  func end() async {
    await endSoon(service.service)
    if root == nil { try? FileManager.default.removeItem(atPath: folder) }
  }
  do {
    let result = try await body(service)
    await end()
    return result
  } catch {
    await end()
    throw error
  }
}

/// Ends a service. A test that failed may leave calls behind that nobody answers: they are not
/// waited for as paid ones are.
private func endSoon(_ service: AssetService) async {
  let impatience = Task {
    try await Task.sleep(for: .seconds(10))
    await service.abandonCalls()
  }
  await service.stop(clientTime: .seconds(1))
  impatience.cancel()
}

/// Waits for what another thread brings about.
func until(_ what: Comment, _ condition: () throws -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(60)
  while try !condition() {
    try #require(ContinuousClock.now < end, what)
    await Task.yield()
  }
}

/// Whether nothing is being written.
func hasNoIncoming(_ root: String) throws -> Bool {
  try FileManager.default.contentsOfDirectory(atPath: root + "/incoming").isEmpty
}

func removeFolder(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }
