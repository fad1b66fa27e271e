import Crypto
import Foundation
import Testing
import Wire

// POST /v1/assets (API.md §4).

@Suite struct HostingTests {
  static let image = TestImages.png()
  static let text = TestImages.base64(image)

  @Test func aRawImageIsHosted() async throws {
    try await withService { service in
      let answer = try service.host(Self.image)
      #expect(answer.status == 201)
      let asset = answer.json
      let id = try #require(asset["id"]?.string)
      #expect(answer["Location"] == "http://127.0.0.1/v1/assets/\(id)")
      #expect(
        asset.object?.members.map(\.name) == [
          "id", "object", "url", "retention", "pinned", "expires_at", "created_at",
          "last_access_at", "sha256", "bytes", "media_type", "width", "height", "model",
          "generation_id", "owner",
        ])
      #expect(asset["sha256"]?.string == TestImages.digest(Self.image).hex)
      #expect(asset["bytes"]?.int == Self.image.count)
      #expect(asset["width"]?.int == 16 && asset["height"]?.int == 9)
      #expect(asset["media_type"]?.string == "image/png")
      #expect(asset["owner"]?.string == "local")
      #expect(asset["retention"]?.string == "temporary")
      let created = try #require(asset["created_at"]?.int)
      #expect(asset["expires_at"]?.int == created + 86_400)
    }
  }

  @Test func equalBytesOfOneRetentionAreOneAsset() async throws {
    try await withService { service in
      let first = try service.host(Self.image).json
      let again = try service.host(Self.image, "?ttl=1h")
      #expect(again.status == 200)
      #expect(again.json["id"] == first["id"])
      #expect(again.json["expires_at"] == first["expires_at"])
      let longer = try service.host(Self.image, "?ttl=48h").json
      #expect(longer["id"] == first["id"])
      let ends = (try #require(first["expires_at"]?.int), try #require(longer["expires_at"]?.int))
      #expect(ends.0 < ends.1)
      let permanent = try service.host(Self.image, "?retention=permanent")
      #expect(permanent.status == 201)
      #expect(permanent.json["id"] != first["id"])
      #expect(permanent.json["expires_at"] == .null)
      #expect(permanent.json["url"]?.string?.contains("/images/img-") == true)
    }
  }

  /// API.md §1: what base64 may look like.
  @Test func base64IsTakenInEverySpelling() async throws {
    let text = Self.text
    let lines = text.enumerated().map {
      $0.offset % 7 == 6 ? "\($0.element)\\r\\n" : "\($0.element)"
    }
    let escaped = text.utf8.map { "\\u00" + Hex.encode([$0].span) }.joined()
    let spellings = [
      ("plain", text),
      ("data URL", "data:image/png;base64,\(text)"),
      ("data URL of another type", "data:image/jpeg;base64,\(text)"),
      ("no padding", text.filter { $0 != "=" }),
      ("white space around", " \\t\(text)\\n"),
      ("line breaks", lines.joined()),
      ("URL-safe", String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })),
      ("escaped slashes", text.split(separator: "/").joined(separator: "\\/")),
      ("unicode escapes", escaped),
    ]
    try await withService { service in
      let id = try service.host(Self.image).json["id"]
      for (name, text) in spellings {
        let answer = try service.send("POST", "/v1/assets", "{\"b64_json\":\"\(text)\"}")
        #expect(answer.status == 200, "\(name): \(answer.text)")
        #expect(answer.json["id"] == id, "\(name)")
      }
      let url = try service.send(
        "POST", "/v1/assets", "{\"url\":\"data:image/png;base64,\(text)\"}")
      #expect(url.json["id"] == id)
    }
  }

  @Test func optionsComeInTheBodyOrTheQuery() async throws {
    try await withService { service in
      let id = try service.host(Self.image, "?retention=permanent").json["id"]
      for (query, body) in [
        ("", "{\"b64_json\":\"\(Self.text)\",\"asset\":{\"retention\":\"permanent\"}}"),
        ("", "{\"asset\":{\"retention\":\"permanent\"},\"b64_json\":\"\(Self.text)\"}"),
        ("?retention=permanent", "{\"b64_json\":\"\(Self.text)\"}"),
      ] {
        #expect(try service.send("POST", "/v1/assets\(query)", body).json["id"] == id)
      }
    }
  }

  @Test(arguments: [1, 3, 7, 64, 4096])
  func aChunkedBodyIsTakenWhole(_ size: Int) async throws {
    try await withService { service in
      let id = try service.host(Self.image).json["id"]
      let client = try service.client()
      try client.send(
        "POST /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n")
      try client.send(Self.chunked(Self.image, size))
      let answer = try client.readAnswer()
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["id"] == id)
    }
  }

  static func chunked(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    var body: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      let piece = bytes[start..<min(start + size, bytes.count)]
      body += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
    }
    return body + Array("0\r\n\r\n".utf8)
  }

  /// RFC 9110 §10.1.1
  @Test func expectIsAnsweredBeforeTheBody() async throws {
    try await withService("limits: { image_bytes: 100000 }") { service in
      let head =
        "POST /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
        + "Expect: 100-continue\r\nContent-Length: "
      let client = try service.client()
      try client.send("\(head)\(Self.image.count)\r\n\r\n")
      #expect(try client.readAnswer().status == 100)
      try client.send(Self.image)
      #expect(try client.readAnswer().status == 201)
      let refused = try service.client()
      try refused.send("\(head)100001\r\n\r\n")
      #expect(try refused.readAnswer().status == 413)
    }
  }
}
