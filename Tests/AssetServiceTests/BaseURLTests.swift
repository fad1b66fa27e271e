import Configuration
import Testing
import Wire

@testable import AssetService

// What absolute URLs are built on (API.md §1): public_url, else Host; forwarded fields only from
// trusted proxies.

@Suite struct BaseURLTests {
  private struct Row {
    let rule: String
    let fields: [(String, String)]
    let base: String

    init(_ rule: String, _ fields: [(String, String)], _ base: String) {
      (self.rule, self.fields, self.base) = (rule, fields, base)
    }
  }

  private static let host = ("Host", "localhost:99")
  private static let proto = ("X-Forwarded-Proto", "https")
  private static let forwardedHost = ("X-Forwarded-Host", "api.example")
  private static let forwarded = ("Forwarded", "for=192.0.2.1;proto=https;host=f.example")
  private static let prefix = ("X-Forwarded-Prefix", "/x/y")

  private static let everything = [host, proto, forwardedHost, prefix]

  /// `Location` of a new asset, and its URL, for each row.
  private func check(_ rows: [Row], delivery: String? = nil, _ service: TestService) throws {
    for (index, row) in rows.enumerated() {
      let image = TestImages.png(seed: UInt8(index))
      let answer = try service.host(image, "", row.fields)
      let id = try #require(answer.json["id"]?.string, "\(row.rule): \(answer.text)")
      #expect(answer["Location"] == "\(row.base)/v1/assets/\(id)", "\(row.rule)")
      let url = try #require(answer.json["url"]?.string)
      #expect(url.hasPrefix("\(delivery ?? row.base)/v1/temp-images/"), "\(row.rule): \(url)")
      let permanent = try service.host(image, "?retention=permanent", row.fields).json
      let file = try #require(permanent["url"]?.string)
      #expect(file.hasPrefix("\(delivery ?? row.base)/images/img-"), "\(row.rule): \(file)")
    }
  }

  private static let trusted: [Row] = [
    Row("Host", [host], "http://localhost:99"),
    Row("proto", [host, proto], "https://localhost:99"),
    Row("proto http", [host, ("X-Forwarded-Proto", "http")], "http://localhost:99"),
    Row("host", [host, forwardedHost], "http://api.example"),
    Row(
      "host with a port", [host, ("X-Forwarded-Host", "a.example:8443")], "http://a.example:8443"),
    Row("all three", [host, proto, forwardedHost, prefix], "https://api.example/x/y"),
    Row("RFC 7239 §4", [host, forwarded], "https://f.example"),
    Row("two kinds that disagree", [host, forwarded, forwardedHost], "http://localhost:99"),
    Row("RFC 7239 §6 IPv6", [host, ("Forwarded", "host=\"[::1]:8\"")], "http://[::1]:8"),
    Row(
      "RFC 7239 §8.1 the client's own element",
      [host, ("Forwarded", "host=evil.example;proto=https, for=192.0.2.1;host=good.example")],
      "http://good.example"),
    Row(
      "chain of two",
      [
        host, ("X-Forwarded-For", "192.0.2.1, 127.0.0.9"), ("X-Forwarded-Proto", "https, http"),
        ("X-Forwarded-Host", "outer.example, inner.example"),
      ], "https://outer.example"),
    Row(
      "made up before the chain",
      [
        host, ("X-Forwarded-For", "127.0.0.1, 192.0.2.1"),
        ("X-Forwarded-Host", "evil.example, good.example"),
      ], "http://good.example"),
    Row("prefix with a slash", [host, ("X-Forwarded-Prefix", "/img/")], "http://localhost:99/img"),
    Row("prefix of nothing", [host, ("X-Forwarded-Prefix", "/")], "http://localhost:99"),
    Row("no host", [host, ("X-Forwarded-Host", "a/b")], "http://localhost:99"),
    Row("markup", [host, ("X-Forwarded-Host", "a\"><b")], "http://localhost:99"),
    Row("user", [host, ("X-Forwarded-Host", "u@evil.example")], "http://localhost:99"),
    Row("empty", [host, ("X-Forwarded-Host", "")], "http://localhost:99"),
    Row("no scheme", [host, ("X-Forwarded-Proto", "javascript")], "http://localhost:99"),
    Row(
      "prefix elsewhere", [host, ("X-Forwarded-Prefix", "//evil.example")], "http://localhost:99"),
    Row("prefix up", [host, ("X-Forwarded-Prefix", "/a/../b")], "http://localhost:99"),
    Row("prefix with a query", [host, ("X-Forwarded-Prefix", "/a?b")], "http://localhost:99"),
  ]

