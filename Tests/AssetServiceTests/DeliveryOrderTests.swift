import Testing
import Wire

// Every status of delivery, in the order of API.md §5, on both kinds of URL, for GET and HEAD.

@Suite struct DeliveryOrderTests {
  /// A request and what it must answer. A HEAD has no ranges, so it may have another status.
  private struct Row {
    let name, path: String
    let fields: [(String, String)]
    let status: Int
    let headStatus: Int
    let code: String?

    init(
      _ name: String, _ path: String, _ fields: [(String, String)], _ status: Int,
      head: Int? = nil, code: String? = nil
    ) {
      (self.name, self.path, self.fields) = (name, path, fields)
      (self.status, headStatus, self.code) = (status, head ?? status, code)
    }
  }

  /// The rows that both kinds of URL share.
  private func rows(_ path: String, _ targets: DeliveryTargets) -> [Row] {
    let (tag, stored) = (targets.tag, targets.stored)
    let old = "Sun, 06 Nov 1994 08:49:37 GMT"
    let other = String(path.dropLast(3)) + "webp"
    let past = ("Range", "bytes=99999-")
    return [
      Row("whole", path, [], 200), Row("query", path + "?a=%zz&b", [], 200),
      Row("download", path + "?download", [], 200),
      Row("digest", path, [("Want-Repr-Digest", "sha-256=1")], 200),
      Row("§14.2", path, [("Range", "bytes=1-9")], 206, head: 200),
      Row("§14.1.2 suffix", path, [("Range", "bytes=-9")], 206, head: 200),
      Row("§14.2 several", path, [("Range", "bytes=0-1,3-4")], 200),
      Row("§15.5.17", path, [past], 416, head: 200, code: "range_not_satisfiable"),
      Row("§13.1.2", path, [("If-None-Match", tag)], 304),
      Row("§13.1.2 any", path, [("If-None-Match", "*")], 304),
      Row("§13.1.3", path, [("If-Modified-Since", stored)], 304),
      Row("§13.1.1", path, [("If-Match", "\"x\"")], 412, code: "precondition_failed"),
      Row("§13.1.4", path, [("If-Unmodified-Since", old)], 412, code: "precondition_failed"),
      Row("§13.1.5", path, [("Range", "bytes=1-9"), ("If-Range", tag)], 206, head: 200),
      Row("§13.1.5 date", path, [("Range", "bytes=1-9"), ("If-Range", stored)], 206, head: 200),
      Row("§13.1.5 other", path, [("Range", "bytes=1-9"), ("If-Range", "\"x\"")], 200),
      Row("§13.2.2 1 before 3", path, [("If-Match", "\"x\""), ("If-None-Match", tag)], 412),
      Row("§13.2.2 1 before 2", path, [("If-Match", tag), ("If-Unmodified-Since", old)], 200),
      Row("§13.2.2 2 before 3", path, [("If-Unmodified-Since", old), ("If-None-Match", "*")], 412),
      Row(
        "§13.2.2 3 before 4", path, [("If-None-Match", "\"x\""), ("If-Modified-Since", stored)],
        200),
      Row("§13.2.1 3 before 5", path, [("If-None-Match", tag), past], 304),
      Row("§13.2.1 1 before 5", path, [("If-Match", "\"x\""), past], 412),
      Row("extension", other, [], 404, code: "not_found"),
      Row("extension before conditions", other, [("If-None-Match", "*")], 404),
      Row("extension before range", other, [past], 404),
    ]
  }

  private func refusals(_ targets: DeliveryTargets) -> [Row] {
    let any = ("If-None-Match", "*")
    return [
      Row("altered", targets.altered, [], 403, code: "link_invalid"),
      Row("token before extension", String(targets.altered.dropLast(3)) + "gif", [any], 403),
      Row("removed", targets.removedLink, [], 410, code: "asset_gone"),
      Row("removal before extension", String(targets.removedLink.dropLast(3)) + "gif", [any], 410),
      Row("removed, permanent", targets.removedPermanent, [], 410, code: "asset_gone"),
      Row("removed, conditions", targets.removedPermanent, [any, ("If-Match", "\"x\"")], 410),
      Row("temporary by its id", "/images/\(targets.temporaryID).png", [], 404, code: "not_found"),
      Row("temporary, conditions", "/images/\(targets.temporaryID).png", [any], 404),
      Row("no name", "/images/", [], 404), Row("encoded", "/images/%69mg.png", [any], 404),
    ]
  }

