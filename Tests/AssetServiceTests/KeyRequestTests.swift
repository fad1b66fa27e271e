import Testing
import Wire

// Keys as the operator makes and ends them (API.md §2).

@Suite struct KeyRequestTests {
  private static let keys = "auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }"

  private func make(_ service: TestService, _ json: String) throws -> TestAnswer {
    try service.admin("POST", "/admin/keys", json)
  }

  @Test func namesAreSpelledForPathsAndPeople() async throws {
    try await withService(Self.keys) { service in
      let long = String(repeating: "a", count: 64)
      for name in ["a", "gw-1", "A.b_c-9", "..", "-", long, "Local", "bootstrap2"] {
        let made = try make(service, "{\"name\":\"\(name)\"}")
        #expect(made.status == 201, "\(name): \(made.text)")
      }
      let refused = [
        "\"../x\"", "\"a b\"", "\"a/b\"", "\"\"", "\"\(long)a\"", "\"caf\u{E9}\"", "\"a\\n\"",
        "\"a\\u0000\"", "\"a:b\"", "\"local\"", "\"bootstrap\"", "\"recovered\"", "null", "7", "[]",
      ]
      for name in refused {
        let answer = try make(service, "{\"name\":\(name)}")
        #expect(answer.status == 400 && answer.param == "name", "\(name): \(answer.text)")
      }
      let none = try make(service, "{\"scopes\":[\"read\"]}")
      #expect(none.status == 400 && none.param == "name")
    }
  }

  /// What is misspelled is not passed over: the key would be another one than was meant.
  @Test func whatIsNotKnownIsRefused() async throws {
    try await withService(Self.keys) { service in
      for name in ["scope", "quotas", "ttl", "Name"] {
        let answer = try make(service, "{\"name\":\"a\",\"\(name)\":null}")
        #expect(answer.status == 400 && answer.param == name, "\(name): \(answer.text)")
      }
      #expect(try service.admin("GET", "/admin/keys").text.isEmpty)
    }
  }

  @Test func metricsHaveAScope() async throws {
    try await withService(Self.keys) { service in
      for (scope, status) in [
        ("metrics", 200), ("admin", 200), ("read", 403), ("generate", 403), ("host", 403),
      ] {
        let key = try service.key("{\"name\":\"\(scope)\",\"scopes\":[\"\(scope)\"]}")
        let fields = [("Authorization", "Bearer \(key)")]
        #expect(try service.ask("GET", "/metrics", fields).status == status, "\(scope)")
        if scope == "metrics" {
          for path in ["/v1/assets", "/v1/assets/img-0", "/v1/models"] {
            #expect(try service.ask("GET", path, fields).status == 403, "\(path)")
          }
        }
      }
      #expect(try service.ask("GET", "/metrics").status == 401)
    }
  }

