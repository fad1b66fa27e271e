import Foundation
import Testing

/// A store is its owner's alone, whoever makes it and whatever the umask is.
@Suite struct ModeTests {
  private static let assetctl = Daemon.program.replacing(/assetd$/, with: "assetctl")

  /// What is in the folder, with its permission bits; the sockets, logs and locks as well.
  private func modes(_ root: String) throws -> [String: Int] {
    var modes: [String: Int] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
      let attributes = try FileManager.default.attributesOfItem(atPath: root + "/" + name)
      modes[name] = attributes[.posixPermissions] as? Int
    }
    return modes
  }

  private func expectPrivate(_ root: String, _ place: SourceLocation = #_sourceLocation) throws {
    let modes = try modes(root)
    for (name, mode) in modes {
      let isFolder = !name.contains(".") && !["lock", "ballast"].contains(name)
      let isBlob = name.hasPrefix("blobs/") && name.count > 8
      let expected = isBlob ? 0o440 : isFolder ? 0o700 : 0o600
      #expect(
        mode == expected, "\(name): \(String(mode, radix: 8))", sourceLocation: place)
    }
    for name in ["catalog.sqlite", "lock", "keyring.json", "blobs/00", "incoming", "quarantine"] {
      #expect(modes[name] != nil, "\(name)", sourceLocation: place)
    }
  }

  private func run(_ program: String, umask: String, _ words: String...) throws -> Finished {
    try EndToEndTests.run(
      "/bin/sh", ["-c", "umask \(umask); exec \"$0\" \"$@\"", program] + words)
  }

  private func makeStore(_ scratch: Scratch, umask: String) throws -> String {
    let root = scratch.path + "/store"
    let image = try scratch.file("a.png", png(seed: 1, bytes: 5000))
    let put = try run(
      Self.assetctl, umask: umask, "put", "--storage", root, "--retention", "permanent", image)
    try #require(put.status == 0, "\(put.text) \(put.errors)")
    return root
  }

  @Test(arguments: ["0", "022", "077"]) func whatACommandMakesIsPrivate(umask: String) throws {
    let scratch = try Scratch()
    let root = try makeStore(scratch, umask: umask)
    try expectPrivate(root)
    let attributes = try FileManager.default.attributesOfItem(atPath: root)
    #expect(attributes[.posixPermissions] as? Int == 0o700)
    // Beside a daemon there are the log, its index and the socket.
    let daemon = try Daemon(root)
    #expect(try curl("-f", daemon.base + "/v1/assets").status == 0)
    try expectPrivate(root)
    #expect(try modes(root)["catalog.sqlite-shm"] != nil && modes(root)["admin.sock"] != nil)
  }

  /// What an earlier version has left open to others; the folder itself is whoever's made it.
  @Test func whatIsOpenIsClosedByAStart() throws {
    let scratch = try Scratch()
    let root = try makeStore(scratch, umask: "022")
    let folders = ["", "blobs", "incoming", "quarantine", "snapshots"]
    for (names, mode) in [(["catalog.sqlite", "lock", "ballast"], 0o644), (folders, 0o755)] {
      for name in names {
        try FileManager.default.setAttributes(
          [.posixPermissions: mode], ofItemAtPath: root + "/" + name)
      }
    }
    for log in ["catalog.sqlite-wal", "catalog.sqlite-shm"] {
      #expect(FileManager.default.createFile(atPath: root + "/" + log, contents: nil))
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o666], ofItemAtPath: root + "/" + log)
    }
    let daemon = try Daemon(root)
    try expectPrivate(root)
    let attributes = try FileManager.default.attributesOfItem(atPath: root)
    #expect(attributes[.posixPermissions] as? Int == 0o755)
    #expect(try status(daemon.base + "/readyz") == 200)
  }
}
