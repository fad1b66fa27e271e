import Foundation
import Testing

// What does not start says why in one sentence, changes nothing, and exits as its help says.

@Suite struct StartTests {
  /// Whatever hangs: here its standard output is a pipe that is full and that nobody reads, so it
  /// never comes to wait for signals.
  @Test func theSecondSignalEndsWhatHangs() async throws {
    let scratch = try Scratch()
    let path = scratch.path + "/output"
    try #require(unsafe mkfifo(path, 0o600) == 0)
    let reading = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    let filling = unsafe open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
    let given = unsafe open(path, O_WRONLY | O_CLOEXEC)
    defer { for number in [reading, filling, given] { close(number) } }
    try #require(reading >= 0 && filling >= 0 && given >= 0)
    let byte = [UInt8](repeating: 0x2E, count: 1)
    while unsafe write(filling, byte, 1) == 1 {}
    let child = try Child(
      Daemon.program, ["--storage", scratch.path + "/store", "--listen", "127.0.0.1:0"],
      output: .given(given))
    defer { _ = kill(child.processIdentifier, 9) }
    try await until("it serves its operator") {
      FileManager.default.fileExists(atPath: scratch.path + "/store/admin.sock")
    }
    // The first one only asks, and a SIGHUP does not insist. Signals are acted on one after the
    // other: when the last of these is taken, nothing of those before it is left to come.
    for signal: Int32 in [15, 1, 1] { try await send(signal, to: child) }
    #expect(child.isRunning)
    #expect(try threads(of: child).contains("signals"))
    #expect(try !threads(of: child).contains("end"), "it was given no time")
    _ = kill(child.processIdentifier, 15)
    try await until("it has ended") { !child.isRunning }
    #expect(child.exitStatus == 0)
  }

  /// Sends a signal, and waits until the process has taken it (proc_pid_status(5), ShdPnd).
  private func send(_ signal: Int32, to child: Child) async throws {
    _ = kill(child.processIdentifier, signal)
    try await until("signal \(signal) is taken") {
      let status = try String(
        contentsOfFile: "/proc/\(child.processIdentifier)/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") })
      let pending = try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
      return pending & 1 << UInt64(signal - 1) == 0
    }
  }

  /// The names of a process's threads.
  private func threads(of child: Child) throws -> [String] {
    let tasks = "/proc/\(child.processIdentifier)/task"
    return try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap { task in
      let name = try? String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)
      return name?.trimmingCharacters(in: .newlines)
    }
  }

  @Test func aStoreHasOneDaemon() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let second = try run(
      Daemon.program, ["--storage", daemon.root, "--listen", "127.0.0.1:0"])
    expectSentence(second, 3, "another process has this store open")
    #expect(try status(daemon.base + "/readyz") == 200)
  }

  @Test func aPortHasOneDaemon() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let address = String(daemon.base.dropFirst("http://".count))
    let second = try run(
      Daemon.program, ["--storage", scratch.path + "/other", "--listen", address])
    expectSentence(second, 3, "\(address) is in use")
  }

  @Test func aWrongConfigurationNamesEachProblem() throws {
    let scratch = try Scratch()
    let store = scratch.path + "/store"
    let text = "{ lsten: [], storage: { root: \"\(store)\" }, defaults: { ttl: \"x\" } }"
    let file = try scratch.file("assetd.json5", Data(text.utf8))
    for arguments in [["--config", file], ["--config", file, "--check-config"]] {
      let result = try run(Daemon.program, arguments)
      #expect(result.status == 2)
      #expect(result.errors.contains("lsten: unknown key; did you mean \"listen\"?"))
      #expect(result.errors.contains("defaults.ttl"))
      #expect(result.errors.split(separator: "\n").count == 2, "\(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: store))
  }

  @Test func wrongArgumentsAreNamed() throws {
    let scratch = try Scratch()
    let store = scratch.path + "/store"
    let rows: [(arguments: [String], status: Int32, words: String)] = [
      (["--wat"], 2, "--wat"), (["--config"], 2, "needs a value"),
      (["--config", scratch.path + "/none.json5"], 2, "no such file"),
      (["--storage", store, "--listen", "0.0.0.0:0"], 2, "not a loopback address"),
      (["--storage", store, "--listen", "nonsense"], 2, "not an address"),
    ]
    for row in rows {
      expectSentence(try run(Daemon.program, row.arguments), row.status, row.words)
    }
    #expect(!FileManager.default.fileExists(atPath: store))
    #expect(try run(Daemon.program, ["--version"]).text.hasPrefix("assetd "))
    #expect(try run(Daemon.program, ["--help"]).text.contains("Exit status"))
  }

  /// A5: a key ring that others may have read, or that is gone, stops the start.
  @Test func aKeyRingIsGuarded() throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    try Daemon(root).crash()
    let ring = root + "/keyring.json"
    let files = FileManager.default
    try files.setAttributes([.posixPermissions: 0o644], ofItemAtPath: ring)
    let arguments = ["--storage", root, "--listen", "127.0.0.1:0"]
    expectSentence(try run(Daemon.program, arguments), 3, "may be read by others")
    try files.removeItem(atPath: ring)
    expectSentence(try run(Daemon.program, arguments), 3, "key ring is missing")
    #expect(!files.fileExists(atPath: ring))
  }

  private func expectSentence(_ result: Finished, _ status: Int32, _ words: String) {
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(words), "\(result.errors)")
    // One sentence, beside the log's lines.
    let sentences = result.errors.split(separator: "\n").filter { !$0.hasPrefix("{") }
    #expect(sentences.count == 1, "\(result.errors)")
    #expect(result.output.isEmpty)
  }
}