  @Test func aKeyEndsOnce() async throws {
    try await withService(Self.keys) { service in
      let key = try service.key("{\"name\":\"a\"}")
      let first = try service.admin("DELETE", "/admin/keys?name=a")
      #expect(first.status == 200 && first.json["revoked"]?.bool == true)
      let second = try service.admin("DELETE", "/admin/keys?name=a")
      #expect(second.status == 409 && second.code == "already_revoked")
      #expect(second.text.contains("already revoked"))
      #expect(try service.admin("DELETE", "/admin/keys?name=b").status == 404)
      #expect(
        try service.ask("GET", "/v1/assets", [("Authorization", "Bearer \(key)")]).status == 401)
    }
  }

  /// Rotation: both keys are the owner's, and it is seen when nobody uses the old one any more.
  @Test func anOwnerMayHaveTwoKeys() async throws {
    try await withService(Self.keys) { service in
      func fields(_ key: String) -> [(String, String)] { [("Authorization", "Bearer \(key)")] }
      let settings = "\"name\":\"a\",\"scopes\":[\"host\",\"read\"],\"quota\":100000"
      let old = try service.key("{\(settings),\"response_format\":\"b64_json\"}")
      let image = TestImages.png(seed: 1)
      let id = try #require(try service.host(image, "", fields(old)).json["id"]?.string)
      let made = try make(service, "{\"name\":\"a\"}").json
      #expect(made["other_ids"]?.array?.compactMap(\.int) == [1] && made["id"]?.int == 2)
      #expect(made["scopes"] == ["host", "read"] && made["quota"]?.int == 100_000)
      #expect(made["response_format"]?.string == "b64_json")
      let new = try #require(made["key"]?.string)
      #expect(try uses(service) == [true, false])
      for key in [old, new] {
        #expect(try service.ask("GET", "/v1/assets/\(id)", fields(key)).status == 200)
      }
      #expect(try uses(service) == [true, true])
      let narrow = try make(service, "{\"name\":\"a\",\"scopes\":[\"read\"]}").json
      #expect(narrow["scopes"] == ["read"] && narrow["other_ids"]?.array?.count == 2)

      #expect(try service.admin("DELETE", "/admin/keys?name=a&id=1").status == 200)
      #expect(try service.ask("GET", "/v1/assets", fields(old)).status == 401)
      #expect(try service.ask("GET", "/v1/assets/\(id)", fields(new)).status == 200)
      #expect(try service.admin("DELETE", "/admin/keys?name=a&id=1").status == 409)
      #expect(try service.admin("DELETE", "/admin/keys?name=b&id=2").status == 404)
      #expect(try service.admin("DELETE", "/admin/keys?name=a&id=x").status == 400)
      #expect(try service.admin("DELETE", "/admin/keys?name=a").status == 200)
      #expect(try service.ask("GET", "/v1/assets", fields(new)).status == 401)
    }
  }

  /// Of each key, whether it was used, in the order of their ids.
  private func uses(_ service: TestService) throws -> [Bool] {
    try service.admin("GET", "/admin/keys").text.split(separator: "\n").map {
      try JSONValue.parse(Array($0.utf8).span)["last_used_at"]?.int != nil
    }
  }

  /// One owner, what it has counts: the quota outlives the key.
  @Test func aKeyThatIsMadeAgainKeepsItsOwnersQuota() async throws {
    try await withService(Self.keys) { service in
      let image = TestImages.png(seed: 1)
      func host(_ key: String, _ seed: UInt8) throws -> TestAnswer {
        try service.host(TestImages.png(seed: seed), "", [("Authorization", "Bearer \(key)")])
      }
      let first = try service.key(
        "{\"name\":\"a\",\"quota\":\(image.count + 10),\"scopes\":[\"admin\",\"host\"]}")
      let id = try #require(try host(first, 1).json["id"]?.string)
      #expect(try service.admin("DELETE", "/admin/keys?name=a").status == 200)
      let made = try make(service, "{\"name\":\"a\"}").json
      #expect(made["quota"]?.int == image.count + 10)
      #expect(made["scopes"] == ["generate", "host", "read"], "a revoked key's scopes are gone")
      #expect(made["other_ids"]?.array?.isEmpty == true)
      let second = try #require(made["key"]?.string)
      let fields = [("Authorization", "Bearer \(second)")]
      #expect(try service.ask("GET", "/v1/assets/\(id)", fields).status == 200)
      let more = try host(second, 2)
      #expect(more.status == 507 && more.code == "quota_exceeded")
      #expect(try service.admin("DELETE", "/admin/keys?name=a").status == 200)
      let lifted = try service.key("{\"name\":\"a\",\"quota\":\"none\"}")
      #expect(try host(lifted, 2).status == 201)
      for quota in ["0", "-1", "\"some\"", "true"] {
        let answer = try make(service, "{\"name\":\"b\",\"quota\":\(quota)}")
        #expect(answer.status == 400 && answer.param == "quota", "\(quota)")
      }
    }
  }
}
