// The real programs: `assetd` as it was built beside these tests, curl, Python.
import Foundation
import Glibc
import Testing

/// What a program left behind.
struct Finished {
  let status: Int32
  let output: Data
  let errors: String

  var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: [String]) throws -> Finished {
  let errors = TemporaryFile()
  let child = try Child(program, arguments, output: .pipe, errors: .file(errors.path))
  let data = child.readToEnd()
  return Finished(
    status: child.waitUntilExit(), output: data,
    errors: String(decoding: try errors.data(), as: UTF8.self))
}

/// One transfer of curl, which fails on HTTP errors; `-s` but with its reasons.
func curl(_ arguments: String...) throws -> Finished {
  try run("/usr/bin/curl", ["-sS", "--max-time", "60"] + arguments)
}

/// The status that curl sees.
func status(_ arguments: String...) throws -> Int {
  let format = ["-o", "/dev/null", "-w", "%{http_code}"]
  return Int(try run("/usr/bin/curl", ["-s", "--max-time", "60"] + format + arguments).text) ?? 0
}

/// The daemon, from its first line to its end.
final class Daemon {
  let process: Child
  let root: String
  /// `http://127.0.0.1:<port>`
  let base: String

  /// `assetd` beside the program that runs the tests.
  static let program: String = {
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = URL(fileURLWithPath: own ?? "/").deletingLastPathComponent()
    return folder.appendingPathComponent("assetd").path
  }()

  /// Starts it on a free port; comes back when it listens.
  init(
    _ root: String, configuration: String = "{}", descriptors: Int? = nil,
    errors: Child.Stream = .null
  ) throws {
    self.root = root
    let file = root + ".json5"
    try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
    let words = [Daemon.program, "--config", file, "--storage", root, "--listen", "127.0.0.1:0"]
    // prlimit(1) becomes the daemon: its process is ours.
    let limit = descriptors.map { ["/usr/bin/prlimit", "--nofile=\($0):\($0)"] } ?? []
    let all = limit + words
    process = try Child(all[0], Array(all.dropFirst()), output: .pipe, errors: errors)
    var line = Data()
    while line.last != UInt8(ascii: "\n") {
      let more = process.availableData()
      try #require(!more.isEmpty, "assetd ended before it listened")
      line += more
    }
    let text = String(decoding: line, as: UTF8.self)
    let url = try #require(text.firstRange(of: "listening on ")).upperBound
    base = text[url...].trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit {
    if process.isRunning { signal(9) }
    try? FileManager.default.removeItem(atPath: root + ".json5")
  }

  func signal(_ number: Int32) { _ = Glibc.kill(process.processIdentifier, number) }

  /// Kills it as a power cut would.
  func crash() {
    signal(9)
    process.waitUntilExit()
  }

  /// A number of kilobytes of `/proc/<pid>/status`.
  func memory(_ name: String) throws -> Int {
    let status = try String(
      contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") })
    return try #require(Int(line.filter(\.isNumber)))
  }
}

/// A folder that goes with the test.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/assetd-e2e-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A file in it.
  func file(_ name: String, _ data: Data) throws -> String {
    let file = path + "/" + name
    try data.write(to: URL(fileURLWithPath: file))
    return file
  }
}

/// A file for what a program says beside its output.
private struct TemporaryFile {
  let path = NSTemporaryDirectory() + "/assetd-e2e-" + UUID().uuidString

  func data() throws -> Data {
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }
}

/// Waits for what another process brings about.
func until(_ what: Comment, _ condition: () throws -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(30)
  while try !condition() {
    try #require(ContinuousClock.now < end, what)
    try await Task.sleep(for: .milliseconds(2))
  }
}

/// Images of the right structure: a head, noise of so many bytes in one chunk, the end.
func png(seed: Int, bytes: Int) -> Data {
  let head: [UInt8] = [
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52,
    0, 0, 0, 16, 0, 0, 0, 9, 8, 2, 0, 0, 0, 0, 0, 0, 0,
  ]
  var block = Data()
  var state = UInt32(truncatingIfNeeded: seed) &* 2 &+ 1
  for _ in 0..<256 {
    state = state &* 1_664_525 &+ 1_013_904_223
    block.append(UInt8(truncatingIfNeeded: state >> 24))
  }
  var noise = Data()
  while noise.count < bytes { noise.append(block) }
  let length = (0..<4).map { UInt8(truncatingIfNeeded: noise.count >> (24 - 8 * $0)) }
  let end: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
  return Data(head) + Data(length) + Data("teSt".utf8) + noise + Data(end)
}

/// An asset, or an image of `x_asset`.
struct AssetAnswer: Decodable {
  let id: String
  let url: String
  let sha256: String
}

/// An Images API answer.
struct ImagesAnswer: Decodable {
  struct Entry: Decodable {
    let url: String?
    let b64Json: String?
  }
  struct Summary: Decodable {
    let images: [AssetAnswer]
  }
  let data: [Entry]
  let xAsset: Summary
}

extension Finished {
  func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do { return try decoder.decode(type, from: output) } catch {
      Issue.record("\(text) \(errors)")
      throw error
    }
  }
}
