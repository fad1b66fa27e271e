internal import Foundation

/// A program that the bench started; see `Stage.start`.
final class Child {
  let process = Process()
  private let output = Pipe()

  init(
    _ command: [String], in folder: URL, environment: [String: String], log: URL?
  ) throws {
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    if let log {
      try Data().write(to: log)
      process.standardError = try FileHandle(forWritingTo: log)
    }
  }

  var pid: Int32 { process.processIdentifier }

  /// All that it prints until it ends.
  func readToEnd() -> String {
    String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }

  /// Waits for the first line that begins with `prefix`: what follows there; `nil` when the program
  /// ended before.
  func line(after prefix: String) -> String? {
    var text = ""
    while true {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { return nil }
      text += String(decoding: data, as: UTF8.self)
      // The last line may not be whole yet.
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      for line in lines where line.hasPrefix(prefix) {
        return String(line.dropFirst(prefix.count))
      }
    }
  }
}

/// Programs of the machine.
enum Tool {
  /// Where a program is, by PATH and the folders where servers are; `nil` when it is not installed.
  static func find(_ name: String) -> URL? {
    if name.contains("/") { return URL(filePath: name) }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for folder in path.split(separator: ":") + ["/usr/sbin", "/usr/bin", "/bin"] {
      let file = "\(folder)/\(name)"
      if FileManager.default.isExecutableFile(atPath: file) { return URL(filePath: file) }
    }
    return nil
  }

  /// The programs of `names` that are not installed.
  static func missing(_ names: [String]) -> [String] { names.filter { find($0) == nil } }
}
