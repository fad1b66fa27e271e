import AssetService
import Configuration
import Foundation
import Synchronization
import Wire

@testable import assetctl

/// What a command line came to.
struct Outcome: Sendable {
  let status: ExitStatus
  let bytes: [UInt8]
  let errors: String

  var output: String { String(decoding: bytes, as: UTF8.self) }

  /// The output's lines as JSON.
  func lines() throws -> [JSONValue] {
    try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse($0.span) }
  }

  /// Runs a command line as the program does.
  static func of(_ words: [String], isTerminal: Bool = false) async -> Outcome {
    let output = Gathered()
    let errors = Gathered()
    let console = Console(
      output: { output.add($0) }, errors: { errors.add(Array($0.utf8)) }, isTerminal: isTerminal,
      showsProgress: true, hasColour: false)
    let status = await Program.run(words, console)
    return Outcome(
      status: status, bytes: output.bytes, errors: String(decoding: errors.bytes, as: UTF8.self))
  }
}

private final class Gathered: Sendable {
  private let all = Mutex<[UInt8]>([])

  var bytes: [UInt8] { all.withLock { $0 } }

  func add(_ bytes: [UInt8]) { all.withLock { $0 += bytes } }
}

/// A folder of one test, with a store in it and a configuration without grace; removed afterwards.
final class Workbench: Sendable {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "assetctl-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(
      "c.json5",
      Array(
        """
        { listen: ["127.0.0.1:0"], storage: { root: "\(store)", min_free_bytes: 0 },
          gc: { grace: 0 }, log: { access: "off", level: "error" } }
        """.utf8))
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var store: String { folder + "/store" }

  func path(_ name: String) -> String { folder + "/" + name }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Runs a command on the store.
  func run(_ words: String..., isTerminal: Bool = false) async -> Outcome {
    await Outcome.of(words + ["--config", path("c.json5")], isTerminal: isTerminal)
  }

  /// A service that holds the store, as the daemon does.
  func daemon() async throws -> AssetService {
    var options = AssetService.Options()
    options.loops = 1
    options.keepsHouse = false
    let settings = try Settings.load(
      try ConfigurationFile(path: path("c.json5")), environment: [:])
    return try await AssetService.start(settings, options)
  }
}

/// A PNG of the right structure (ISO/IEC 15948 §5.3, §11.2.2), different for every seed.
func image(_ seed: UInt8) -> [UInt8] {
  [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
    + [0, 0, 0, 32, 0, 0, 0, 16] + [UInt8](repeating: seed, count: 9)
    + [0, 0, 0, 100] + Array("teSt".utf8) + [UInt8](repeating: seed, count: 104)
    + [0, 0, 0, 0] + Array("IEND".utf8) + [0xAE, 0x42, 0x60, 0x82]
}
