import Testing
import Wire

// What a removed asset's names answer (API.md §5).

@Suite struct RemovedNameTests {
  /// A temporary asset's id is no secret: under it there is nothing, before and after.
  @Test func aTemporaryAssetsIDIsNoNameEver() async throws {
    try await withService { service in
      let asset = try service.host(TestImages.png()).json
      let id = try #require(asset["id"]?.string)
      let link = try #require(asset["url"]?.string)
      let path = "/images/\(id).png"
      let unknown = try service.ask("GET", "/images/img-\(String(repeating: "0", count: 32)).png")
      let live = try service.ask("GET", path)
      #expect(try service.ask("DELETE", "/v1/assets/\(id)").status == 204)
      let removed = try service.ask("GET", path)
      for answer in [live, removed] {
        #expect(answer.status == 404 && answer.body == unknown.body)
        #expect(answer.fieldNames == unknown.fieldNames)
      }
      #expect(try service.ask("HEAD", path).status == 404)
      let gone = try service.ask("GET", link)
      #expect(gone.status == 410 && gone.code == "asset_gone")
      // As an entry of a gateway's answer.
      let body = "{\"data\":[{\"url\":\"\(service.base)\(path)\"},{\"url\":\"\(link)\"}]}"
      let convert = "/v1/images/convert?response_format=b64_json"
      // The URLs are ours only under the name that they were made with.
      let host = [("Host", String(service.base.dropFirst("http://".count)))]
      let named = body.replacing("http://127.0.0.1/", with: service.base + "/")
      let both = try service.send("POST", convert, named, host)
      #expect(both.status == 404 && both.code == "not_found", "\(both.text)")
      let one = try service.send("POST", convert, "{\"data\":[{\"url\":\"\(link)\"}]}")
      #expect(one.status == 410 && one.code == "asset_gone", "\(one.text)")
    }
  }

  @Test func aPermanentAssetsNameSaysThatItIsGone() async throws {
    try await withService { service in
      let asset = try service.host(TestImages.png(), "?retention=permanent").json
      let id = try #require(asset["id"]?.string)
      #expect(try service.ask("GET", "/images/\(id).png").status == 200)
      #expect(try service.ask("DELETE", "/v1/assets/\(id)").status == 204)
      let gone = try service.ask("GET", "/images/\(id).png")
      #expect(gone.status == 410 && gone.code == "asset_gone")
    }
  }
}
