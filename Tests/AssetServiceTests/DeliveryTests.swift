import Crypto
import Testing
import Wire

// GET and HEAD of images (API.md §5; RFC 9110 §13–14; the tables of every combination are Wire's).

@Suite struct DeliveryTests {
  private static let image = TestImages.png(padding: 5000)

  /// A path without `http://127.0.0.1`.
  private func path(_ asset: JSONValue) throws -> String {
    try #require(asset["url"]?.string).replacing("http://127.0.0.1", with: "")
  }

  @Test func anImageComesWithItsFields() async throws {
    try await withService { service in
      let asset = try service.host(Self.image).json
      let link = try path(asset)
      let answer = try service.ask("GET", link)
      #expect(answer.status == 200 && answer.body == Self.image)
      let id = asset["id"]?.string ?? ""
      let expected = [
        ("Content-Type", "image/png"), ("Content-Length", String(Self.image.count)),
        ("ETag", "\"\(asset["sha256"]?.string ?? "")\""), ("Accept-Ranges", "bytes"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; sandbox"),
        ("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "*"),
        ("Cross-Origin-Resource-Policy", "cross-origin"), ("Timing-Allow-Origin", "*"),
        ("Content-Disposition", "inline; filename=\"\(id).png\""),
      ]
      for (name, value) in expected { #expect(answer[name] == value, "\(name)") }
      #expect(answer["Last-Modified"] != nil && answer["Date"] != nil)
      #expect(answer["Cache-Control"]?.hasSuffix(", immutable") == true)
      #expect(answer["Repr-Digest"] == nil && answer["Cache-Tag"] == nil)
      let head = try service.ask("HEAD", link)
      #expect(head.status == 200)
      #expect(head.fieldNames == answer.fieldNames)
      let permanent = try service.host(Self.image, "?retention=permanent").json
      let forever = try service.ask("GET", try path(permanent))
      #expect(forever["Cache-Control"] == "public, max-age=31536000, immutable")
    }
  }

  @Test func conditionsAndRanges() async throws {
    try await withService { service in
      let asset = try service.host(Self.image).json
      let link = try path(asset)
      let tag = "\"\(asset["sha256"]?.string ?? "")\""
      let old = "Sun, 06 Nov 1994 08:49:37 GMT"
      let stored = try #require(try service.ask("GET", link)["Last-Modified"])
      let rows: [(fields: [(String, String)], status: Int)] = [
        ([("If-None-Match", tag)], 304), ([("If-None-Match", "W/\(tag)")], 304),
        ([("If-None-Match", "\"x\", \(tag)")], 304), ([("If-None-Match", "*")], 304),
        ([("If-None-Match", "\"x\"")], 200), ([("If-Modified-Since", stored)], 304),
        ([("If-Modified-Since", old)], 200), ([("If-Modified-Since", "x")], 200),
        ([("If-Match", tag)], 200), ([("If-Match", "\"x\"")], 412),
        ([("If-Match", "W/\(tag)")], 412), ([("If-Unmodified-Since", old)], 412),
        ([("Range", "bytes=0-3"), ("If-Range", tag)], 206),
        ([("Range", "bytes=0-3"), ("If-Range", "\"x\"")], 200),
        ([("Range", "bytes=0-3"), ("If-Range", old)], 200),
        ([("Range", "bytes=0-3"), ("If-None-Match", tag)], 304),
        ([("Range", "bytes=99999-")], 416), ([("Range", "bytes=-0")], 416),
        ([("Range", "bytes=0-1,3-4")], 200), ([("Range", "bytes=5-4")], 200),
        ([("Range", "pixels=0-1")], 200),
      ]
      for row in rows {
        let answer = try service.ask("GET", link, row.fields)
        #expect(answer.status == row.status, "\(row.fields)")
        switch row.status {
        case 200: #expect(answer.body == Self.image)
        case 304: #expect(answer["ETag"] == tag && answer["Content-Type"] == nil)
        case 416: #expect(answer["Content-Range"] == "bytes */\(Self.image.count)")
        default: break
        }
        if row.status > 400 { expectEnvelope(answer, "\(row.fields)") }
      }
      let count = Self.image.count
      for (range, bytes) in [
        ("0-0", 0..<1), ("5-9", 5..<10), ("100-", 100..<count), ("-5", count - 5..<count),
        ("100-999999", 100..<count), ("-999999", 0..<count),
      ] {
        let answer = try service.ask("GET", link, [("Range", "bytes=\(range)")])
        #expect(answer.status == 206 && answer.body == Array(Self.image[bytes]), "\(range)")
        #expect(
          answer["Content-Range"] == "bytes \(bytes.lowerBound)-\(bytes.upperBound - 1)/\(count)")
      }
    }
  }

  /// A3: any one character.
  @Test func anAlteredTokenOpensNothing() async throws {
    try await withService { service in
      let link = try path(try service.host(Self.image).json)
      let prefix = "/v1/temp-images/"
      let token = Array(link.dropFirst(prefix.count).dropLast(4))
      #expect(token.count == 52)
      let client = try service.client()
      func expectInvalid(_ token: [Character], _ what: String) throws {
        let answer = try client.ask("GET", prefix + String(token) + ".png")
        #expect(answer.status == 403 && answer.code == "link_invalid", "\(what): \(answer.text)")
        #expect(answer["Cache-Control"] == "no-store")
      }
      for index in token.indices {
        var altered = token
        altered[index] = token[index] == "A" ? "B" : "A"
        try expectInvalid(altered, "character \(index)")
      }
      try expectInvalid(Array(token.dropLast()), "short")
      try expectInvalid(token + ["A"], "long")
      try expectInvalid([], "empty")
      try expectInvalid(token.dropLast() + ["="], "padding")
      try expectInvalid(token.dropLast() + ["+"], "the other alphabet")
    }
  }

  @Test func namesThatAreNone() async throws {
    try await withService { service in
      let asset = try service.host(Self.image).json
      let link = try path(asset)
      let id = asset["id"]?.string ?? ""
      let zero = "img-" + String(repeating: "0", count: 32)
      for name in [
        String(link.dropLast(4)), link.dropLast(3) + "gif", link.dropLast(3) + "PNG",
        String(link.dropLast(3)), link.replacing("/AQ", with: "/%41Q"), "/images/", "/images/x",
        "/images/\(zero).png", "/images/\(zero.uppercased()).png", "/images/\(id).png",
      ] {
        let answer = try service.ask("GET", name)
        #expect(answer.status == 404 && answer.code == "not_found", "\(name): \(answer.text)")
        #expect(answer["Cache-Control"] == "max-age=60", "\(name)")
      }
    }
  }

  @Test func anExpiredLinkSaysSo() async throws {
    try await withService { service in
      let asset = try service.host(Self.image, "?ttl=1").json
      let link = try path(asset)
      #expect(try service.ask("GET", link)["Cache-Control"] == "no-store")
      var answer = try service.ask("GET", link)
      try await until("the link expires") {
        answer = try service.ask("GET", link)
        return answer.status != 200
      }
      #expect(answer.status == 410 && answer.code == "link_expired")
      #expect(answer["Cache-Control"] == "max-age=60")
      // Checked before the extension.
      #expect(try service.ask("GET", link.dropLast(3) + "gif").status == 410)
      // It stays visible until it is collected.
      #expect(try service.ask("GET", "/v1/assets/\(asset["id"]?.string ?? "")").status == 200)
      let body = "{\"data\":[{\"url\":\"http://127.0.0.1\(link)\"}]}"
      let convert = try service.send("POST", "/v1/images/convert?response_format=b64_json", body)
      #expect(convert.status == 410 && convert.code == "link_expired")
    }
  }

  @Test func downloadsAndDigestsAndPreflights() async throws {
    try await withService("cdn_tag_header: \"Cache-Tag\", cache_max_age: \"1m\"") { service in
      let asset = try service.host(Self.image).json
      let link = try path(asset)
      let id = asset["id"]?.string ?? ""
      for (query, value) in [
        ("?download", "attachment; filename=\"\(id).png\""),
        ("?download=cat.png", "attachment; filename=\"cat.png\""),
        ("?x=1", "inline; filename=\"\(id).png\""),
      ] {
        let answer = try service.ask("GET", link + query)
        #expect(answer["Content-Disposition"] == value, "\(query)")
      }
      let digest = TestImages.base64(TestImages.digest(Self.image).bytes)
      let answer = try service.ask("GET", link, [("Want-Repr-Digest", "sha-512=3, sha-256=10")])
      #expect(answer["Repr-Digest"] == "sha-256=:\(digest):")
      #expect(answer["Cache-Tag"] == id)
      #expect(answer["Cache-Control"] == "public, max-age=60, immutable")
      let preflight = try service.ask("OPTIONS", link)
      #expect(preflight.status == 204 && preflight["Access-Control-Allow-Origin"] == "*")
      // A key of someone else, another host: an image is for whoever has its URL.
      let foreign = try service.ask(
        "GET", link, [("Host", "evil.example"), ("Authorization", "Bearer x")])
      #expect(foreign.status == 200)
    }
  }

  /// A restart keeps every link: the key ring is the store's.
  @Test func linksOutliveARestart() async throws {
    let root = TestService.newRoot()
    let links = try await withService(root: root) { service in
      [
        try path(try service.host(Self.image).json),
        try path(try service.host(Self.image, "?retention=permanent").json),
      ]
    }
    try await withService(root: root) { service in
      for link in links {
        let answer = try service.ask("GET", link)
        #expect(answer.body == Self.image)
      }
    }
    try removeFolder(root)
  }
}
