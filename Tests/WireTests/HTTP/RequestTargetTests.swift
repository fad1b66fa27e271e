import Testing

@testable import Wire

/// The decoded path of a GET of `target`, or why it is refused.
private func decoded(
  _ target: String, slash: Bool = false
) -> Result<String, RequestRejection> {
  let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
  let (head, outcome) = parseInPieces(bytes, [bytes.count])
  if case .reject(let rejection) = outcome { return .failure(rejection) }
  do throws(RequestRejection) {
    let path = try head.target.decodedPath(in: bytes.span, allowsEncodedSlash: slash)
    return .success(String(decoding: path, as: UTF8.self))
  } catch {
    return .failure(error)
  }
}

@Suite struct RequestTargetTests {
  @Test(arguments: [
    ("/a%20b", "/a b"), ("/%41", "/A"), ("/%2541", "/%41"), ("/%7e", "/~"), ("/a", "/a"),
    ("/a/", "/a/"), ("/", "/"), ("http://a", "/"), ("http://a?b", "/"), ("/%2e%2ea", "/..a"),
    ("/a%2eb/c", "/a.b/c"), ("/+", "/+"), ("/a?%zz", "/a"),
  ])
  func decodesOnce(_ target: String, _ expected: String) {
    #expect(decoded(target) == .success(expected))
  }

  @Test(arguments: [
    "/%00", "/a%00.png", "/%2f", "/%2F", "/a%2fb", "/%5c", "/%5C", "/%", "/%2", "/%zz", "/%+1",
    "/%2e", "/%2E%2e", "/a/%2e%2e/b", "/a/.%2e", "/%2e/a", "/%c3%a9", "/%80", "/%0d%0a", "/%0a",
    "/%7f", "/%1b", "/% 1", "/a\\b", "/a\\..\\b",
  ])
  func refusesEncodedMischief(_ target: String) {
    #expect(throws: RequestRejection.self) { try decoded(target).get() }
  }

  @Test func oneRouteTakesEncodedSlashes() {
    #expect(decoded("/v1/models/org%2Fname", slash: true) == .success("/v1/models/org/name"))
    #expect(decoded("/v1/models/org%2F%2e%2e%2Fx", slash: true) == .failure(.badPath))
    #expect(decoded("/v1/models/org%2F%2Fx", slash: true) == .failure(.badPath))
    #expect(decoded("/v1/models/%2e%2e%2Fx", slash: true) == .failure(.badPath))
  }

  @Test func plainPathsNeedNoDecoding() {
    #expect(!parse("GET /a/b?c%20 HTTP/1.1\r\nHost: a\r\n\r\n").0.target.needsDecoding)
    #expect(parse("GET /a%20 HTTP/1.1\r\nHost: a\r\n\r\n").0.target.needsDecoding)
  }

  @Test func absoluteFormIsSplit() {
    let text = "GET http://a.b:81/c?d HTTP/1.1\r\nHost: a.b:81\r\n\r\n"
    let target = parse(text).0.target
    #expect(target.form == .absolute)
    #expect(slice(text, target.authority) == "a.b:81")
    #expect(slice(text, target.path) == "/c" && slice(text, target.query) == "d")
  }

  /// RFC 9112 §3.2.2: the target's host is the one that counts, whatever Host says.
  @Test(arguments: [
    ("http://b:81/", "HTTP/1.1\r\nHost: a:82", "b:81"), ("/", "HTTP/1.1\r\nHost: a:82", "a:82"),
    ("https://b", "HTTP/1.0\r\nHost: a", "b"), ("http://b/", "HTTP/1.0", "b"),
    ("/", "HTTP/1.0", nil),
  ])
  func theTargetsHostWins(_ target: String, _ rest: String, _ authority: String?) {
    let text = "GET \(target) \(rest)\r\n\r\n"
    #expect(slice(text, parse(text).0.authority) == authority)
  }
}

@Suite struct QueryReaderTests {
  private func read(_ query: String) throws -> [String] {
    let bytes = Array(query.utf8)
    var reader = QueryReader(0..<bytes.count)
    var pairs: [String] = []
    while let pair = try reader.next(in: bytes.span) {
      let name = String(decoding: pair.name, as: UTF8.self)
      pairs.append(pair.value.map { "\(name)=\(String(decoding: $0, as: UTF8.self))" } ?? name)
    }
    return pairs
  }

  @Test(arguments: [
    ("download", ["download"]), ("download=a+b%21.png", ["download=a b!.png"]),
    ("a=1&b=2&a=3", ["a=1", "b=2", "a=3"]), ("&&a=&=b&", ["a=", "=b"]), ("a=b=c", ["a=b=c"]),
    ("asset%5Bttl%5D=1h", ["asset[ttl]=1h"]), ("n=%C3%A9", ["n=\u{E9}"]), ("", []),
  ])
  func readsPairs(_ query: String, _ expected: [String]) throws {
    #expect(try read(query) == expected)
  }

  @Test(arguments: ["a=%", "a=%2", "%zz=1", "a=%00", "a=%0d%0aX", "a=%7f"])
  func refusesBadEncoding(_ query: String) {
    #expect(throws: QueryReader.Failure.badEncoding) { try read(query) }
  }

  /// A link's query: nothing is wrong with it (WHATWG URL §5.1).
  @Test(arguments: [
    ("a=%", "a=%"), ("a=%2", "a=%2"), ("%zz=1", "%zz=1"), ("a=50%&b", "a=50%"),
    ("a=%0d%0aX%00", "a=\r\nX\u{0}"), ("a=%25%41+", "a=%A "),
  ])
  func lenientReaderKeepsEverything(_ query: String, _ expected: String) throws {
    let bytes = Array(query.utf8)
    var reader = QueryReader(0..<bytes.count, isLenient: true)
    let pair = try #require(try reader.next(in: bytes.span))
    #expect(pair.name + [0x3D] + (pair.value ?? []) == Array(expected.utf8))
  }

  @Test func isBounded() {
    let query = String(repeating: "a=1&", count: QueryReader.maxPairs)
    #expect((try? read(query))?.count == QueryReader.maxPairs)
    #expect(throws: QueryReader.Failure.tooManyPairs) { try read(query + "a=1") }
  }
}
