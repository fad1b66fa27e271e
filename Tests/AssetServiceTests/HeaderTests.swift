import Testing
import Wire

// PROMISES.md H5 and H6: nothing of a request breaks an answer's head, every answer has Date and
// exact length.

@Suite struct HeaderTests {
  /// Whole requests as they are sent, each the last of its connection.
  private func requests(_ targets: DeliveryTargets) -> [String] {
    let fields = "Host: 127.0.0.1\r\nConnection: close\r\n"
    var requests: [String] = []
    let paths = [
      targets.link, targets.permanent, targets.altered, targets.removedLink,
      targets.link.dropLast(3) + "gif", "/images/x", "/images/a/b", "/v1/assets", "/v1/models",
      "/v1/models/none", "/v1/assets/none", "/v1/images/generations", "/healthz", "/readyz",
      "/openapi.json", "/nothing", "/v1/assets?limit=x", "/v1/assets?%zz", "/%zz",
    ]
    for path in paths {
      for method in ["GET", "HEAD", "OPTIONS", "DELETE", "BREW"] {
        requests.append("\(method) \(path) HTTP/1.1\r\n\(fields)\r\n")
      }
    }
    let ranged = ["Range: bytes=0-9", "Range: bytes=99999-", "If-None-Match: *", "If-Match: \"x\""]
    for field in ranged {
      requests.append("GET \(targets.link) HTTP/1.1\r\n\(fields)\(field)\r\n\r\n")
    }
    // What the wire layer refuses, and what a handler refuses of a body.
    requests += [
      "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "NONSENSE\r\n\r\n",
      "GET /a//b HTTP/1.1\r\n\(fields)\r\n", "GET / HTTP/2.0\r\n\(fields)\r\n",
      "CONNECT a:1 HTTP/1.1\r\n\(fields)\r\n", "OPTIONS * HTTP/1.1\r\n\(fields)\r\n",
      "HEAD / HTTP/1.1\r\n\(fields)Content-Length: x\r\n\r\n",
      "POST / HTTP/1.1\r\n\(fields)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n\(fields)\r\n",
      "GET / HTTP/1.1\r\n\(fields)X: \(String(repeating: "a", count: 40_000))\r\n\r\n",
      "GET \(targets.link) HTTP/1.0\r\n\r\n", "GET /v1/models HTTP/1.0\r\n\r\n",
      "POST /v1/assets HTTP/1.1\r\n\(fields)Content-Type: application/json\r\n"
        + "Content-Length: 1\r\n\r\n{",
      "POST /v1/assets HTTP/1.1\r\n\(fields)Content-Type: application/json\r\n"
        + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
    ]
    return requests
  }

