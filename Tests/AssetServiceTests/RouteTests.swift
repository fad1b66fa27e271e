import Testing
import Wire

// Which methods a path refuses, and how (RFC 9110 §15.5.6), and requests of an older kind.

@Suite struct RouteTests {
  private static let paths: [(path: String, allow: String)] = [
    ("/v1/images/generations", "POST, OPTIONS"), ("/v1/images/convert", "POST, OPTIONS"),
    ("/v1/models", "GET, HEAD, OPTIONS"), ("/v1/models/sample", "GET, HEAD, OPTIONS"),
    ("/v1/assets", "GET, HEAD, POST, OPTIONS"),
    ("/v1/assets/x", "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ("/v1/assets/x/links", "POST, OPTIONS"), ("/healthz", "GET, HEAD, OPTIONS"),
    ("/readyz", "GET, HEAD, OPTIONS"),
    ("/openapi.json", "GET, HEAD, OPTIONS"), ("/images/x.png", "GET, HEAD, OPTIONS"),
    ("/v1/temp-images/x.png", "GET, HEAD, OPTIONS"),
  ]

  @Test(arguments: ["TRACE", "CONNECT", "PUT", "BREW"])
  func aMethodThatNoPathKnowsIsRefusedByAll(_ method: String) async throws {
    try await withService { service in
      for (path, allow) in Self.paths {
        let answer = try service.ask(method, path)
        #expect(answer.status == 405, "\(path)")
        #expect(answer.code == "method_not_allowed")
        #expect(answer["Allow"] == allow, "\(path)")
        expectEnvelope(answer, path)
      }
      // TRACE must not give back what it was sent (§9.3.8).
      let echo = try service.ask(method, "/v1/assets", [("X-Secret", "s3cr3t")])
      #expect(!echo.text.contains("s3cr3t"))
      let unknown = try service.ask(method, "/nothing")
      #expect(unknown.status == 404 && unknown.code == "unknown_url")
    }
  }

  /// RFC 9110 §9.3.7: what a path, or the server, takes; the operator's calls are not there.
  @Test func optionsSayWhatIsTaken() async throws {
    try await withService { service in
      for (path, allow) in Self.paths {
        let answer = try service.ask("OPTIONS", path)
        #expect(answer.status == 204 && answer["Allow"] == allow, "\(path)")
      }
      let all = try service.ask("OPTIONS", "*")
      #expect(all.status == 204)
      #expect(all["Allow"] == "GET, HEAD, POST, PATCH, DELETE, OPTIONS")
      for path in ["/nothing", "/admin/stats", "/"] {
        #expect(try service.ask("OPTIONS", path).status == 404, "\(path)")
      }
    }
  }

  /// A client whose base URL lacks the `/v1`, or has it twice, hears of it.
  @Test func aMisplacedCallIsToldItsPath() async throws {
    try await withService { service in
      let calls = [
        ("POST", "/images/generations", "/v1/images/generations"),
        ("GET", "/images/generations", "/v1/images/generations"),
        ("POST", "/images/convert", "/v1/images/convert"), ("GET", "/models", "/v1/models"),
        ("GET", "/models/a%2Fb", "/v1/models/a/b"), ("POST", "/assets", "/v1/assets"),
        ("DELETE", "/assets/img-0", "/v1/assets/img-0"),
        ("POST", "/v1/v1/images/generations", "/v1/images/generations"),
        ("GET", "/v1/v1/models", "/v1/models"),
      ]
      for (method, path, meant) in calls {
        let answer = try service.ask(method, path)
        #expect(answer.status == 404 && answer.code == "unknown_url", "\(method) \(path)")
        #expect(answer.text.contains(" it is \(meant)."), "\(answer.text)")
        #expect(answer.text.contains("/v1, once"))
        expectEnvelope(answer, path)
      }
      for path in ["/nothing", "/", "/v1/nothing", "/admin/stats", "/v1/admin/stats", "/v2/models"]
      {
        let answer = try service.ask("POST", path)
        #expect(answer.status == 404 && !answer.text.contains("it is"), "\(path)")
      }
    }
  }

  @Test func thereAreNoTunnels() async throws {
    try await withService { service in
      let client = try service.client()
      try client.send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
      let answer = try client.readAnswer()
      #expect(answer.status == 501 && answer["Connection"] == "close")
    }
  }

  /// RFC 9112 §3.2: HTTP/1.0 need not name the host; its URLs work all the same.
  @Test func withoutAHostTheListenersRealPortIsUsed() async throws {
    try await withService { service in
      let image = TestImages.png()
      let client = try service.client()
      let head =
        "POST /v1/assets HTTP/1.0\r\nContent-Type: image/png\r\n"
        + "Content-Length: \(image.count)\r\n\r\n"
      try client.send(Array(head.utf8) + image)
      let answer = try client.readAnswer()
      #expect(answer.status == 201)
      let url = try #require(answer.json["url"]?.string)
      #expect(url.hasPrefix(service.base + "/v1/temp-images/"), "\(url)")
      #expect(answer["Location"]?.hasPrefix(service.base + "/v1/assets/img-") == true)
      #expect(try service.ask("GET", url).body == image)
    }
  }
}