  @Test func aTrustedProxyIsBelieved() async throws {
    try await withService("trusted_proxies: [\"127.0.0.0/8\"]") { service in
      try check(Self.trusted, service)
    }
  }

  @Test(arguments: ["", "trusted_proxies: [\"10.0.0.0/8\", \"127.0.0.2\", \"::1\"]"])
  func anyoneElseIsNot(_ settings: String) async throws {
    let base = "http://localhost:99"
    let rows = [
      Row("all", Self.everything, base), Row("one", [Self.host, Self.proto], base),
      Row("RFC 7239", [Self.host, Self.forwarded], base),
    ]
    try await withService(settings) { service in try check(rows, service) }
  }

  /// `public_url` is for delivery; the API's own base stays the request's.
  @Test func aPublicURLIsForImages() async throws {
    let settings = "public_url: \"https://img.example/base/\", trusted_proxies: [\"127.0.0.1\"]"
    let rows = [
      Row("Host", [Self.host], "http://localhost:99"),
      Row("forwarded", Self.everything, "https://api.example/x/y"),
      Row("its own host", [("Host", "img.example")], "http://img.example"),
    ]
    try await withService(settings) { service in
      try check(rows, delivery: "https://img.example/base", service)
    }
  }

  /// RFC 9112 §3.2.2: the target's own authority; HTTP/1.0 without one gets the listener's.
  @Test func theTargetWins() async throws {
    try await withService { service in
      let body = TestImages.png(seed: 1)
      func location(_ head: String) throws -> String {
        let client = try service.client()
        try client.send(head + "Content-Type: image/png\r\nContent-Length: \(body.count)\r\n\r\n")
        try client.send(body)
        let answer = try client.readAnswer(to: "POST")
        return try #require(answer["Location"], "\(answer.text)")
      }
      let absolute = try location(
        "POST http://LocalHost:7/v1/assets HTTP/1.1\r\nHost: localhost:7\r\n")
      #expect(absolute.lowercased().hasPrefix("http://localhost:7/v1/assets/img-"))
      let other = try location(
        "POST http://localhost:7/v1/assets HTTP/1.1\r\nHost: evil.example\r\n")
      #expect(other.hasPrefix("http://localhost:7/v1/assets/img-"), "\(other)")
      let old = try location("POST /v1/assets HTTP/1.0\r\n")
      #expect(old.hasPrefix(service.base + "/v1/assets/"), "\(old)")
      let none = try location("POST /v1/assets HTTP/1.1\r\nHost: 127.0.0.1:0\r\n")
      #expect(none.hasPrefix(service.base + "/v1/assets/"), "\(none)")
    }
  }

  /// Without a Host, the address that the service listens at, or would: one that can be asked.
  @Test(arguments: [
    (["http://0.0.0.0:8080"], "127.0.0.1:1", "127.0.0.1:8080"),
    (["http://[::]:8080"], "127.0.0.1:1", "[::1]:8080"),
    (["http://[fe80::1]:81", "http://127.0.0.1:82"], "127.0.0.1:1", "[fe80::1]:81"),
    ([], "0.0.0.0:8080", "127.0.0.1:8080"), ([], "[::1]:0", "[::1]"),
    ([], "10.0.0.1:0", "10.0.0.1"),
  ])
  func withoutAHost(_ addresses: [String], _ configured: String, _ base: String) throws {
    let state = ServiceState()
    state.noteListening(at: addresses)
    let settings = BaseSettings(
      publicURL: nil, trustedProxies: [], state: state, configured: ListenAddress(configured))
    #expect(settings.fallback == base)
  }

  /// A socket for both families reports IPv4 peers as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).
  @Test func anIPv4ProxyIsTrustedInBothSpellings() throws {
    let network = try #require(Network(Configuration.IPAddress(10, 0, 0, 0), prefix: 8))
    let settings = BaseSettings(publicURL: nil, trustedProxies: [network], state: ServiceState())
    let spellings: [(address: Wire.IPAddress, isTrusted: Bool)] = [
      (.v4(0x0A01_0203), true), (.v6(high: 0, low: 0xFFFF_0A01_0203), true),
      (.v4(0x0B01_0203), false), (.v6(high: 0, low: 0xFFFF_0B01_0203), false),
      (.v6(high: 0, low: 0x0A01_0203), false), (.v6(high: 0x0A00_0000, low: 0), false),
    ]
    for (address, isTrusted) in spellings {
      #expect(settings.trusts(address) == isTrusted, "\(address)")
    }
  }
}
