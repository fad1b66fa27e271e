import Foundation
import Testing

// Where memory and disk end.

@Suite struct LimitTests {
  private static var isRelease: Bool {
    #if DEBUG
      false
    #else
      true
    #endif
  }

  /// Whether a file system can be mounted here: root, and not in a locked container.
  private static let mayMount: Bool = {
    guard let scratch = try? Scratch(), let result = try? mount(scratch.path) else { return false }
    _ = try? run("/bin/umount", ["-l", scratch.path])
    return result
  }()

  private static func mount(_ path: String) throws -> Bool {
    try run("/bin/mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", path]).status == 0
  }

  /// Ten images of 20 MB at once stay under 64 MB of memory above idle.
  @Test(.enabled(if: isRelease, "memory is measured in release builds"))
  func memoryDoesNotGrowWithTheImages() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    var transfers: [String] = []
    for index in 0..<10 {
      let text = png(seed: index, bytes: 20 << 20).base64EncodedString()
      let file = try scratch.file(
        "\(index).json", Data("{\"data\":[{\"b64_json\":\"\(text)\"}]}".utf8))
      transfers.append(
        """
        url = "\(daemon.base)/v1/images/convert?response_format=url"
        header = "Content-Type: application/json"
        data-binary = "@\(file)"
        output = "/dev/null"
        write-out = "%{http_code} "
        """)
    }
    let script = try scratch.file("transfers", Data(transfers.joined(separator: "\nnext\n").utf8))
    #expect(try status(daemon.base + "/readyz") == 200)
    let idle = try daemon.memory("VmRSS")
    let statuses = try curl("-Z", "--parallel-immediate", "-K", script).text
    #expect(statuses == String(repeating: "200 ", count: 10))
    let grown = try daemon.memory("VmHWM") - idle
    #expect(grown < 64 << 10, "\(grown) KiB above idle")
  }

  /// D4: 507 before anything else, reads go on, a collection makes room.
  @Test(.enabled(if: mayMount, "no file system can be mounted here"))
  func aFullDiskRefusesAndReads() async throws {
    let scratch = try Scratch()
    let disk = scratch.path + "/disk"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    try #require(try Self.mount(disk))
    defer { _ = try? run("/bin/umount", ["-l", disk]) }
    let configuration = """
      { storage: { min_free_bytes: "4MiB" }, gc: { grace: 0, policies: [
        { kind: "expired" }, { kind: "orphans" }, { kind: "records", after: "30d" } ] } }
      """
    let daemon = try Daemon(disk + "/store", configuration: configuration)
    let (stored, refusal) = try fill(daemon, scratch)
    let last = try #require(stored.last)
    #expect(refusal.text.contains("\"insufficient_storage\""))
    #expect(try curl("-f", last.asset.url).output == last.image)
    #expect(try FileManager.default.contentsOfDirectory(atPath: daemon.root + "/incoming").isEmpty)
    let order = "{\"model\":\"sample\",\"prompt\":\"x\",\"size\":\"128x128\",\"n\":4}"
    try leave(3 << 20, on: disk)
    try await until("the disk is seen to be full") { try status(daemon.base + "/readyz") == 503 }
    #expect(
      try status(
        "-H", "Content-Type: application/json", "-d", order, daemon.base + "/v1/images/generations")
        == 507)
    try await until("the links expire") { try status(last.asset.url) == 410 }
    let collected = try curl(
      "--unix-socket", daemon.root + "/admin.sock", "-H", "Content-Type: application/json",
      "-d", "{}", "http://localhost/admin/gc")
    #expect(collected.text.contains("\"policy\":\"expired\",\"assets\":\(stored.count)"))
    try await until("there is room") { try status(daemon.base + "/readyz") == 200 }
    #expect(try upload(daemon, scratch, seed: 999).text.contains("\"id\""))
  }

  /// Another program takes the disk's room, but for so many bytes.
  private func leave(_ bytes: Int, on disk: String) throws {
    _ = FileManager.default.createFile(atPath: disk + "/other", contents: nil)
    let other = try FileHandle(forWritingTo: URL(fileURLWithPath: disk + "/other"))
    while true {
      let facts = try FileManager.default.attributesOfFileSystem(forPath: disk)
      let free = try #require(facts[.systemFreeSize] as? Int)
      guard free > bytes else { return }
      try other.write(contentsOf: Data(repeating: 0, count: min(1 << 16, free - bytes)))
    }
  }

  /// Uploads until the store says no.
  private func fill(
    _ daemon: Daemon, _ scratch: Scratch
  ) throws -> (stored: [(asset: AssetAnswer, image: Data)], refusal: Finished) {
    var stored: [(asset: AssetAnswer, image: Data)] = []
    while true {
      let answer = try upload(daemon, scratch, seed: stored.count)
      guard answer.text.contains("\"id\"") else { return (stored, answer) }
      let image = png(seed: stored.count, bytes: 4 << 20)
      stored.append((try answer.decoded(AssetAnswer.self), image))
    }
  }

  private func upload(_ daemon: Daemon, _ scratch: Scratch, seed: Int) throws -> Finished {
    let file = try scratch.file("image.png", png(seed: seed, bytes: 4 << 20))
    return try curl(
      "-H", "Content-Type: image/png", "--data-binary", "@" + file,
      daemon.base + "/v1/assets?ttl=4s")
  }
}
