import Foundation
import Testing

// The two programs as an operator meets them: what they say, where, and how they end.

@Suite struct CommandLineTests {
  private static let command = Daemon.program.replacing(/assetd$/, with: "assetctl")

  /// A command of the shell, for its redirections; `$0` is the program.
  private func shell(_ line: String, _ program: String, _ arguments: [String]) throws -> Finished {
    try run("/bin/sh", ["-c", line, program] + arguments)
  }

  private func upload(_ daemon: Daemon, _ scratch: Scratch) throws -> String {
    let file = try scratch.file("image.png", png(seed: 1, bytes: 50_000))
    return try curl(
      "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + file,
      daemon.base + "/v1/assets"
    ).decoded(AssetAnswer.self).id
  }

  /// exit(3) took libssl apart while a loop's thread let go of its connections: one run in a
  /// hundred ended in a segmentation fault after its output.
  @Test func aThousandthRunEndsAsTheFirst() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let line = """
      for i in $(seq 125); do
        "$0" stats --json --storage "$1" >/dev/null || echo "ended with $?"
      done
      """
    let four = try (0..<4).map { _ in
      try Child("/bin/sh", ["-c", line, Self.command, daemon.root], output: .pipe)
    }
    for child in four { #expect(child.readToEnd().isEmpty) }
  }

