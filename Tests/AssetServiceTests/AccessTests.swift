import Testing
import Wire

// Who may do what (API.md §2), and the bases of URLs (§1).

@Suite struct AccessTests {
  private static let image = TestImages.png()
  private static let keys = "auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }"
  private func bearer(_ key: String) -> [(String, String)] { [("Authorization", "Bearer \(key)")] }

  /// A2: on every route, the same status, body and field names.
  @Test func anotherOwnersAssetIsAnUnknownOne() async throws {
    try await withService(Self.keys) { service in
      let (one, two) = (
        try service.key("{\"name\":\"one\"}"), try service.key("{\"name\":\"two\"}")
      )
      let id = try #require(try service.host(Self.image, "", bearer(one)).json["id"]?.string)
      let unknown = "img-" + String(repeating: "0", count: 32)
      let calls: [(String, (String) -> String, String)] = [
        ("GET", { "/v1/assets/\($0)" }, ""), ("GET", { "/v1/assets/\($0)?include=b64_json" }, ""),
        ("PATCH", { "/v1/assets/\($0)" }, "{\"pinned\":true}"),
        ("DELETE", { "/v1/assets/\($0)" }, ""), ("POST", { "/v1/assets/\($0)/links" }, "{}"),
        ("GET", { "/v1/assets?after=\($0)" }, ""),
      ]
      for (method, path, body) in calls {
        let foreign = try service.send(method, path(id), body, bearer(two))
        let none = try service.send(method, path(unknown), body, bearer(two))
        #expect(foreign.status == none.status && foreign.status >= 400, "\(method) \(path("id"))")
        #expect(foreign.body == none.body, "\(method) \(path("id"))")
        #expect(foreign.fieldNames == none.fieldNames, "\(method) \(path("id"))")
      }
      #expect(try service.ask("GET", "/v1/assets/\(id)", bearer(one)).status == 200)
      #expect(
        try service.ask("GET", "/v1/assets/\(id)", bearer(TestService.adminKey)).status == 200)
      let list = try service.ask("GET", "/v1/assets", bearer(two)).json
      #expect(list["data"]?.array?.isEmpty == true)
      let own = try service.host(Self.image, "", bearer(two))
      #expect(own.status == 201 && own.json["owner"]?.string == "two")
    }
  }

  @Test func aCallNeedsAKeyWithItsScope() async throws {
    try await withService(Self.keys) { service in
      for fields in [[], bearer("nope"), [("Authorization", "Basic eDp5")], bearer("")] {
        let answer = try service.host(Self.image, "", fields)
        #expect(answer.status == 401 && answer.type == "authentication_error")
        #expect(answer["WWW-Authenticate"] == "Bearer")
        expectEnvelope(answer, "401")
      }
      let calls: [(scope: String, method: String, path: String)] = [
        ("host", "POST", "/v1/assets"), ("host", "POST", "/v1/images/convert"),
        ("host", "DELETE", "/v1/assets/x"), ("host", "PATCH", "/v1/assets/x"),
        ("host", "POST", "/v1/assets/x/links"), ("read", "GET", "/v1/assets"),
        ("read", "GET", "/v1/assets/x"), ("generate", "GET", "/v1/models"),
        ("generate", "POST", "/v1/images/generations"),
      ]
      for scope in ["host", "read", "generate"] {
        let key = try service.key("{\"name\":\"\(scope)\",\"scopes\":[\"\(scope)\"]}")
        for call in calls {
          let answer = try service.send(call.method, call.path, "{}", bearer(key))
          let isRefused = answer.status == 403 && answer.code == "insufficient_scope"
          #expect(isRefused == (call.scope != scope), "\(scope): \(call)")
        }
      }
      for path in ["/healthz", "/readyz", "/openapi.json"] {
        #expect(try service.ask("GET", path, [("Host", "any.example")]).status == 200)
      }
      let stats = try service.ask("GET", "/admin/stats", bearer(TestService.adminKey))
      #expect(stats.status == 404)
    }
  }

  @Test func aRevokedKeyAndAQuotaCount() async throws {
    try await withService(Self.keys) { service in
      let limit = Self.image.count + 10
      let key = try service.key(
        "{\"name\":\"a\",\"quota\":\(limit),\"response_format\":\"b64_json\"}")
      #expect(try service.host(Self.image, "", bearer(key)).status == 201)
      let more = try service.host(TestImages.png(seed: 7), "", bearer(key))
      #expect(more.status == 507 && more.code == "quota_exceeded")
      #expect(more.type == "insufficient_storage")
      let body = "{\"data\":[{\"b64_json\":\"\(TestImages.base64(Self.image))\"}]}"
      let answer = try service.send("POST", "/v1/images/convert", body, bearer(key))
      #expect(answer.json["data"]?[0]?["b64_json"] != nil, "the key's own default")
      #expect(try service.admin("DELETE", "/admin/keys?name=a").status == 200)
      #expect(try service.ask("GET", "/v1/assets", bearer(key)).status == 401)
      #expect(try !service.admin("GET", "/admin/keys").text.contains(key))
    }
  }

  /// A9: open mode is for this machine's programs, not for its browser's pages.
  @Test func openModeRefusesWebPages() async throws {
    try await withService { service in
      for host in ["localhost", "localhost:1", "127.1.2.3:9", "[::1]:8080", "a.localhost"] {
        #expect(try service.ask("GET", "/v1/assets", [("Host", host)]).status == 200, "\(host)")
      }
      for host in ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0"] {
        let answer = try service.ask("GET", "/v1/assets", [("Host", host)])
        #expect(answer.status == 403 && answer.code == "host_not_allowed", "\(host)")
      }
      for type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let answer = try service.ask(
          "POST", "/v1/assets", [("Content-Type", type)], body: Self.image)
        #expect(answer.status == 415 && answer.code == "unsupported_content_type", "\(type)")
      }
      #expect(try service.ask("POST", "/v1/assets", body: Self.image).status == 415)
      for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = try service.host(Self.image, "", [("Origin", origin)])
        #expect(answer.status == 403 && answer.code == "origin_not_allowed", "\(origin)")
      }
      #expect(try service.host(Self.image, "", [("Origin", "http://127.0.0.1")]).status == 201)
      let read = try service.ask("GET", "/v1/assets", [("Origin", "https://app.example")])
      #expect(read["Access-Control-Allow-Origin"] == nil)
    }
  }

  @Test func namedOriginsMayCall() async throws {
    try await withService("cors_origins: [\"https://app.example\"]") { service in
      let origin = [("Origin", "https://app.example")]
      let preflight = try service.ask(
        "OPTIONS", "/v1/assets", origin + [("Access-Control-Request-Method", "POST")])
      #expect(preflight.status == 204)
      #expect(preflight["Access-Control-Allow-Origin"] == "https://app.example")
      #expect(preflight["Access-Control-Allow-Methods"]?.contains("POST") == true)
      let error = try service.send("POST", "/v1/assets", "{", origin)
      #expect(error.status == 400)
      #expect(error["Access-Control-Allow-Origin"] == "https://app.example")
      let other = try service.ask("GET", "/v1/assets", [("Origin", "https://b.example")])
      #expect(other["Access-Control-Allow-Origin"] == nil)
    }
  }

  @Test func basesComeFromTheRequestAndTheConfiguration() async throws {
    let forwarded = [
      ("Host", "localhost:99"), ("X-Forwarded-Proto", "https"),
      ("X-Forwarded-Host", "api.example"), ("X-Forwarded-Prefix", "/x"),
    ]
    try await withService { service in
      let answer = try service.host(Self.image, "", forwarded)
      #expect(answer["Location"]?.hasPrefix("http://localhost:99/v1/assets/") == true)
      #expect(answer.json["url"]?.string?.hasPrefix("http://localhost:99/v1/temp-images/") == true)
    }
    let trusting = "trusted_proxies: [\"127.0.0.0/8\"], public_url: \"https://img.example/base\""
    try await withService(trusting) { service in
      let answer = try service.host(Self.image, "", forwarded)
      #expect(answer["Location"]?.hasPrefix("https://api.example/x/v1/assets/") == true)
      let url = answer.json["url"]?.string
      #expect(url?.hasPrefix("https://img.example/base/v1/temp-images/") == true)
      let modern = try service.host(
        Self.image, "", [("Forwarded", "for=1.2.3.4;proto=https;host=f.example")])
      #expect(modern["Location"]?.hasPrefix("https://f.example/v1/assets/") == true)
    }
  }

  @Test func everyAnswerHasAnID() async throws {
    try await withService { service in
      let long = String(repeating: "a", count: 128)
      for path in ["/healthz", "/v1/assets", "/nothing", "/images/x"] {
        for id in ["abc-123", long] {
          #expect(try service.ask("GET", path, [("x-request-id", id)])["x-request-id"] == id)
        }
        for id in ["a b", long + "a", ""] {
          let kept = try service.ask("GET", path, [("x-request-id", id)])["x-request-id"]
          #expect(kept?.hasPrefix("req-") == true, "\(path) \(id)")
        }
      }
      let none = try service.ask("GET", "/nothing")
      #expect(none.status == 404 && none.code == "unknown_url")
      expectEnvelope(none, "404")
    }
  }
}
