import Testing
import Wire

// The calls on one asset and the list (API.md §4).

@Suite struct AssetCallsTests {
  private func hosted(_ service: TestService, seed: UInt8 = 0) throws -> (id: String, url: String) {
    let asset = try service.host(TestImages.png(seed: seed)).json
    return (try #require(asset["id"]?.string), try #require(asset["url"]?.string))
  }

  @Test func anAssetIsShownWithItsBytesWhenAsked() async throws {
    try await withService { service in
      let image = TestImages.png(padding: 200_000)
      let id = try #require(try service.host(image).json["id"]?.string)
      let plain = try service.ask("GET", "/v1/assets/\(id)")
      #expect(plain.status == 200 && plain.json["b64_json"] == nil)
      let whole = try service.ask("GET", "/v1/assets/\(id)?include=b64_json")
      #expect(whole.json["b64_json"]?.string == TestImages.base64(image))
      let head = try service.ask("HEAD", "/v1/assets/\(id)?include=b64_json")
      #expect(head["Content-Length"] == String(whole.body.count))
      #expect(try service.ask("GET", "/v1/assets/\(id)?include=x").param == "include")
    }
  }

  @Test func thePagesOfTheListAreWholeAndNewestFirst() async throws {
    try await withService { service in
      let ids = try (1...5).map { try hosted(service, seed: $0).id }
      var (found, after): ([String], String) = ([], "")
      while true {
        let page = try service.ask("GET", "/v1/assets?limit=2\(after)").json
        #expect(page["object"]?.string == "list")
        found += (page["data"]?.array ?? []).compactMap { $0["id"]?.string }
        guard page["has_more"]?.bool == true, found.count < 9 else { break }
        after = "&after=\(page["last_id"]?.string ?? "")"
      }
      #expect(found == ids.reversed())
      let none = try service.ask("GET", "/v1/assets?retention=permanent").json
      #expect(none["data"]?.array?.isEmpty == true && none["last_id"] == .null)
      for query in [
        "limit=0", "limit=1001", "limit=x", "after=x",
        "after=img-\(String(repeating: "0", count: 32))",
        "retention=x", "created_after=x",
      ] {
        let answer = try service.ask("GET", "/v1/assets?\(query)")
        #expect(answer.status == 400, "\(query)")
        #expect(query.hasPrefix((answer.param ?? "?") + "="), "\(query): \(answer.text)")
      }
    }
  }

  @Test func anAssetCanBeChanged() async throws {
    try await withService { service in
      let (id, _) = try hosted(service)
      func patch(_ json: String) throws -> TestAnswer {
        try service.send("PATCH", "/v1/assets/\(id)", json)
      }
      #expect(try patch("{\"pinned\":true}").json["pinned"]?.bool == true)
      let permanent = try patch("{\"retention\":\"permanent\"}").json
      let url = try #require(permanent["url"]?.string).replacing("http://127.0.0.1", with: "")
      #expect(permanent["expires_at"] == .null)
      #expect(try service.ask("GET", url).status == 200)
      let back = try patch("{\"retention\":\"temporary\",\"ttl\":\"2h\"}").json
      #expect(back["expires_at"]?.int != nil)
      // The way in that a permanent asset has is closed again, on every loop.
      for _ in 0..<8 { #expect(try service.ask("GET", url).status == 404) }
      let rows = [
        ("{\"pinned\":1}", "pinned"), ("{\"foo\":1}", "foo"), ("{\"ttl\":\"x\"}", "ttl"),
        ("{\"retention\":\"x\"}", "retention"),
        ("{\"retention\":\"permanent\",\"ttl\":5}", "ttl"),
      ]
      for (json, param) in rows {
        let answer = try patch(json)
        #expect(answer.status == 400 && answer.param == param, "\(json): \(answer.text)")
      }
      #expect(try patch("[1]").status == 400)
      #expect(try patch("{}").status == 200)
    }
  }

  @Test func linksEndNoLaterThanTheirAsset() async throws {
    try await withService { service in
      let asset = try service.host(TestImages.png()).json
      let path = "/v1/assets/\(asset["id"]?.string ?? "")/links"
      let hour = try service.send("POST", path, "{\"ttl\":\"1h\"}")
      #expect(hour.status == 201)
      #expect(hour.json.object?.members.map(\.name) == ["url", "expires_at"])
      let created = try #require(asset["created_at"]?.int)
      let end = try #require(hour.json["expires_at"]?.int)
      #expect((3600...3700).contains(end - created))
      let capped = try service.send("POST", path, "{\"ttl\":\"1000d\"}")
      #expect(capped.json["expires_at"] == asset["expires_at"])
      #expect(try service.send("POST", path, "").status == 201)
      #expect(try service.ask("POST", path).status == 201)
      for (json, param) in [("{\"ttl\":\"x\"}", "ttl"), ("{\"tll\":1}", "tll")] {
        let answer = try service.send("POST", path, json)
        #expect(answer.status == 400 && answer.param == param, "\(json): \(answer.text)")
      }
    }
  }

  /// STORE.md, invariant 9: whatever loop a connection is on.
  @Test func aDeletedAssetIsGoneAtOnceEverywhere() async throws {
    try await withService(loops: 4) { service in
      let (id, url) = try hosted(service)
      let path = url.replacing("http://127.0.0.1", with: "")
      let other = try service.host(TestImages.png(), "?retention=permanent").json
      let clients = try (0..<16).map { _ in try service.client() }
      for client in clients { #expect(try client.ask("GET", path).status == 200) }
      let deleted = try service.ask("DELETE", "/v1/assets/\(id)")
      #expect(deleted.status == 204 && deleted["Content-Length"] == nil)
      for client in clients {
        let answer = try client.ask("GET", path)
        #expect(answer.status == 410 && answer.code == "asset_gone")
      }
      #expect(try service.ask("DELETE", "/v1/assets/\(id)").status == 404)
      let why = try service.ask("GET", "/v1/assets/\(id)")
      #expect(why.status == 404 && why.code == "asset_gone")
      #expect(why.text.contains("it was deleted at 20"))
      // Another asset on the same blob lives on.
      let rest = try #require(other["url"]?.string).replacing("http://127.0.0.1", with: "")
      #expect(try service.ask("GET", rest).status == 200)
    }
  }

  /// A link ends with its asset, also when the asset's life was cut short after the link was made.
  @Test func aLinkEndsWithItsAsset() async throws {
    try await withService(loops: 2) { service in
      let (id, url) = try hosted(service)
      let path = url.replacing("http://127.0.0.1", with: "")
      let longer = try #require(
        try service.send("POST", "/v1/assets/\(id)/links", "{\"ttl\":\"1h\"}").json["url"]?.string
      ).replacing("http://127.0.0.1", with: "")
      #expect(try service.ask("GET", path).status == 200)
      #expect(try service.send("PATCH", "/v1/assets/\(id)", "{\"ttl\":3000}").status == 200)
      for link in [path, longer] {
        let answer = try service.ask("GET", link)
        #expect(answer.status == 200)
        let age = answer["Cache-Control"]?.split { !$0.isNumber }.first.flatMap { Int($0) }
        #expect(try #require(age) < 3000)
      }
      #expect(try service.send("PATCH", "/v1/assets/\(id)", "{\"ttl\":1}").status == 200)
      var answer = try service.ask("GET", path)
      let limit = ContinuousClock.now + .seconds(20)
      while answer.status == 200, ContinuousClock.now < limit {
        answer = try service.ask("GET", path)
      }
      for link in [path, longer] {
        let ended = try service.ask("GET", link)
        #expect(ended.status == 410 && ended.code == "link_expired")
      }
    }
  }

  /// RFC 9110 §15.5.6
  @Test func otherMethodsAreNamed() async throws {
    try await withService { service in
      let rows: [(method: String, path: String, allow: String)] = [
        ("PUT", "/v1/assets", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/v1/assets/x", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("GET", "/v1/assets/x/links", "POST, OPTIONS"),
        ("GET", "/v1/images/convert", "POST, OPTIONS"),
        ("GET", "/v1/images/generations", "POST, OPTIONS"),
        ("DELETE", "/v1/models", "GET, HEAD, OPTIONS"), ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/readyz", "GET, HEAD, OPTIONS"), ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
        ("POST", "/images/x.png", "GET, HEAD, OPTIONS"),
        ("DELETE", "/v1/temp-images/x.png", "GET, HEAD, OPTIONS"),
      ]
      for row in rows {
        let answer = try service.send(row.method, row.path, "{}")
        #expect(answer.status == 405, "\(row.method) \(row.path)")
        #expect(answer["Allow"] == row.allow, "\(row.method) \(row.path)")
        expectEnvelope(answer, row.path)
      }
    }
  }
}