  /// What is written nowhere was not done.
  @Test func aFullDiskIsTold() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let id = try upload(daemon, scratch)
    let store = ["--storage", daemon.root]
    let lines: [(program: String, arguments: [String])] = [
      (Self.command, ["get", id] + store), (Self.command, ["ls"] + store),
      (Self.command, ["keys", "create", "--name", "a"] + store),
      (Self.command, ["keys", "create", "--name", "b", "--json"] + store),
      (Self.command, ["--help"]), (Self.command, ["--version"]),
      (Daemon.program, ["--help"]), (Daemon.program, ["--check-config"] + store),
    ]
    for line in lines {
      let ended = try shell("exec \"$0\" \"$@\" > /dev/full", line.program, line.arguments)
      #expect(ended.status == 3, "\(line.arguments)")
      #expect(ended.errors.contains("No space left on device"), "\(ended.errors)")
      #expect(ended.errors.split(separator: "\n").count == 1, "\(ended.errors)")
    }
    let keys = try run(Self.command, ["keys", "list", "--json"] + store).text
    #expect(!keys.contains("\"revoked_at\":null"), "\(keys)")
  }

  /// What the command makes of a store is as private as the daemon's; what it writes for the one
  /// who runs it has the mode that everything of that one has.
  @Test func aStoreThatTheCommandMakesIsPrivate() throws {
    let scratch = try Scratch()
    let file = try scratch.file("image.png", png(seed: 1, bytes: 50_000))
    let (root, copy) = (scratch.path + "/store", scratch.path + "/copy.png")
    let store = ["--storage", root]
    let put = try shell(
      "umask 022; exec \"$0\" \"$@\"", Self.command, ["put", file, "--json"] + store)
    #expect(put.status == 0, "\(put.errors)")
    let files = FileManager.default
    func mode(_ path: String) throws -> Int? {
      try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    for name in try files.contentsOfDirectory(atPath: root) {
      #expect(try mode(root + "/" + name).map { $0 & 0o077 } == 0, "\(name)")
    }
    let id = try JSONDecoder().decode(AssetAnswer.self, from: Data(put.text.utf8)).id
    let got = try shell(
      "umask 027; exec \"$0\" \"$@\"", Self.command, ["get", id, "-o", copy] + store)
    #expect(got.status == 0, "\(got.errors)")
    #expect(try mode(copy) == 0o640)
  }

  @Test func aPipeIsNotReplaced() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let id = try upload(daemon, scratch)
    let place = scratch.path + "/place"
    try #require(unsafe mkfifo(place, 0o600) == 0)
    let link = scratch.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null")
    for path in [place, link] {
      let ended = try run(
        Self.command, ["get", id, "-o", path, "--force", "--storage", daemon.root])
      #expect(ended.status == 1)
      #expect(ended.errors.contains("is no regular file"), "\(ended.errors)")
    }
    let kinds = try [place, link].map {
      try FileManager.default.attributesOfItem(atPath: $0)[.type] as? FileAttributeType
    }
    #expect(kinds == [.typeUnknown, .typeSymbolicLink])
  }

  /// `--check-config` refuses what a start refuses, in the same words.
  @Test(arguments: [
    "gc: { policies: [{ kind: 'idle', after: '30d' }] }", "admin_listen: '127.0.0.1:0'",
    "models: [{ id: 'sample', upstream: 'sample', cache: '24h' }]",
    "fetch: { allow: ['files.internal'] }",
  ])
  func theCheckSaysWhatTheStartSays(text: String) throws {
    let scratch = try Scratch()
    let file = try scratch.file("assetd.json5", Data("{ \(text) }".utf8))
    let store = scratch.path + "/store"
    let arguments = ["--config", file, "--storage", store, "--listen", "127.0.0.1:0"]
    let start = try run(Daemon.program, arguments)
    let check = try run(Daemon.program, arguments + ["--check-config"])
    #expect(start.status == 2 && check.status == 2)
    #expect(start.errors == check.errors && start.errors.contains(" yet"))
    #expect(!FileManager.default.fileExists(atPath: store))
  }

  @Test func warningsAreToldByTheCheckAndByTheStart() async throws {
    let scratch = try Scratch()
    let text = "{ trusted_proxies: ['0.0.0.0/0'], storage: { min_free_bytes: '1000PB' } }"
    let file = try scratch.file("assetd.json5", Data(text.utf8))
    let check = try run(
      Daemon.program, ["--check-config", "--config", file, "--storage", scratch.path + "/store"])
    #expect(check.status == 0)
    #expect(check.errors.contains("warning: trusted_proxies: 0.0.0.0/0"), "\(check.errors)")
    #expect(check.errors.contains("is too small"), "\(check.errors)")
    let log = scratch.path + "/log"
    let daemon = try Daemon(
      scratch.path + "/store", configuration: text, errors: .file(log))
    try await until("both are told") {
      let lines = try String(contentsOfFile: log, encoding: .utf8)
      return lines.contains("trusted_proxies: 0.0.0.0/0") && lines.contains("is too small")
    }
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  /// Nobody has to know what openat(2) means.
  @Test func aStoreThatCanNotBeUsedIsNamed() throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    try Daemon(root).crash()
    let files = FileManager.default
    let blobs = root + "/blobs"
    try files.moveItem(atPath: blobs, toPath: scratch.path + "/elsewhere")
    try files.createSymbolicLink(atPath: blobs, withDestinationPath: scratch.path + "/elsewhere")
    let arguments = ["--storage", root, "--listen", "127.0.0.1:0"]
    for ended in [
      try run(Daemon.program, arguments), try run(Self.command, ["ls", "--storage", root]),
    ] {
      #expect(ended.status == 3)
      #expect(ended.errors.contains("\"\(blobs)\" is a link"), "\(ended.errors)")
    }
  }

  /// As a user who owns nothing of it.
  @Test(.enabled(if: getuid() == 0 && FileManager.default.fileExists(atPath: "/usr/bin/setpriv")))
  func aStoreOfAnotherUserIsNamed() throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    try Daemon(root).crash()
    let folders = [scratch.path, scratch.path + "/.."]
    for folder in folders {
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
    }
    // Where that user may go: the tree that was built may be private to its owner.
    let command = scratch.path + "/assetctl"
    // By another process: a child that this one starts at the moment of its own writing would keep
    // the program open for writing (execve(2), ETXTBSY).
    #expect(try run("/bin/cp", [Self.command, command]).status == 0)
    let user = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    let ended = try run(
      "/usr/bin/env", ["-C", scratch.path] + user + [command, "ls", "--storage", root])
    #expect(ended.status == 3)
    #expect(ended.errors.contains(root) && ended.errors.contains("65534"), "\(ended.errors)")
  }

  @Test func withoutADaemonTheURLSaysSo() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let id = try upload(daemon, scratch)
    let arguments = ["show", id, "--storage", daemon.root]
    #expect(try run(Self.command, arguments).errors.isEmpty)
    daemon.signal(15)
    daemon.process.waitUntilExit()
    let alone = try run(Self.command, arguments)
    #expect(alone.text.contains("http://127.0.0.1:8080/v1/"), "\(alone.text)")
    #expect(alone.errors.hasPrefix("No daemon runs"), "\(alone.errors)")
  }

  /// A table takes the terminal's width; a pipe gets 80 columns.
  @Test func tablesFitWhereTheyAreShown() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    _ = try upload(daemon, scratch)
    let piped = try run(Self.command, ["ls", "--storage", daemon.root]).text
    #expect(Self.width(piped) > 60 && Self.width(piped) <= 80, "\(piped)")
    guard FileManager.default.fileExists(atPath: "/usr/bin/script") else { return }
    // The names of the columns tell how many there was room for.
    for (columns, first, last) in [(60, "bytes", "ends"), (200, "owner", "created")] {
      let line = "stty cols \(columns); NO_COLOR=1 \(Self.command) ls --storage \(daemon.root)"
      let shown = try run("/usr/bin/script", ["-qec", line, "/dev/null"]).text
      #expect(Self.width(shown) <= columns, "\(shown)")
      #expect(shown.contains(first) && shown.contains(last), "\(shown)")
      #expect(shown.contains("created") == (columns == 200), "\(shown)")
    }
  }

  private static func width(_ text: String) -> Int {
    text.split(whereSeparator: \.isNewline).map(\.count).max() ?? 0
  }
}
