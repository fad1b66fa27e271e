import Testing
import Wire

// POST /v1/images/convert (API.md §4).

@Suite struct ConvertTests {
  static let first = TestImages.png(16, 9, seed: 1)
  static let second = TestImages.png(7, 5, seed: 2)
  static let firstText = TestImages.base64(first)
  static let secondText = TestImages.base64(second)
  static let svg = TestImages.base64(Array("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".utf8))

  private func convert(
    _ service: TestService, _ query: String, _ body: String
  ) throws -> TestAnswer {
    try service.send("POST", "/v1/images/convert\(query)", body)
  }

  /// Every byte beside the images stays, in its place and spelling.
  @Test func anAnswerIsHostedAndKeptVerbatim() async throws {
    func answer(_ a: String, _ b: String) -> String {
      """
      { "created" : 1712000000, "big": 12345678901234567890123, "f": 1.50e+10,
        "text":"\\u00e9\\ud83d\\ude00 \\/ \\"b64_json\\":", "meta":{"data":[{"b64_json":"no"}]},
        "data":[{\(a),"revised_prompt":"a"}, {"x_k": {"b64_json":[1, 2 ,3]} ,\(b)} ],
        "usage":{"total_tokens": 100 , "x":null}
      """
    }
    let body = answer("\"b64_json\":\"\(Self.firstText)\"", "\"b64_json\":\"\(Self.secondText)\"")
    try await withService { service in
      let hosted = try convert(service, "?response_format=url", body + "}")
      #expect(hosted.status == 200)
      let images = try #require(hosted.json["x_asset"]?["images"]?.array)
      let urls = images.compactMap { $0["url"]?.string }
      try #require(urls.count == 2)
      #expect(hosted.json["x_asset"]?["failed"] == nil)
      let expected = answer("\"url\":\"\(urls[0])\"", "\"url\":\"\(urls[1])\"")
      let kept = expected.prefix { _ in true }.reversed().drop { $0 == "\n" }.reversed()
      #expect(hosted.text.hasPrefix(String(kept)))
      #expect(images[1]["width"]?.int == 7 && images[1]["bytes"]?.int == Self.second.count)
      for (url, image) in zip(urls, [Self.first, Self.second]) {
        let path = try #require(url.firstRange(of: "/v1/")).lowerBound
        #expect(try service.ask("GET", String(url[path...])).body == image)
      }
      let back = try convert(service, "?response_format=b64_json", hosted.text)
      #expect(back.json["data"]?[0]?["b64_json"]?.string == Self.firstText)
      #expect(back.json["data"]?[1]?["b64_json"]?.string == Self.secondText)
      #expect(back.json["data"]?[0]?["url"] == nil)
      #expect(back.text.ranges(of: "\"x_asset\"").count == 1)
    }
  }

