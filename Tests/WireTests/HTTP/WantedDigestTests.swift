// Want-Repr-Digest (RFC 9530 §4), a dictionary of RFC 9651.
import Testing

@testable import Wire

@Suite struct WantedDigestTests {
  @Test(arguments: [
    ("9530 §4 one", ["sha-256=1"], true), ("9530 §4 strongest", ["sha-256=10"], true),
    ("9530 §4 not acceptable", ["sha-256=0"], false),
    ("9530 §4 among others", ["sha-512=3, sha-256=10, unixsum=0"], true),
    ("9530 §4 others", ["sha-512=10, unixsum=1"], false),
    ("9530 §4 two lines", ["sha-512=10", "sha-256=2"], true),
    ("9651 §4.2.2 the last counts", ["sha-256=3, sha-256=0"], false),
    ("9651 §4.2.2 the last line counts", ["sha-256=0", "sha-256=3"], true),
    ("9651 §3.1.2 parameters", ["sha-256=3;a=0"], true),
    ("9651 §3.1.2 parameters of none", ["sha-256=0;a=3"], false),
    ("9651 §3.2 alone", ["sha-256"], true),
    ("9651 §3.2 keys are in lower case", ["SHA-256=5"], false),
    ("9651 §3.2 longer key", ["sha-2567=5, xsha-256=5"], false),
    ("9651 §3.3.1 no number", ["sha-256=x"], false), ("9651 §3.3.1 sign", ["sha-256=-1"], false),
    ("9651 §3.3.1 nothing", ["sha-256="], false), ("9651 §3.3.3 string", ["sha-256=\"5\""], false),
    ("9651 §3.3.1 huge", ["sha-256=99999999999999999999"], false),
    ("9651 §3.3.3 inside of a string", ["a=\", sha-256=5, \""], false),
    ("empty", [""], false), ("absent", [], false),
  ])
  func reads(_ rule: String, _ values: [String], _ expected: Bool) {
    let lines = values.map { "Want-Repr-Digest: \($0)\r\n" }.joined()
    let text = "GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n"
    let head = parse(text).0
    #expect(head.fields.wantsSHA256(in: Array(text.utf8).span) == expected, "\(rule)")
  }
}
