import Testing
import Wire

// A9: open mode is for this machine's programs, not for its browser's pages; and how bodies are
// labelled, in both modes (API.md §2).

@Suite struct OpenModeTests {
  private static let image = TestImages.png()
  private static let order = Array("{\"prompt\":\"a\",\"size\":\"64x64\"}".utf8)

  /// What is asked, and whether it is done.
  private struct Row {
    let fields: [(String, String)]
    let isTaken: Bool

    init(_ fields: [(String, String)], _ isTaken: Bool) {
      (self.fields, self.isTaken) = (fields, isTaken)
    }
  }

  private static func origin(_ text: String) -> (String, String) { ("Origin", text) }
  private static func site(_ text: String) -> (String, String) { ("Sec-Fetch-Site", text) }
  private static let host = ("Host", "127.0.0.1:8080")

  private static let rows: [Row] = [
    Row([host], true), Row([host, origin("http://127.0.0.1:8080")], true),
    Row([host, origin("HTTP://127.0.0.1:8080")], true),
    Row([host, origin("https://127.0.0.1:8080")], true),
    Row([("Host", "localhost:80"), origin("http://localhost")], true),
    Row([("Host", "[::1]:8080"), origin("http://[::1]:8080")], true),
    Row([host, origin("http://127.0.0.1:8081")], false),
    Row([host, origin("http://localhost:8080")], false),
    Row([host, origin("evil://127.0.0.1:8080")], false),
    Row([host, origin("file://127.0.0.1:8080")], false),
    Row([host, origin("chrome-extension://127.0.0.1:8080")], false),
    Row([host, origin("://127.0.0.1:8080")], false), Row([host, origin("127.0.0.1:8080")], false),
    Row([host, origin("http://127.0.0.1:8080.evil.example")], false),
    Row([host, origin("http://evil.example/?http://127.0.0.1:8080")], false),
    Row([host, origin("http://evil.example#http://127.0.0.1:8080")], false),
    Row([host, origin("http://u@127.0.0.1:8080")], false),
    Row([host, origin("http://127.0.0.1:8080/")], false),
    Row([host, origin("null")], false), Row([host, origin("")], false),
    Row([host, origin("http://127.0.0.1:8080"), origin("http://127.0.0.1:8080")], false),
    Row([host, origin("http://127.0.0.1:8080"), origin("https://evil.example")], false),
    Row([host, site("same-origin")], true), Row([host, site("none")], true),
    Row([host, site("cross-site")], false), Row([host, site("same-site")], false),
    Row([host, site("")], false), Row([host, site("none"), site("cross-site")], false),
    Row([host, site("none"), site("none")], false), Row([host, site("None")], false),
    Row([host, origin("http://127.0.0.1:8080"), site("same-origin")], true),
    Row([host, origin("http://127.0.0.1:8080"), site("cross-site")], false),
    Row([host, origin("https://evil.example"), site("none")], false),
  ]

