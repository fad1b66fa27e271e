import Testing

@testable import Configuration

struct AddressesTests {
  /// RFC 4291 §2.2 in, RFC 5952 §4 out.
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("::", "::"), ("::1", "::1"), ("fe80::", "fe80::"), ("2001:DB8::1", "2001:db8::1"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
    ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::ffff:10.0.0.1", "10.0.0.1"),
    ("64:ff9b::1.2.3.4", "64:ff9b::102:304"), ("0:0:0:0:0:0:0:0", "::"),
  ])
  func readsAddresses(text: String, spelled: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == spelled)
    #expect(IPAddress(bytes: address.bytes.span) == address)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.0.0.1", "256.1.1.1", "1.2.3.+4", " 1.2.3.4",
    ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::",
    "g::", "fe80::1%eth0", "1.2.3.4::", "::1.2.3", "1:", ":1", String(repeating: "1", count: 99),
  ])
  func refusesAddresses(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false),
    ("10.0.0.1", "10.0.0.1", true), ("10.0.0.1", "10.0.0.2", false), ("0.0.0.0/0", "1.2.3.4", true),
    ("0.0.0.0/0", "::1", false), ("::/0", "::1", true), ("::/0", "1.2.3.4", false),
    ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::", false), ("fd00::/64", "fd00::ffff", true),
    ("fd00::/64", "fd00:0:0:1::", false), ("fd00::8/125", "fd00::f", true),
    ("fd00::8/125", "fd00::10", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
  ])
  func matchesNetworks(network: String, address: String, isInside: Bool) throws {
    let network = try #require(parseNetwork(network))
    #expect(network.contains(try #require(IPAddress(address))) == isInside)
  }

  @Test(arguments: [
    "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "a/8", "/", "::/129", "1.2.3.4/8/8",
  ])
  func refusesNetworks(text: String) {
    #expect(parseNetwork(text) == nil)
  }

  @Test func knowsLoopback() throws {
    for text in ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"] {
      #expect(try #require(IPAddress(text)).isLoopback)
    }
    for text in ["128.0.0.1", "0.0.0.0", "::", "::2", "::127.0.0.1"] {
      #expect(try #require(IPAddress(text)).isLoopback == false)
    }
  }

  @Test(arguments: [
    ("127.0.0.1:8080", "127.0.0.1:8080"), ("[::1]:0", "[::1]:0"), ("localhost:80", "127.0.0.1:80"),
    ("0.0.0.0:65535", "0.0.0.0:65535"),
  ])
  func readsListenAddresses(text: String, spelled: String) {
    #expect(ListenAddress(text)?.description == spelled)
  }

  @Test(arguments: [
    "", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+80", "::1:8080",
    "[127.0.0.1]:80", "[::1]", "[::1]80", "example.com:80", "127.0.0.1:80:80",
  ])
  func refusesListenAddresses(text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test(arguments: [
    ("https://CDN.Example.com/", "https://cdn.example.com"),
    ("HTTP://example.com:80/a/b//", "http://example.com/a/b"),
    ("https://example.com:8443", "https://example.com:8443"),
    ("http://[::1]:8080/v1", "http://[::1]:8080/v1"), ("http://127.0.0.1", "http://127.0.0.1"),
  ])
  func readsURLs(text: String, spelled: String) throws {
    let url = try #require(BaseURL(text))
    #expect(url.description == spelled)
    #expect(BaseURL(spelled) == url)
  }

  @Test(arguments: [
    "", "example.com", "/path", "ftp://example.com", "https://", "https:///a", "https://a?b",
    "https://a#b", "https://a/?b", "https://user@a", "https://user:1@a/", "https://a:0",
    "https://a:x",
    "https://a b", "https://a/b c", "https://ä.example", "https://1.2.3", "https://[1.2.3.4]/",
    "https://a\n", "https://a/\u{7f}", "data:text/plain,a", "https://-a.com", "https://a..b",
  ])
  func refusesURLs(text: String) {
    #expect(BaseURL(text) == nil)
  }

  @Test func readsFetchRules() {
    #expect(FetchRule("Files.internal")?.target == .host("files.internal"))
    #expect(FetchRule("*.Example.net:9000")?.target == .suffix("example.net"))
    #expect(FetchRule("*.example.net:9000")?.port == 9000)
    #expect(FetchRule("10.0.0.0/8")?.port == nil)
    for text in ["10.0.0.0/8", "10.0.0.7/32:81", "fd00::/8", "[fd00::/8]:8080", "a.b:1", "*.b"] {
      #expect(FetchRule(text)?.description == text)
    }
    for text in ["", "*", "*.", "a*.b", "*.1", "10.0.0.1/8", "a:0", "a:b", "http://a", "a/b"] {
      #expect(FetchRule(text) == nil, "\(text)")
    }
  }
}
