import Foundation
import Testing

// A file whose bytes were altered is found while nobody asks for it, and told everywhere.

@Suite struct ScrubTests {
  private static let command = Daemon.program.replacing(/assetd$/, with: "assetctl")

  private func host(_ daemon: Daemon, _ file: String) throws -> AssetAnswer {
    try curl(
      "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + file,
      daemon.base + "/v1/assets"
    ).decoded(AssetAnswer.self)
  }

  @Test func alteredBytesAreFoundAndTold() async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    let off = try Daemon(root, configuration: "{ storage: { scrub: null } }")
    let image = try scratch.file("a.png", png(seed: 1, bytes: 50_000))
    let asset = try host(off, image)
    let stats = try run(Self.command, ["stats", "--storage", root]).text
    #expect(stats.contains("last scrub") && stats.contains("none yet; off"), "\(stats)")
    off.signal(15)
    #expect(off.process.exitStatus == 0)
    try alter(asset, root)

    let log = scratch.path + "/log"
    let daemon = try Daemon(
      root, configuration: "{ storage: { scrub: { interval: '1s', rate: '100MB' } } }",
      errors: .file(log))
    try await until("the scrub has found it") {
      try curl(daemon.base + "/readyz").text.contains("\"damaged_blobs\":1")
    }
    let link = daemon.base + "/v1/temp-images/" + (asset.url.split(separator: "/").last ?? "")
    #expect(try curl(link).text.contains("\"asset_damaged\""))
    #expect(try status(link) == 500)
    let page = try curl("-f", daemon.base + "/metrics").text
    #expect(page.contains("\nassetd_damaged_blobs 1\n"))
    #expect(page.contains("\nassetd_damage_found_total 1\n"))
    try await until("it is told") {
      let told = try run(Self.command, ["stats", "--storage", root]).text
      let lines = try String(contentsOfFile: log, encoding: .utf8)
      return told.contains("1 damaged") && lines.contains("a stored image is damaged")
        && lines.contains("all stored images were read and compared")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/quarantine").count == 1)
    let again = try host(daemon, image)
    #expect(again.sha256 == asset.sha256)
    #expect(try curl("-f", link).output == Data(contentsOf: URL(fileURLWithPath: image)))
    #expect(try !curl(daemon.base + "/readyz").text.contains("damaged_blobs"))
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  private func alter(_ asset: AssetAnswer, _ root: String) throws {
    let folder = root + "/blobs/" + asset.sha256.prefix(2)
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
    let path = folder + "/" + name
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    data[20_000] ^= 0x40
    try FileManager.default.removeItem(atPath: path)
    try data.write(to: URL(fileURLWithPath: path))
  }
}
