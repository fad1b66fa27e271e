import Foundation
import Testing
import Wire

/// A file that is missing or cut is 500 `asset_damaged` on every route, never altered bytes, and
/// neither 404 nor 410 (STORE.md, "Damage").
@Suite struct DamageTests {
  private static let image = TestImages.png(padding: 20_000)
  private static let small = TestImages.png(seed: 2, padding: 1000)

  private func file(_ service: TestService, of asset: String) throws -> String {
    let folder = service.root + "/blobs/" + asset.prefix(2)
    let name = try FileManager.default.contentsOfDirectory(atPath: folder)
      .first { $0.hasPrefix(asset) }
    return folder + "/" + (try #require(name))
  }

  private func expectDamaged(_ answer: TestAnswer, _ what: String) {
    #expect(answer.status == 500 && answer.code == "asset_damaged", "\(what): \(answer.text)")
    #expect(answer["Cache-Control"] == "no-store", "\(what)")
  }

  @Test(arguments: [true, false], [true, false])
  func everyRouteSaysSo(isSmall: Bool, isMissing: Bool) async throws {
    let image = isSmall ? Self.small : Self.image
    try await withService { service in
      let temporary = try service.host(image).json
      let permanent = try service.host(image, "?retention=permanent").json
      let id = try #require(temporary["id"]?.string)
      let path = try file(service, of: try #require(temporary["sha256"]?.string))
      try FileManager.default.removeItem(atPath: path)
      if !isMissing { try Data(image.dropLast(100)).write(to: URL(fileURLWithPath: path)) }
      for asset in [temporary, permanent] {
        let link = try service.path(asset)
        expectDamaged(try service.ask("GET", link), "GET")
        expectDamaged(try service.ask("GET", link, [("Range", "bytes=0-9")]), "range")
        #expect(try service.ask("HEAD", link).status == 500)
      }
      expectDamaged(try service.ask("GET", "/v1/assets/\(id)?include=b64_json"), "include")
      let url = try #require(temporary["url"]?.string)
      let convert = try service.send(
        "POST", "/v1/images/convert?response_format=b64_json", "{\"data\":[{\"url\":\"\(url)\"}]}")
      expectDamaged(convert, "convert")
      let ready = try service.ask("GET", "/readyz")
      #expect(ready.status == 200 && ready.json["damaged_blobs"]?.int == 1)
      let metrics = try service.admin("GET", "/metrics").text
      #expect(metrics.contains("\nassetd_damaged_blobs 1\n"))
      #expect(metrics.contains("\nassetd_damage_found_total 1\n"))
      // Sent again, it is whole again.
      #expect(try service.host(image).status == 200)
      for asset in [temporary, permanent] {
        #expect(try service.ask("GET", try service.path(asset)).body == image)
      }
      #expect(try service.ask("GET", "/readyz").json["damaged_blobs"] == nil)
    }
  }
}
