// The main job, step by step, each one checked: what is told is what was seen.
internal import Crypto
internal import Foundation
internal import Kernel
internal import Wire

/// One walk through the main job.
struct DemoWalk {
  let prompt: String
  let size: String
  /// `http://127.0.0.1:12345`
  let base: String
  let root: String
  /// The public API, over TCP.
  let web: ServiceClient
  /// The admin socket.
  let operatorDoor: ServiceClient
  let teller: StepTeller

  /// What the first generation gave.
  private struct Hosted {
    let id: String
    let url: String
    let sha256: String
    let bytes: Int
  }

  func run() async throws {
    teller.tell(
      "start", "A daemon of its own, with the built-in sample upstream",
      facts: [("api", base + "/v1"), ("store", root)],
      json: ["api": .string(base + "/v1"), "store": .string(root)])
    let image = try await generate()
    try await fetch(image)
    try await alter(image)
    try await askForBase64(image)
    try await outlive(image)
    try await planCollection()
  }

  // MARK: Hosting

  private func generate() async throws -> Hosted {
    let started = SystemClock.monotonicNanoseconds
    let answer = try await order(["ttl": "24h"], format: "url")
    let seconds = StepTeller.seconds(SystemClock.monotonicNanoseconds - started)
    let facts = try Self.image(of: answer)
    guard let url = answer["data"]?[0]?["url"]?.string, answer["data"]?[0]?["b64_json"] == nil
    else {
      throw CommandFailure("The answer holds no URL.", .problems)
    }
    let image = Hosted(
      id: facts.text("id"), url: url, sha256: facts.text("sha256"), bytes: facts.number("bytes"))
    teller.tell(
      "generate", "POST /v1/images/generations with response_format \"url\"",
      "drawn, written, synced and in the catalogue after \(seconds) s",
      facts: [
        ("prompt", prompt), ("id", image.id), ("url", url), ("image", Self.picture(facts)),
        ("sha256", image.sha256), ("ends", Spoken.date(Int64(facts.number("expires_at")))),
      ], json: facts)
    return image
  }

  private func order(_ asset: JSONValue, format: String) async throws -> JSONValue {
    let body: JSONValue = [
      "model": "sample", "prompt": .string(prompt), "size": .string(size),
      "response_format": .string(format), "asset": asset,
    ]
    let call = ServiceCall(.post, "/v1/images/generations", .json(body), timeout: 300)
    return try await web.call(call).checked().json()
  }

  private static func image(of answer: JSONValue) throws(CommandFailure) -> JSONValue {
    guard let facts = answer["x_asset"]?["images"]?[0] else {
      throw CommandFailure("The answer holds no x_asset.", .problems)
    }
    return facts
  }

  private static func picture(_ facts: JSONValue) -> String {
    "\(facts.text("media_type")), \(facts.number("width"))x\(facts.number("height")), "
      + Spoken.bytes(Int64(facts.number("bytes")))
  }

  // MARK: Delivery

  private func fetch(_ image: Hosted) async throws {
    let started = SystemClock.monotonicNanoseconds
    let reply = try await web.call(ServiceCall(.get, image.url)).checked()
    let microseconds = (SystemClock.monotonicNanoseconds - started) / 1000
    try expect(Self.sha256(reply.body) == image.sha256, "The link serves other bytes.")
    try expect(reply.etag == "\"\(image.sha256)\"", "The ETag is not the SHA-256.")
    teller.tell(
      "fetch", "GET the link",
      "200, \(Spoken.bytes(Int64(reply.body.count))) in \(microseconds) µs: "
        + "their SHA-256 and the ETag are the digest above",
      json: ["url": .string(image.url), "status": 200, "sha256": .string(image.sha256)])
  }

  private func alter(_ image: Hosted) async throws {
    let altered = Self.altering(image.url)
    let code = try await refusal(of: altered, status: 403, code: "link_invalid")
    teller.tell(
      "alter", "GET the link with one letter changed", "refused: 403 \(code)",
      facts: [("url", altered)],
      json: ["url": .string(altered), "status": 403, "code": .string(code)])
  }

  /// The link with another letter in the middle of its signature.
  static func altering(_ url: String) -> String {
    guard let dot = url.lastIndex(of: "."), url.distance(from: url.startIndex, to: dot) > 8 else {
      return url
    }
    let place = url.index(dot, offsetBy: -8)
    let other = url[place] == "A" ? "B" : "A"
    return url.replacingCharacters(in: place...place, with: other)
  }

  private func askForBase64(_ image: Hosted) async throws {
    let answer = try await order(["ttl": "1s"], format: "b64_json")
    let facts = try Self.image(of: answer)
    let text = answer["data"]?[0]?["b64_json"]?.string ?? ""
    let bytes = Data(base64Encoded: text).map { [UInt8]($0) } ?? []
    try expect(Self.sha256(bytes) == facts.text("sha256"), "The base64 is not the hosted image.")
    try expect(Self.sha256(bytes) == image.sha256, "The same order gave another image.")
    teller.tell(
      "base64", "The same order with response_format \"b64_json\"",
      "\(Spoken.number(text.utf8.count)) characters, which decode to the same SHA-256; "
        + "both assets share one file",
      facts: [("id", facts.text("id"))], json: facts)
  }

  /// A short link, after its end.
  private func outlive(_ image: Hosted) async throws {
    let call = ServiceCall(.post, "/v1/assets/\(image.id)/links", .json(["ttl": "1s"]))
    let link = try await web.call(call).checked().json()
    let end = Int64(link.number("expires_at"))
    while SystemClock.wallSeconds < end { try await Task.sleep(for: .milliseconds(20)) }
    let code = try await refusal(of: link.text("url"), status: 410, code: "link_expired")
    teller.tell(
      "outlive", "A link for one second, one second later", "refused: 410 \(code)",
      facts: [("url", link.text("url"))],
      json: ["url": .string(link.text("url")), "status": 410, "code": .string(code)])
  }

  // MARK: Collection

  private func planCollection() async throws {
    let call = ServiceCall(.post, "/admin/gc", .json(["dry_run": true, "list": true]))
    let lines = try await operatorDoor.call(call).checked().lines()
    let total = lines.last ?? .null
    try expect(total.number("assets") > 0, "The expired asset is not among what would go.")
    let items = lines.filter { $0["reason"] != nil }
    let files = total.number("blobs")
    teller.tell(
      "collect", "What a collection would delete now (assetctl gc --dry-run --list)",
      Spoken.count(total.number("assets"), "asset")
        + (files == 0
          ? ", and no file: another asset is on it" : " and \(Spoken.count(files, "file"))"),
      facts: items.map { ($0.text("policy"), "\($0.text("id")), \($0.text("reason"))") },
      json: [
        "assets": total["assets"] ?? 0, "bytes": total["bytes"] ?? 0,
        "blobs": .number(JSONNumber(files)),
        "items": .array(items),
      ])
  }

  // MARK: Checks

  private func refusal(of url: String, status: Int, code: String) async throws -> String {
    let reply = try await web.call(ServiceCall(.get, url))
    let found = try reply.json()["error"]?["code"]?.string ?? "?"
    try expect(
      reply.status == status && found == code,
      "Expected \(status) \(code), got \(reply.status) \(found).")
    return found
  }

  private func expect(_ holds: Bool, _ otherwise: String) throws(CommandFailure) {
    guard holds else { throw CommandFailure(otherwise, .problems) }
  }

  private static func sha256(_ bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(bytes.span)
    return hash.finalize().hex
  }
}
