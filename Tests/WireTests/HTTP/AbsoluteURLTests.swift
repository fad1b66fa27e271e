// URLs to fetch: RFC 3986, and the spellings that readers of URLs disagree on.
import Testing

@testable import Wire

@Suite struct AbsoluteURLTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test(arguments: [
    ("http://a.example", "http://a.example", ""),
    ("https://a.example:443/b?c=d%20e#f", "https://a.example", "/b?c=d%20e"),
    ("HTTPS://A.Example:8443/B", "https://a.example:8443", "/B"),
    ("http://a.example:80?x", "http://a.example", "?x"),
    ("http://a.example:/x", "http://a.example", "/x"),
    ("http://a.example./x", "http://a.example", "/x"),
    ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080", "/x"),
    ("http://[2001:DB8::1]:81/x", "http://[2001:db8::1]:81", "/x"),
    ("https://a.example/../b//c?d=/e/..", "https://a.example", "/../b//c?d=/e/.."),
    ("https://user:pw@a.example/", "https://a.example", "/"),
    ("https://a.example@b.example/", "https://b.example", "/"),
    ("https://a@b@c.example/", "https://c.example", "/"),
    ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example", "/"),
  ])
  func splits(_ url: String, _ origin: String, _ target: String) throws {
    let bytes = Array(url.utf8)
    let parsed = try AbsoluteURL(bytes.span)
    #expect(text(parsed.origin(in: bytes.span)) == origin)
    #expect(text(Array(bytes[parsed.pathAndQuery])) == target)
    #expect(parsed.hasUserInfo == url.contains("@"))
  }

  @Test(arguments: [
    ("ftp://a/", AbsoluteURL.Failure.badScheme), ("//a/", .badScheme), ("/a", .badScheme),
    ("", .badScheme), ("http:/a", .badScheme), ("http:a", .badScheme), ("httpx://a", .badScheme),
    ("javascript:alert(1)", .badScheme), ("data:image/png;base64,AA", .badScheme),
    ("http://", .badHost), ("http:///a", .badHost), ("http://:80/", .badHost),
    ("http://a b/", .badCharacter), ("http://a\u{0}/", .badCharacter),
    ("http://\u{E9}/", .badCharacter),
    ("http://\u{2460}27.0.0.1/", .badCharacter), ("http://a%2eb/", .badHost),
    ("http://a\\@b/", .badCharacter), ("http://a/\\b", .badCharacter),
    ("http://a/\r\nX: y", .badCharacter),
    ("http://a../", .badHost), ("http://a..b/", .badHost), ("http://.a/", .badHost),
    ("http://./", .badHost), ("http://../", .badHost), ("http://1.2.3.4../", .badHost),
    ("http://[::1/", .badHost), ("http://[::1]a/", .badHost),
    ("http://[fe80::1%25eth0]/", .badHost),
    ("http://[1.2.3.4]/", .badHost), ("http://[]/", .badHost), ("http://a,b/", .badHost),
    ("http://a:0/", .badPort), ("http://a:65536/", .badPort), ("http://a:8x/", .badPort),
    ("http://a:+8/", .badPort), ("http://a:80:80/", .badPort), ("http://a:-1/", .badPort),
    ("http://2130706433/", .ambiguousAddress), ("http://0x7f000001/", .ambiguousAddress),
    ("http://0177.0.0.1/", .ambiguousAddress), ("http://127.1/", .ambiguousAddress),
    ("http://127.0.0.1./", .ambiguousAddress), ("http://1.2.3.256/", .ambiguousAddress),
    ("http://a.0x7f/", .ambiguousAddress), ("http://017700000001/", .ambiguousAddress),
  ])
  func refuses(_ url: String, _ expected: AbsoluteURL.Failure) {
    #expect(throws: expected) { try AbsoluteURL(Array(url.utf8).span) }
  }

  @Test func knowsAddresses() throws {
    #expect(try AbsoluteURL(Array("http://[::1]/".utf8).span).address == address("::1"))
    #expect(try AbsoluteURL(Array("http://10.0.0.1/".utf8).span).address == address("10.0.0.1"))
    #expect(try AbsoluteURL(Array("http://a.b/".utf8).span).address == nil)
  }

  @Test func isBounded() {
    let url = "http://a/" + String(repeating: "b", count: AbsoluteURL.maxLength)
    #expect(throws: AbsoluteURL.Failure.tooLong) { try AbsoluteURL(Array(url.utf8).span) }
  }
}