  /// Each row, on every kind of call that changes something or spends money.
  @Test func pagesOfOthersAreRefused() async throws {
    try await withService { service in
      for (index, row) in Self.rows.enumerated() {
        let image = TestImages.png(seed: UInt8(index))
        let id = try #require(try service.host(image).json["id"]?.string)
        let json = [("Content-Type", "application/json")] + row.fields
        let png = [("Content-Type", "image/png")] + row.fields
        let link = "/v1/assets/\(id)/links"
        let answers = [
          try service.ask("POST", "/v1/images/generations", json, body: Self.order),
          try service.ask("POST", "/v1/assets", png, body: image),
          try service.ask("PATCH", "/v1/assets/\(id)", json, body: Array("{\"ttl\":60}".utf8)),
          try service.ask("POST", link, row.fields),
          try service.ask("DELETE", "/v1/assets/\(id)", row.fields),
        ]
        for (answer, good) in zip(answers, [200, 200, 200, 201, 204]) {
          #expect(answer.status == (row.isTaken ? good : 403), "\(row) \(answer.text)")
          if !row.isTaken { #expect(answer.code == "origin_not_allowed", "\(row)") }
        }
        let left = try service.ask("GET", "/v1/assets/\(id)", row.fields)
        #expect(left.status == (row.isTaken ? 404 : 200), "\(row)")
      }
    }
  }

  /// The pages of `cors_origins` and of `public_url` are called on by name.
  @Test func namedPagesAreTaken() async throws {
    let settings = "cors_origins: [\"https://app.example\"], public_url: \"https://img.example\""
    try await withService(settings) { service in
      let rows = [
        Row([Self.origin("https://app.example"), Self.site("cross-site")], true),
        Row([Self.origin("https://img.example"), Self.site("same-origin")], true),
        Row([("Host", "img.example"), Self.origin("https://img.example")], true),
        Row([("Host", "img.example:443"), Self.origin("https://img.example")], true),
        Row([Self.origin("https://img.example"), Self.site("cross-site")], false),
        Row([Self.origin("evil://img.example")], false),
        Row([Self.origin("https://app.example.evil")], false),
        Row([Self.origin("http://app.example")], false),
        Row([("Host", "app.example")], false),
      ]
      for row in rows {
        let answer = try service.host(Self.image, "", row.fields)
        #expect((answer.status < 300) == row.isTaken, "\(row): \(answer.text)")
        #expect(row.isTaken || answer.status == 403, "\(row)")
      }
    }
  }

  /// RFC 9112 §3.2.2: an absolute target's host is the one that is asked, whatever Host says.
  @Test func theTargetsHostIsJudged() async throws {
    try await withService { service in
      func status(_ target: String, _ host: String) throws -> Int {
        try service.client().ask("GET", target, [("Host", host)]).status
      }
      let own = try status("http://127.0.0.1/v1/assets", "evil.example")
      let foreign = try status("http://evil.example/v1/assets", "127.0.0.1")
      #expect(own == 200 && foreign == 403)
    }
  }

  // MARK: Labels

  private static let jsonCalls = [
    ("POST", "/v1/images/generations"), ("POST", "/v1/images/convert"),
    ("POST", "/v1/assets/x/links"), ("PATCH", "/v1/assets/x"),
  ]

  @Test func labelsFitTheRoute() async throws {
    try await withService { service in
      let labels = [
        "multipart/form-data; boundary=x", "application/octet-stream", "image/svg+xml",
        "image/png", "text/plain", "application/x-www-form-urlencoded",
        "text/plain;application/json",
        "application/json, text/plain", "application/jsonx", "json", "",
      ]
      for (method, path) in Self.jsonCalls {
        for label in labels {
          let answer = try service.ask(
            method, path, [("Content-Type", label)], body: Self.order)
          #expect(answer.status == 415, "\(method) \(path) \(label): \(answer.text)")
          #expect(answer.code == "unsupported_content_type")
          #expect(answer.text.contains("application/json"))
          // What is refused is not advised.
          #expect(!answer.text.contains("multipart") && !answer.text.contains("image/"))
        }
        let unlabelled = try service.ask(method, path, body: Self.order)
        #expect(unlabelled.status == 415 && !unlabelled.text.contains("multipart"), "\(path)")
        let twice = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
        #expect(try service.ask(method, path, twice, body: Self.order).status == 415, "\(path)")
        for label in ["application/json", "Application/JSON; charset=utf-8"] {
          let answer = try service.ask(
            method, path, [("Content-Type", label)], body: Self.order)
          #expect(answer.status != 415, "\(method) \(path) \(label)")
        }
      }
      for label in ["multipart/form-data; boundary=x", "text/plain", "video/mp4"] {
        let answer = try service.ask(
          "POST", "/v1/assets", [("Content-Type", label)], body: Self.image)
        #expect(answer.status == 415 && answer.code == "unsupported_content_type", "\(label)")
        #expect(!answer.text.contains("multipart"))
      }
      for label in ["image/png", "image/x-odd", "application/octet-stream"] {
        let answer = try service.ask(
          "POST", "/v1/assets", [("Content-Type", label)], body: Self.image)
        #expect(answer.status < 300, "\(label)")
      }
    }
  }

  /// Keys keep web pages out: a label that curl sets by itself is no reason to refuse.
  @Test func withKeysOnlyContradictionsAreRefused() async throws {
    try await withService("auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }") { service in
      let key = [("Authorization", "Bearer \(TestService.adminKey)")]
      for label in ["multipart/form-data; boundary=x", "application/octet-stream", "image/svg+xml"]
      {
        for (method, path) in Self.jsonCalls {
          let answer = try service.ask(
            method, path, key + [("Content-Type", label)], body: Self.order)
          #expect(answer.status == 415, "\(method) \(path) \(label)")
          #expect(answer.code == "unsupported_content_type")
        }
      }
      let path = "/v1/images/generations"
      for fields in [[], [("Content-Type", "application/x-www-form-urlencoded")]] {
        #expect(try service.ask("POST", path, key + fields, body: Self.order).status == 200)
      }
    }
  }

  /// RFC 9110 §15.5.16.
  @Test func codedBodiesAreRefusedByName() async throws {
    try await withService { service in
      let json = [("Content-Type", "application/json")]
      for path in ["/v1/images/generations", "/v1/images/convert", "/v1/assets"] {
        for (value, coding) in [
          ("gzip", "gzip"), ("identity, br", "br"), ("X-Odd", "X-Odd"), ("GZIP", "GZIP"),
        ] {
          let answer = try service.ask(
            "POST", path, json + [("Content-Encoding", value)], body: [0x1F, 0x8B, 8])
          #expect(answer.status == 415, "\(path) \(value): \(answer.text)")
          #expect(answer.code == "unsupported_content_encoding")
          #expect(answer.text.contains("Content-Encoding: \(coding) "))
          #expect(answer["Accept-Encoding"] == "identity")
        }
      }
      for value in ["identity", "", "Identity"] {
        let answer = try service.ask(
          "POST", "/v1/images/generations", json + [("Content-Encoding", value)], body: Self.order)
        #expect(answer.status == 200, "\(value): \(answer.text)")
      }
      let twice = [("Content-Encoding", "identity"), ("Content-Encoding", "deflate")]
      let answer = try service.ask("POST", "/v1/assets", json + twice, body: [1])
      #expect(answer.status == 415 && answer.text.contains("deflate"))
    }
  }
}
