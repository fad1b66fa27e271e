import Testing
import Wire

// Wrong input to POST /v1/assets: one envelope each, and nothing is left behind.

@Suite struct HostingRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let body: [UInt8]
    var type = "image/png"
    var query = ""
    let status: Int
    var code: String?
    var param: String?

    var testDescription: String { name }

    static func raw(_ name: String, _ body: [UInt8], _ status: Int, _ code: String) -> Case {
      Case(name: name, body: body, status: status, code: code)
    }
    static func json(
      _ name: String, _ body: String, _ status: Int, _ code: String? = nil, param: String? = nil
    ) -> Case {
      Case(
        name: name, body: Array(body.utf8), type: "application/json", status: status, code: code,
        param: param)
    }
    static func query(_ query: String, param: String) -> Case {
      Case(
        name: query, body: TestImages.png(), query: "?" + query, status: 400,
        code: "invalid_value", param: param)
    }
  }

  private static let image = TestImages.png()
  private static let text = TestImages.base64(image)
  private static let html = "<!doctype html><html><body>hello</body></html>"
  private static let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"

  private static let images: [Case] = [
    .raw("HTML", Array(html.utf8), 415, "unsupported_image"),
    .raw("SVG", Array(svg.utf8), 415, "unsupported_image"),
    .raw("one byte", [0x89], 415, "unsupported_image"),
    .raw("empty", [], 415, "unsupported_image"),
    .raw("a signature alone", Array(image.prefix(8)), 415, "unsupported_image"),
    .raw("half a head", Array(image.prefix(20)), 415, "unsupported_image"),
    .raw("no pixels", TestImages.png(0, 9), 415, "unsupported_image"),
    .raw("more than 100 MP", TestImages.png(20_000, 5_001), 413, "image_too_large"),
    .raw("more bytes than allowed", TestImages.png(padding: 200_000), 413, "image_too_large"),
    Case(
      name: "a form", body: image, type: "multipart/form-data; boundary=x", status: 415,
      code: "unsupported_content_type"),
  ]
  private static let documents: [Case] = [
    .json("no JSON", "hello", 400, "invalid_json"),
    .json("cut JSON", "{\"b64_json\":", 400, "invalid_json"),
    .json("cut base64", "{\"b64_json\":\"\(text)", 400, "invalid_json"),
    .json("text behind", "{\"b64_json\":\"\(text)\"} x", 400, "invalid_json"),
    .json("empty JSON", "", 400, "invalid_json"),
    .json("an array", "[1]", 400),
    .json("no image", "{}", 400, "missing_image", param: "b64_json"),
    .json("null", "{\"b64_json\":null}", 400, "missing_image"),
    .json("a number", "{\"b64_json\":5}", 400, "missing_image"),
    .json("empty text", "{\"b64_json\":\"\"}", 400, "missing_image"),
    .json("no base64", "{\"b64_json\":\"@@@@\(text)\"}", 400, "invalid_base64", param: "b64_json"),
    .json("a lone last character", "{\"b64_json\":\"\(text.prefix(41))\"}", 400, "invalid_base64"),
    .json("a lone character and a line break", "{\"b64_json\":\"a\\n\"}", 400, "invalid_base64"),
    .json("HTML", encoded(html), 415, "unsupported_image", param: "b64_json"),
    .json("SVG", encoded(svg), 415, "unsupported_image", param: "b64_json"),
    .json("HTML, then more", encoded(html, ",\"user\":\"x\""), 415, "unsupported_image"),
    .json("a foreign URL", "{\"url\":\"https://a.example/x.png\"}", 400, param: "url"),
    .json("an unknown option", options("\"foo\":1"), 400, param: "asset.foo"),
    .json("options of text", "{\"b64_json\":\"\(text)\",\"asset\":\"x\"}", 400, param: "asset"),
    .json("ttl true", options("\"ttl\":true"), 400, param: "asset.ttl"),
    .json("ttl 0", options("\"ttl\":0"), 400, param: "asset.ttl"),
    .json(
      "permanent with ttl", options("\"retention\":\"permanent\",\"ttl\":5"), 400,
      param: "asset.ttl"),
  ]
  private static let queries: [Case] = [
    .query("ttl=0", param: "ttl"), .query("ttl=-1", param: "ttl"),
    .query("ttl=", param: "ttl"), .query("ttl=soon", param: "ttl"),
    .query("ttl=99999999999999999999", param: "ttl"), .query("ttl=200y", param: "ttl"),
    .query("retention=forever", param: "retention"), .query("base64=x", param: "base64"),
    .query("retention=permanent&ttl=1h", param: "ttl"),
  ]
  private static let contradiction = Case(
    name: "ttl in the body, permanent in the query", body: Array(options("\"ttl\":5").utf8),
    type: "application/json", query: "?retention=permanent", status: 400, param: "asset.ttl")

  private static func encoded(_ text: String, _ more: String = "") -> String {
    "{\"b64_json\":\"\(TestImages.base64(Array(text.utf8)))\"\(more)}"
  }
  private static func options(_ members: String) -> String {
    "{\"b64_json\":\"\(text)\",\"asset\":{\(members)}}"
  }

  @Test func wrongInputIsRefusedByName() async throws {
    try await withService("limits: { image_bytes: 100000 }") { service in
      for row in Self.images + Self.documents + Self.queries + [Self.contradiction] {
        let answer = try service.ask(
          "POST", "/v1/assets\(row.query)", [("Content-Type", row.type)], body: row.body)
        #expect(answer.status == row.status, "\(row.name): \(answer.text)")
        if let code = row.code { #expect(answer.code == code, "\(row.name): \(answer.text)") }
        if let param = row.param { #expect(answer.param == param, "\(row.name): \(answer.text)") }
        expectEnvelope(answer, row.name)
      }
      try await until("incoming is empty") { try hasNoIncoming(service.root) }
      #expect(try service.admin("GET", "/admin/stats").json["assets"]?.int == 0)
    }
  }

  /// The declared length is not the only door: C3.
  @Test func aLongImageIsRefusedAsItArrives() async throws {
    try await withService("limits: { image_bytes: 100000 }") { service in
      let image = TestImages.png(padding: 300_000)
      let client = try service.client()
      try client.send(
        "POST /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n")
      try client.send(HostingTests.chunked(image, 10_000))
      #expect(try client.readAnswer().status == 413)
      let encoded = "{\"b64_json\":\"\(TestImages.base64(image))\"}"
      #expect(try service.send("POST", "/v1/assets", encoded).status == 413)
      try await until("incoming is empty") { try hasNoIncoming(service.root) }
    }
  }
}

/// API.md §1: the envelope has all four members, and the answer an id.
func expectEnvelope(_ answer: TestAnswer, _ name: String) {
  let names = answer.json["error"]?.object?.members.map(\.name)
  #expect(names == ["message", "type", "param", "code"], "\(name): \(answer.text)")
  #expect(answer["Content-Type"] == "application/json", "\(name)")
  #expect(answer["x-request-id"] != nil, "\(name)")
}