  @Test func everyStatusIsTheSameForHead() async throws {
    try await withService { service in
      let targets = try DeliveryTargets(service)
      let all =
        rows(targets.link, targets) + rows(targets.permanent, targets) + refusals(targets)
      let client = try service.client()
      for row in all {
        let (get, head) = try await pair(row.path, row.fields, client)
        let name = "\(row.name): \(row.path) \(row.fields)"
        #expect(get.status == row.status && head.status == row.headStatus, "\(name)")
        if let code = row.code { #expect(get.code == code, "\(name)") }
        expectCaching(get, name)
        guard row.status == row.headStatus else {
          // RFC 9110 §14.2: to HEAD, there is no Range: the answer is that of the whole.
          let ranges = ["Range", "If-Range"]
          let (whole, head) = try await pair(
            row.path, row.fields.filter { !ranges.contains($0.0) }, client,
            headFields: row.fields)
          #expect(head.comparable == whole.comparable, "\(name)")
          continue
        }
        #expect(head.comparable == get.comparable, "\(name)")
      }
    }
  }

  /// API.md §5, what caches are told of each status.
  private func expectCaching(_ answer: TestAnswer, _ name: String) {
    let value = answer["Cache-Control"] ?? ""
    switch answer.status {
    case 200, 206, 304: #expect(value.hasPrefix("public, max-age="), "\(name)")
    case 404, 410: #expect(value == "max-age=60", "\(name)")
    default: #expect(value == "no-store", "\(name)")
    }
    if answer.status == 304 {
      // RFC 9110 §15.4.5: what a cache needs, and nothing that describes a body.
      #expect(answer["ETag"] != nil && answer["Date"] != nil, "\(name)")
      #expect(answer["Content-Length"] == nil && answer["Content-Type"] == nil, "\(name)")
    }
    if answer.status >= 400 { expectEnvelope(answer, name) }
  }

  /// The answers to GET and to HEAD of the same second, one behind the other on one connection: a
  /// body of HEAD would be read as the next answer.
  private func pair(
    _ path: String, _ fields: [(String, String)], _ client: TestClient,
    headFields: [(String, String)]? = nil
  ) async throws -> (TestAnswer, TestAnswer) {
    while true {
      let head = try client.ask("HEAD", path, headFields ?? fields)
      let get = try client.ask("GET", path, fields)
      if get["Date"] == head["Date"] { return (get, head) }
    }
  }

  /// A body may come with what is refused: the answer is read, then the connection ends.
  @Test func otherMethodsAreRefused() async throws {
    try await withService { service in
      let targets = try DeliveryTargets(service)
      for path in [targets.link, targets.permanent, targets.altered, "/images/x"] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "BREW", "get"] {
          for body in [nil, Array("{}".utf8)] {
            let client = try service.client()
            let answer = try client.ask(method, path, body: body)
            #expect(answer.status == 405 && answer.code == "method_not_allowed", "\(method)")
            #expect(answer["Allow"] == "GET, HEAD, OPTIONS", "\(method) \(path)")
            expectCaching(answer, method)
            guard body == nil else { continue }
            #expect(try client.ask("GET", targets.link).status == 200)
          }
        }
      }
      #expect(try service.ask("GET", targets.link).body == DeliveryTargets.image)
    }
  }

  /// A link to a permanent asset is a link: it ends, and says so to caches.
  @Test func aLinkTellsNginxItsEnd() async throws {
    try await withService { service in
      let image = TestImages.png(seed: 3)
      let asset = try service.host(image, "?retention=permanent").json
      let id = try #require(asset["id"]?.string)
      let link = try service.send("POST", "/v1/assets/\(id)/links", "{\"ttl\":\"1h\"}").json
      let end = try #require(link["expires_at"]?.int)
      for fields in [[], [("If-None-Match", "*")], [("Range", "bytes=0-1")]] {
        let answer = try service.ask("GET", try service.path(link), fields)
        #expect([200, 206, 304].contains(answer.status))
        #expect(answer["X-Accel-Expires"] == "@\(end - 1)", "\(answer.lines)")
        #expect(answer["Cache-Control"]?.contains("max-age=35") == true)
      }
      let forever = try service.ask("GET", try service.path(asset))
      #expect(forever.status == 200 && forever["X-Accel-Expires"] == nil)
    }
  }
}

extension TestAnswer {
  /// Status line and field lines without what differs by nature.
  fileprivate var comparable: [String] {
    lines.filter { !$0.hasPrefix("x-request-id: ") }
  }
}
