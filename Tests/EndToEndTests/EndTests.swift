import Foundation
import Testing

// How the daemon ends, and what is there when it starts again.

@Suite struct EndTests {
  /// STORE.md, invariants 5 and 10: what was acknowledged is there, what was not leaves nothing.
  @Test func nothingAcknowledgedIsLostByAKill() async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    var acknowledged: [(asset: AssetAnswer, image: Data)] = []
    for round in 0..<3 {
      let daemon = try Daemon(root)
      let folder = scratch.path + "/round-\(round)"
      let (uploads, images) = try startUploads(to: daemon, in: folder, seed: round * 100)
      // In the middle: some are done, others on their way.
      try await until("\(3 + round) answers") {
        try answers(in: folder).count >= 3 + round || !uploads.isRunning
      }
      daemon.crash()
      uploads.waitUntilExit()
      for (index, asset) in try answers(in: folder) { acknowledged.append((asset, images[index])) }
    }
    #expect(acknowledged.count >= 12)
    let daemon = try Daemon(root)
    #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/incoming").isEmpty)
    for (asset, image) in acknowledged {
      let path = try #require(URL(string: asset.url)).path
      #expect(try curl("-f", daemon.base + path).output == image, "\(asset.id)")
    }
  }

  /// Forty uploads of 200 KB, eight at a time; each answer goes into a file of its own.
  private func startUploads(
    to daemon: Daemon, in folder: String, seed: Int
  ) throws -> (Child, [Data]) {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let images = (0..<40).map { png(seed: seed + $0, bytes: 200_000) }
    var transfers: [String] = []
    for (index, image) in images.enumerated() {
      try image.write(to: URL(fileURLWithPath: "\(folder)/\(index).png"))
      transfers.append(
        """
        url = "\(daemon.base)/v1/assets?retention=permanent"
        header = "Content-Type: image/png"
        data-binary = "@\(folder)/\(index).png"
        output = "\(folder)/\(index).json"
        """)
    }
    let script = folder + "/transfers"
    try Data(transfers.joined(separator: "\nnext\n").utf8).write(
      to: URL(fileURLWithPath: script))
    let arguments = ["-s", "-Z", "--parallel-max", "8", "-K", script]
    return (try Child("/usr/bin/curl", arguments), images)
  }

  /// The answers that came whole.
  private func answers(in folder: String) throws -> [(Int, AssetAnswer)] {
    try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name in
      guard name.hasSuffix(".json"), let index = Int(name.dropLast(5)),
        let data = FileManager.default.contents(atPath: folder + "/" + name),
        let asset = try? JSONDecoder().decode(AssetAnswer.self, from: data)
      else { return nil }
      return (index, asset)
    }
  }

  @Test func aRestartKeepsEveryLink() throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    let image = png(seed: 1, bytes: 10_000)
    let file = try scratch.file("image.png", image)
    let first = try Daemon(root)
    let paths = try ["temporary", "permanent"].map { retention in
      let asset = try curl(
        "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + file,
        "\(first.base)/v1/assets?retention=\(retention)"
      ).decoded(AssetAnswer.self)
      return try #require(URL(string: asset.url)).path
    }
    first.signal(15)
    first.process.waitUntilExit()
    let second = try Daemon(root)
    for path in paths { #expect(try curl("-f", second.base + path).output == image) }
  }

  /// O6: SIGTERM closes the door, what runs finishes, exit 0.
  @Test func aRunningUploadFinishesInTheDrain() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let image = png(seed: 1, bytes: 600_000)
    let arguments = [
      "-sS", "-X", "POST", "-H", "Content-Type: image/png", "-T", "-", "-w", " %{http_code}",
      daemon.base + "/v1/assets",
    ]
    let upload = try Child("/usr/bin/curl", arguments, takesInput: true, output: .pipe)
    try upload.write(image.prefix(300_000))
    let incoming = daemon.root + "/incoming"
    try await until("the upload has begun") {
      try !FileManager.default.contentsOfDirectory(atPath: incoming).isEmpty
    }
    daemon.signal(15)
    // Without a pause: beside many tests this one's next turn may come later than the drain's end.
    let isClosed = try (0..<1000).contains { _ in try status(daemon.base + "/healthz") == 0 }
    try #require(isClosed && daemon.process.isRunning)
    try upload.write(image.dropFirst(300_000))
    upload.finishInput()
    #expect(String(decoding: upload.readToEnd(), as: UTF8.self).hasSuffix(" 201"))
    #expect(daemon.process.exitStatus == 0)
  }
}
