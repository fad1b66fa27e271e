internal import Foundation

/// A real `assetd` on a store of its own; it makes a loop per core.
final class Daemon {
  let port: UInt16
  let root: URL
  let usage: Usage
  private let child: Child
  private let stage: Stage
  private let log: URL
  /// Whether its folder is the caller's.
  private let keepsStore: Bool

  /// Starts the `assetd` that lies beside this program and waits until it listens; `root` is a
  /// store to work on, that stays.
  init(
    on stage: Stage, cores: Stage.Cores = .servers, environment: [String: String] = [:],
    configuration text: String = "", root: URL? = nil
  ) throws {
    let program = try Self.program("assetd")
    let folder = try stage.makeFolder("assetd-\(UUID().uuidString)")
    self.stage = stage
    keepsStore = root != nil
    self.root = root ?? folder.appending(path: "store")
    log = folder.appending(path: "log")
    let configuration = folder.appending(path: "assetd.json5")
    try "{ storage: { min_free_bytes: \"64MiB\" }, \(text) }".write(
      to: configuration, atomically: false, encoding: .utf8)
    child = try stage.start(
      [
        program.path, "--config", configuration.path, "--storage", self.root.path, "--listen",
        "127.0.0.1:0",
      ], cores: cores, environment: environment, log: log)
    guard let address = child.line(after: "listening on http://127.0.0.1:"),
      let port = UInt16(address)
    else {
      let said = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      throw Trouble("assetd did not start: \(said)")
    }
    self.port = port
    usage = Usage(pid: child.pid)
  }

  /// Ends it and removes its store, if that is its own.
  func stop() {
    stage.stop(child)
    guard !keepsStore else { return }
    try? FileManager.default.removeItem(at: root.deletingLastPathComponent())
  }

  /// The access log may grow by gigabytes in a minute.
  func clearLog() { truncate(log) }

  /// `swift run bench` builds no assetd, and a bench must not wait for a compiler.
  static func program(_ name: String) throws -> URL {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let program = own.deletingLastPathComponent().appending(path: name)
    guard FileManager.default.isExecutableFile(atPath: program.path) else {
      throw Trouble("There is no \(name) beside \(own.path): build it, swift build -c release")
    }
    return program
  }
}

/// Empties a file that a running program writes to.
func truncate(_ file: URL) {
  guard let handle = try? FileHandle(forWritingTo: file) else { return }
  try? handle.truncate(atOffset: 0)
}