  @Test func theFormOfBase64CanBeAsked() async throws {
    try await withService { service in
      let body = "{\"data\":[{\"b64_json\":\"\(Self.firstText)\"}]}"
      let raw = try convert(service, "?response_format=b64_json", body)
      #expect(raw.json["data"]?[0]?["b64_json"]?.string == Self.firstText)
      let url = try convert(service, "?response_format=b64_json&base64=data_url", body)
      #expect(
        url.json["data"]?[0]?["b64_json"]?.string == "data:image/png;base64,\(Self.firstText)")
      let permanent = try convert(service, "?retention=permanent", body)
      #expect(permanent.json["x_asset"]?["images"]?[0]?["expires_at"] == .null)
      #expect(permanent.json["data"]?[0]?["url"]?.string?.contains("/images/img-") == true)
    }
  }

  @Test func whatFailsStaysAsItWasAndIsListed() async throws {
    let entries = [
      "{\"b64_json\":\"\(Self.firstText)\"}", "{\"b64_json\":\"\(Self.svg)\",\"k\":1}",
      "{\"b64_json\":\"@@@\"}", "{\"url\":\"https://a.example/x.png\"}", "{}",
      "{\"b64_json\":null}",
    ]
    try await withService { service in
      let answer = try convert(service, "", "{\"data\":[\(entries.joined(separator: ", "))]}")
      #expect(answer.status == 200)
      #expect(answer.json["x_asset"]?["images"]?.array?.count == 1)
      let failed = try #require(answer.json["x_asset"]?["failed"]?.array)
      #expect(failed.map { $0["index"]?.int } == [1, 2, 3, 4, 5])
      #expect(
        failed.map { $0["code"]?.string } == [
          "unsupported_image", "invalid_base64", "url_not_supported", "missing_image",
          "missing_image",
        ])
      for entry in entries.dropFirst() { #expect(answer.text.contains(entry)) }
      let all = try convert(
        service, "", "{\"data\":[{\"b64_json\":\"\(Self.svg)\"},{\"b64_json\":\"@@@\"}]}")
      #expect(all.status == 415)
      #expect(all.code == "unsupported_image")
    }
  }

  @Test func wrongAnswersAreRefused() async throws {
    let entry = "{\"b64_json\":\"\(Self.firstText)\"}"
    func data(_ count: Int) -> String {
      "{\"data\":[\(Array(repeating: entry, count: count).joined(separator: ","))]}"
    }
    let rows: [(query: String, body: String, param: String?)] = [
      ("", "{}", "data"), ("", "{\"data\":[]}", "data"), ("", "{\"data\":\"x\"}", "data"),
      ("", "{\"data\":null}", "data"), ("", "", nil), ("", "{\"data\":[", nil),
      ("", data(17), "data"), ("", data(99), "data"),
      ("?response_format=x", data(1), "response_format"), ("?retention=x", data(1), "retention"),
      ("?base64=x", data(1), "base64"), ("?retention=permanent&ttl=5", data(1), "ttl"),
    ]
    try await withService { service in
      for row in rows {
        let answer = try convert(service, row.query, row.body)
        #expect(answer.status == 400, "\(row.query) \(row.body.prefix(20)): \(answer.text)")
        if let param = row.param { #expect(answer.param == param, "\(answer.text)") }
        expectEnvelope(answer, row.query)
      }
      #expect(try convert(service, "", data(16)).status == 200)
      try await until("incoming is empty") { try hasNoIncoming(service.root) }
    }
  }

  /// Our own URLs open no more here than a GET of them would.
  @Test func ownURLsAreJudgedAsByDelivery() async throws {
    try await withService("public_url: \"https://img.example\"") { service in
      let asset = try service.host(Self.first).json
      let url = try #require(asset["url"]?.string)
      let id = try #require(asset["id"]?.string)
      let permanent = try service.host(Self.second, "?retention=permanent").json
      let open = try #require(permanent["url"]?.string)
      let gone = try service.host(TestImages.png(seed: 9), "?retention=permanent").json
      #expect(try service.ask("DELETE", "/v1/assets/\(gone["id"]?.string ?? "")").status == 204)
      let rows: [(url: String, status: Int, code: String?)] = [
        (url, 200, nil), (open, 200, nil),
        ("https://img.example/images/\(id).png", 404, "not_found"),
        (url.replacing(".png", with: ".jpg"), 404, "not_found"),
        (url.replacing("AQE", with: "AQF"), 403, "link_invalid"),
        (gone["url"]?.string ?? "", 410, "asset_gone"),
        ("https://img.example.evil/images/\(id).png", 400, "url_not_supported"),
        ("\(service.base)/images/\(id).png", 400, "url_not_supported"),
      ]
      for row in rows {
        let body = "{\"data\":[{\"url\":\"\(row.url)\"}]}"
        let answer = try convert(service, "?response_format=b64_json", body)
        #expect(answer.status == row.status, "\(row.url): \(answer.text)")
        #expect(answer.code == row.code, "\(row.url): \(answer.text)")
      }
    }
  }
}
