// Forwarded (RFC 7239) and X-Forwarded-*: what is believed when the peer is trusted.
import Testing

@testable import Wire

@Suite struct ForwardedTests {
  /// `client scheme host prefix` of a request with these fields; proxies are 10.0.0.0/8.
  private func read(_ fields: [String]) -> String {
    let lines = fields.map { $0 + "\r\n" }.joined()
    let text = "GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n"
    let head = parse(text).0
    let request = ForwardedRequest(head.fields, in: Array(text.utf8).span) { proxy in
      if case .v4(let bits) = proxy { bits >> 24 == 10 } else { false }
    }
    let scheme = request.isSecure.map { $0 ? "https" : "http" } ?? "-"
    let client = request.client.map { client in
      ["192.0.2.7", "198.51.100.1", "2001:db8::1", "10.0.0.9"].first { address($0) == client }
        ?? "?"
    }
    let host = slice(text, request.host) ?? "-"
    return "\(client ?? "-") \(scheme) \(host) \(slice(text, request.prefix) ?? "-")"
  }

  @Test(arguments: [
    ("nothing", [], "- - - -"),
    (
      "§4", ["Forwarded: for=192.0.2.7;proto=https;host=img.example"],
      "192.0.2.7 https img.example -"
    ),
    ("§4 case", ["Forwarded: For=192.0.2.7; Proto=HTTPS"], "192.0.2.7 https - -"),
    ("§6 IPv6", ["Forwarded: for=\"[2001:db8::1]:4711\""], "2001:db8::1 - - -"),
    ("§6 port", ["Forwarded: for=\"192.0.2.7:47011\""], "192.0.2.7 - - -"),
    ("§6.2 unknown", ["Forwarded: for=unknown;proto=https"], "- https - -"),
    ("§6.3 hidden", ["Forwarded: for=_hidden, for=10.0.0.9"], "10.0.0.9 - - -"),
    (
      "§7.1 chain", ["Forwarded: for=192.0.2.7;proto=https, for=10.0.0.9;proto=http"],
      "192.0.2.7 https - -"
    ),
    (
      "§8.1 made up by the client",
      [
        "Forwarded: for=198.51.100.1;proto=http;host=evil",
        "Forwarded: for=192.0.2.7;proto=https;host=good",
      ],
      "192.0.2.7 https good -"
    ),
    ("malformed", ["Forwarded: for=192.0.2.7;for=198.51.100.1"], "- - - -"),
    ("escapes", ["Forwarded: host=\"a\\b\""], "- - - -"),
    ("bad host", ["Forwarded: host=\"a/b\""], "- - - -"),
    (
      "X-Forwarded",
      ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: b:81"],
      "192.0.2.7 https b:81 -"
    ),
    ("X chain", ["X-Forwarded-For: 198.51.100.1, 192.0.2.7, 10.0.0.9"], "192.0.2.7 - - -"),
    ("X IPv6", ["X-Forwarded-For: 2001:db8::1"], "2001:db8::1 - - -"),
    ("X garbage", ["X-Forwarded-For: 192.0.2.7, <script>"], "- - - -"),
    ("X proto alone", ["X-Forwarded-Proto: https"], "- https - -"),
    ("X proto garbage", ["X-Forwarded-Proto: javascript"], "- - - -"),
    ("both disagree", ["Forwarded: proto=http", "X-Forwarded-Proto: https"], "- - - -"),
    (
      "both agree",
      [
        "Forwarded: for=192.0.2.7;proto=https;host=b", "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Proto: https", "X-Forwarded-Host: b",
      ],
      "192.0.2.7 https b -"
    ),
    (
      "what one alone says may be the client's",
      ["Forwarded: for=192.0.2.7;proto=https;host=evil", "X-Forwarded-For: 192.0.2.7"],
      "192.0.2.7 - - -"
    ),
    (
      "hosts that differ",
      [
        "Forwarded: for=192.0.2.7;host=evil", "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Host: good",
      ],
      "192.0.2.7 - - -"
    ),
    (
      "a client that writes what its proxy does not",
      ["Forwarded: for=198.51.100.1;host=evil", "X-Forwarded-For: 192.0.2.7"], "- - - -"
    ),
    (
      "the other way round",
      [
        "X-Forwarded-For: 198.51.100.1", "X-Forwarded-Host: evil",
        "Forwarded: for=192.0.2.7;proto=https;host=good",
      ],
      "- - - -"
    ),
    (
      "a client without an address",
      ["Forwarded: for=unknown;host=evil", "X-Forwarded-For: 192.0.2.7"], "- - - -"
    ),
    ("prefix", ["X-Forwarded-Prefix: /a/b.c"], "- - - /a/b.c"),
    ("prefix slash", ["X-Forwarded-Prefix: /a/b/"], "- - - /a/b"),
    ("prefix slashes", ["X-Forwarded-Prefix: /a//"], "- - - -"),
    ("prefix root", ["X-Forwarded-Prefix: /"], "- - - -"),
    ("prefix elsewhere", ["X-Forwarded-Prefix: //evil"], "- - - -"),
    ("prefix dots", ["X-Forwarded-Prefix: /a/.."], "- - - -"),
    ("prefix markup", ["X-Forwarded-Prefix: /a\"<b"], "- - - -"),
    ("prefix twice", ["X-Forwarded-Prefix: /a", "X-Forwarded-Prefix: /b"], "- - - -"),
  ])
  func believes(_ rule: String, _ fields: [String], _ expected: String) {
    #expect(read(fields) == expected, "\(rule)")
  }
}