  @Test func everyAnswerHasDateAndExactLength() async throws {
    try await withService { service in
      let targets = try DeliveryTargets(service)
      for request in requests(targets) {
        let client = try service.client()
        try client.send(request)
        let method = String(request.prefix { $0 != " " })
        let answer = try client.readAnswer(to: method)
        let name = "\(request.prefix(60)) \(answer.lines)"
        #expect(
          answer["Date"]?.hasSuffix(" GMT") == true && answer.count(of: "Date") == 1, "\(name)")
        #expect(answer.count(of: "x-request-id") == 1, "\(name)")
        #expect(answer.count(of: "Transfer-Encoding") == 0, "\(name)")
        let hasLength = answer.status != 204 && answer.status != 304
        #expect(answer.count(of: "Content-Length") == (hasLength ? 1 : 0), "\(name)")
        #expect(try client.countRest() == 0, "\(name)")
      }
    }
  }

  /// What comes back in heads: ids, origins, hosts, file names. Each value carries all that could
  /// end a line and passes the parser.
  @Test func nothingOfARequestBreaksAHead() async throws {
    let settings = "cors_origins: [\"*\"], trusted_proxies: [\"127.0.0.0/8\"]"
    try await withService(settings) { service in
      let targets = try DeliveryTargets(service)
      let evils = [
        "a%0d%0aX-Evil:%201", "a%0aX-Evil:1", "a%0dX-Evil:1", "a%00b", "a\u{E9}\u{85}\u{2028}b",
        "a\tX-Evil: 1", "\u{10D}\u{10A}X-Evil: 1", "\"; X-Evil=1", "%E5%98%8D%E5%98%8AX-Evil:1",
      ]
      for evil in evils {
        let fields = [
          "x-request-id", "Origin", "Access-Control-Request-Method",
          "Access-Control-Request-Headers", "X-Forwarded-Host", "X-Forwarded-Prefix",
          "X-Forwarded-Proto", "Forwarded", "Range", "If-None-Match", "If-Range",
          "Want-Repr-Digest", "Idempotency-Key",
        ].map { ($0, evil) }
        let visible = evil.unicodeScalars.allSatisfy { (0x21..<0x7F).contains($0.value) }
        let query = visible ? evil.replacing("\"", with: "%22") : "a"
        let link = "\(targets.link)?download=\(query)"
        let asks: [(String, String, [UInt8]?)] = [
          ("GET", link, nil), ("HEAD", link, nil), ("OPTIONS", link, nil),
          ("OPTIONS", "/v1/assets", nil), ("GET", "/v1/models/\(query)", nil),
          ("GET", "/v1/assets/\(query)", nil), ("GET", "/images/\(query)", nil),
          ("POST", "/v1/assets?\(query)=\(query)", DeliveryTargets.image),
        ]
        for (method, path, body) in asks {
          let type = body == nil ? [] : [("Content-Type", "image/png")]
          let answer = try service.ask(method, path, fields + type, body: body)
          expectSound(answer, "\(method) \(path) \(evil.debugDescription)")
        }
      }
    }
  }

  /// Only our names, and nothing in a value but text.
  private func expectSound(_ answer: TestAnswer, _ name: String) {
    #expect(answer.status > 0, "\(name)")
    for line in answer.lines.dropFirst() {
      let field = line.prefix { $0 != ":" }
      #expect(!field.isEmpty && !field.lowercased().contains("evil"), "\(name): \(line)")
      let isClean = line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
      #expect(isClean, "\(name): \(line.debugDescription)")
    }
  }

  /// `?download=` with all that a name can hold (RFC 6266, RFC 8187).
  @Test func downloadNamesAreCleaned() async throws {
    try await withService { service in
      let targets = try DeliveryTargets(service)
      let own = "attachment; filename=\"\(targets.temporaryID).png\""
      let long = String(repeating: "n", count: 4000)
      let rows: [(query: String, value: String)] = [
        ("download", own), ("download=", own), ("a=b&download", own), ("download=cat.png&c=d", cat),
        ("x=%zz&download=cat.png", cat), ("%64ownload=cat.png", cat), ("download=c%61t.png", cat),
        ("download=a+b.png", "attachment; filename=\"a b.png\""),
        ("download=a%22b%5C.png", "attachment; filename=\"a_b_.png\"; filename*=UTF-8''a%22b_.png"),
        ("download=a%0d%0aX-Evil:%201", "attachment; filename=\"a__X-Evil: 1\""),
        ("download=a%00%7F%1Bb", "attachment; filename=\"a___b\""),
        ("download=..%2F..%2Fetc%2Fpasswd", "attachment; filename=\".._.._etc_passwd\""),
        ("download=a/b;c", "attachment; filename=\"a_b;c\""),
        ("download=50%25.png", "attachment; filename=\"50_.png\"; filename*=UTF-8''50%25.png"),
        ("download=50%", "attachment; filename=\"50_\"; filename*=UTF-8''50%25"),
        ("download=%C3%A9.png", "attachment; filename=\"_.png\"; filename*=UTF-8''%C3%A9.png"),
        ("download=%FF", "attachment; filename=\"_\"; filename*=UTF-8''%EF%BF%BD"),
        ("download=%E2%80%AEgnp.exe", "attachment; filename=\"_gnp.exe\""),
        ("download=\(long)", "attachment; filename=\"\(long.prefix(200))\""),
      ]
      for row in rows {
        let answer = try service.ask("GET", "\(targets.link)?\(row.query)")
        #expect(answer.status == 200 && answer.body == DeliveryTargets.image)
        #expect(answer["Content-Disposition"] == row.value, "\(row.query.prefix(60))")
      }
      for query in ["", "Download", "download2=a", "x=download", "=download"] {
        let answer = try service.ask("GET", "\(targets.link)?\(query)")
        let value = "inline; filename=\"\(targets.temporaryID).png\""
        #expect(answer["Content-Disposition"] == value, "\(query)")
      }
    }
  }

  private let cat = "attachment; filename=\"cat.png\""
}
