// Requests that must be refused, and their harmless neighbours that must not, each with the rule
// that decides it. RFC 9112 unless another is named.
import Testing

@testable import Wire

/// A request head and what must become of it; `nil` is "parses".
private struct Row: CustomTestStringConvertible, Sendable {
  let rule: String
  let text: String
  let expected: RequestRejection?

  init(_ rule: String, _ text: String, _ expected: RequestRejection?) {
    self.rule = rule
    self.text = text
    self.expected = expected
  }

  var testDescription: String { "\(rule): \(text.prefix(60).debugDescription)" }
}

private let host = "Host: a.example\r\n"

/// A POST with these framing fields.
private func framed(_ rule: String, _ fields: String, _ expected: RequestRejection?) -> Row {
  Row(rule, "POST / HTTP/1.1\r\n\(host)\(fields)\r\n", expected)
}

/// A GET of this target.
private func target(_ rule: String, _ target: String, _ expected: RequestRejection?) -> Row {
  Row(rule, "GET \(target) HTTP/1.1\r\n\(host)\r\n", expected)
}

private let framingRows: [Row] = [
  framed("§6.3 length", "Content-Length: 5\r\n", nil),
  framed("§6.3 chunked", "Transfer-Encoding: chunked\r\n", nil),
  framed("§7 codings are case-insensitive", "transfer-encoding:CHUNKED\r\n", nil),
  framed("§6.1 CL.TE", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .conflictingFraming),
  framed("§6.1 TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", .conflictingFraming),
  framed(
    "§6.1 TE.CL zero", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", .conflictingFraming),
  framed(
    "§6.1 bad TE and CL", "Transfer-Encoding: x\r\nContent-Length: 5\r\n", .conflictingFraming),
  framed("§6.3 two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", .badContentLength),
  framed("§6.3 equal lengths", "Content-Length: 5\r\nContent-Length: 5\r\n", .badContentLength),
  framed("§6.3 list of lengths", "Content-Length: 5, 5\r\n", .badContentLength),
  framed("9110 §8.6 plus", "Content-Length: +5\r\n", .badContentLength),
  framed("9110 §8.6 minus", "Content-Length: -5\r\n", .badContentLength),
  framed("9110 §8.6 hex", "Content-Length: 0x5\r\n", .badContentLength),
  framed("9110 §8.6 letter", "Content-Length: 5a\r\n", .badContentLength),
  framed("9110 §8.6 underscore", "Content-Length: 1_0\r\n", .badContentLength),
  framed("9110 §8.6 fraction", "Content-Length: 5.0\r\n", .badContentLength),
  framed("9110 §8.6 exponent", "Content-Length: 1e3\r\n", .badContentLength),
  framed("9110 §8.6 space inside", "Content-Length: 1 0\r\n", .badContentLength),
  framed("9110 §8.6 empty", "Content-Length:\r\n", .badContentLength),
  framed("9110 §8.6 blank", "Content-Length: \t \r\n", .badContentLength),
  framed("9110 §8.6 quoted", "Content-Length: \"5\"\r\n", .badContentLength),
  framed("9110 §8.6 wide digits", "Content-Length: \u{FF15}\r\n", .badContentLength),
  framed("9110 §8.6 arabic digits", "Content-Length: \u{0665}\r\n", .badContentLength),
  framed("9110 §8.6 largest", "Content-Length: 9223372036854775807\r\n", nil),
  framed("9110 §8.6 overflow", "Content-Length: 9223372036854775808\r\n", .badContentLength),
  framed("9110 §8.6 wraps 64 bits", "Content-Length: 18446744073709551621\r\n", .badContentLength),
  framed(
    "9110 §8.6 very long", "Content-Length: \(String(repeating: "9", count: 200))\r\n",
    .badContentLength),
  framed("9110 §8.6 leading zeros", "Content-Length: 0005\r\n", nil),
  framed("9110 §8.6 OWS around", "Content-Length: \t5 \r\n", nil),
  framed("§6.1 gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", .badTransferEncoding),
  framed("§6.1 chunked not last", "Transfer-Encoding: chunked, gzip\r\n", .badTransferEncoding),
  framed("§6.1 chunked twice", "Transfer-Encoding: chunked, chunked\r\n", .badTransferEncoding),
  framed(
    "§6.1 two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    .badTransferEncoding),
  framed(
    "§6.1 hidden second line", "Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n",
    .badTransferEncoding),
  framed("§6.1 identity", "Transfer-Encoding: identity\r\n", .badTransferEncoding),
  framed("§6.1 misspelled", "Transfer-Encoding: xchunked\r\n", .badTransferEncoding),
  framed("§6.1 empty", "Transfer-Encoding:\r\n", .badTransferEncoding),
  framed("§6.1 comma", "Transfer-Encoding: chunked,\r\n", .badTransferEncoding),
  framed("§6.1 leading comma", "Transfer-Encoding: ,chunked\r\n", .badTransferEncoding),
  framed("§7 parameter", "Transfer-Encoding: chunked;q=1\r\n", .badTransferEncoding),
  framed("§6.1 quoted", "Transfer-Encoding: \"chunked\"\r\n", .badTransferEncoding),
  framed("§6.1 kelvin sign", "Transfer-Encoding: chun\u{212A}ed\r\n", .badTransferEncoding),
  framed("§6.1 NBSP", "Transfer-Encoding: \u{A0}chunked\r\n", .badTransferEncoding),
  framed("§6.1 vertical tab", "Transfer-Encoding: \u{0B}chunked\r\n", .controlCharacter),
  framed("§6.1 form feed", "Transfer-Encoding: chunked\u{0C}\r\n", .controlCharacter),
  framed("§6.1 NUL", "Transfer-Encoding: chunked\u{0}\r\n", .controlCharacter),
  Row(
    "§6.1 TE in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    .badTransferEncoding),
  Row("§6.3 length in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", nil),
]

private let lineRows: [Row] = [
  framed("§5.1 space before colon", "Content-Length : 5\r\n", .spaceBeforeColon),
  framed("§5.1 tab before colon", "Transfer-Encoding\t: chunked\r\n", .spaceBeforeColon),
  framed("§5.1 space inside name", "Content Length: 5\r\n", .spaceBeforeColon),
  framed("§5.2 folded value", "X: a\r\n b\r\n", .obsoleteFold),
  framed("§5.2 folded by tab", "X: a\r\n\tb\r\n", .obsoleteFold),
  framed("§5.2 folded framing", "Transfer-Encoding:\r\n chunked\r\n", .obsoleteFold),
  Row("§2.2 space before first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsoleteFold),
  framed("§2.2 bare LF", "X: a\nContent-Length: 5\r\n", .bareLineEnd),
  framed("§2.2 bare CR", "X: a\rContent-Length: 5\r\n", .bareLineEnd),
  framed("§2.2 CR CR LF", "X: a\r\r\n", .bareLineEnd),
  framed("§2.2 LF ends the head", "X: a\r\n\n", .bareLineEnd),
  framed("§2.2 CR ends the head", "X: a\r\n\rX", .bareLineEnd),
  framed("§2.2 LF in a name", "X\n: a\r\n", .bareLineEnd),
  framed("§2.2 CR in a name", "X\r: a\r\n", .bareLineEnd),
  framed("9110 §5.5 NUL in a value", "X: a\u{0}b\r\n", .controlCharacter),
  framed("9110 §5.5 DEL in a value", "X: a\u{7F}b\r\n", .controlCharacter),
  framed("9110 §5.5 ESC in a value", "X: \u{1B}[31m\r\n", .controlCharacter),
  framed("9110 §5.1 NUL in a name", "X\u{0}Y: a\r\n", .controlCharacter),
  framed("9110 §5.5 tab in a value", "X: a\tb\r\n", nil),
  framed("9110 §5.5 text above ASCII", "X: gr\u{FC}n\r\n", nil),
  framed("9110 §5.5 empty value", "X:\r\n", nil),
  framed("9110 §5.5 colons in a value", "X: a:b::c\r\n", nil),
  framed("9110 §5.1 empty name", ": a\r\n", .badFieldName),
  framed("9110 §5.1 no colon", "Content-Length\r\n", .bareLineEnd),
  framed("9110 §5.1 separator in a name", "Transfer(Encoding): chunked\r\n", .badFieldName),
  framed("9110 §5.1 comma in a name", "a,b: c\r\n", .badFieldName),
  framed("9110 §5.1 slash in a name", "a/b: c\r\n", .badFieldName),
  framed("9110 §5.1 at in a name", "a@b: c\r\n", .badFieldName),
  framed("9110 §5.1 brace in a name", "a{b: c\r\n", .badFieldName),
  framed("9110 §5.1 quote in a name", "\"Host\": c\r\n", .badFieldName),
  framed("9110 §5.1 letter above ASCII", "H\u{F6}st: c\r\n", .badFieldName),
  framed("9110 §5.6.2 all of tchar", "!#$%&'*+-.^_`|~09azAZ: c\r\n", nil),
]

private let requestLineRows: [Row] = [
  Row("§2.2 one empty line first", "\r\nGET / HTTP/1.1\r\n\(host)\r\n", nil),
  Row("§2.2 two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§2.2 bare LF first", "\nGET / HTTP/1.1\r\n\(host)\r\n", .bareLineEnd),
  Row("§2.2 bare CR first", "\rGET / HTTP/1.1\r\n\(host)\r\n", .bareLineEnd),
  Row("§2.2 LF ends the line", "GET / HTTP/1.1\n\(host)\r\n", .bareLineEnd),
  Row("§3 two spaces", "GET  / HTTP/1.1\r\n\(host)\r\n", .badTarget),
  Row("§3 two spaces before version", "GET /  HTTP/1.1\r\n\(host)\r\n", .badTarget),
  Row("§3 space first", " GET / HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§3 space last", "GET / HTTP/1.1 \r\n\(host)\r\n", .badRequestLine),
  Row("§3 tab", "GET\t/ HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§3 space in target", "GET /a b HTTP/1.1\r\n\(host)\r\n", .badTarget),
  Row("§3 smuggled version", "GET / HTTP/1.1 HTTP/1.1\r\n\(host)\r\n", .badTarget),
  Row("§3 no target", "GET HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§3 empty target", "GET  HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§3 no version (HTTP/0.9)", "GET /\r\n\(host)\r\n", .badRequestLine),
  Row("§3.1 no method", "/ HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§3.1 method is no token", "GE(T / HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§3.1 lower case is another method", "get / HTTP/1.1\r\n\(host)\r\n", nil),
  Row("§3.1 unknown method", "BREW / HTTP/1.1\r\n\(host)\r\n", nil),
  Row("9110 §9.3.8 TRACE is a path's to refuse", "TRACE / HTTP/1.1\r\n\(host)\r\n", nil),
  Row("9110 §9.3.6 CONNECT of a path", "CONNECT /a HTTP/1.1\r\n\(host)\r\n", nil),
  Row("9110 §9.3.6 CONNECT", "CONNECT a:443 HTTP/1.1\r\n\(host)\r\n", .methodNotImplemented),
  Row("§2.3 lower case version", "GET / http/1.1\r\n\(host)\r\n", .badRequestLine),
  Row("§2.3 short version", "GET / HTTP/1\r\n\(host)\r\n", .badRequestLine),
  Row("§2.3 long version", "GET / HTTP/1.10\r\n\(host)\r\n", .badRequestLine),
  Row("§2.3 letter in version", "GET / HTTP/1.x\r\n\(host)\r\n", .badRequestLine),
  Row("§2.3 comma in version", "GET / HTTP/1,1\r\n\(host)\r\n", .badRequestLine),
  Row("§2.3 other protocol", "GET / ICAP/1.0\r\n\(host)\r\n", .badRequestLine),
  Row("9110 §15.6.6 HTTP/2.0", "GET / HTTP/2.0\r\n\(host)\r\n", .versionNotSupported),
  Row("9110 §15.6.6 HTTP/1.2", "GET / HTTP/1.2\r\n\(host)\r\n", .versionNotSupported),
  Row("9110 §15.6.6 HTTP/0.9", "GET / HTTP/0.9\r\n\(host)\r\n", .versionNotSupported),
  Row("9113 §3.4 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionNotSupported),
  Row("8446 §5.1 TLS on a plain port", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", .badRequestLine),
  Row("§3 NUL", "GET /\u{0} HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
]

private let targetRows: [Row] = [
  target("§3.2.1 origin form", "/a/b.png?c=d&e", nil),
  target("§3.2.1 trailing slash", "/a/", nil),
  target("§3.2.1 dots in names", "/a/.b/..c/d../...", nil),
  target("§3.2.1 no slash", "a", .badTarget),
  target("§3.2.1 query alone", "?a", .badTarget),
  target("§3.2.4 asterisk with GET", "*", .badTarget),
  Row("§3.2.4 asterisk with OPTIONS", "OPTIONS * HTTP/1.1\r\n\(host)\r\n", nil),
  target("§3.2.3 authority form", "a.example:80", .badTarget),
  target("9110 §7.1 fragment", "/a#b", .badTarget),
  target("9110 §7.1 fragment in query", "/a?b#c", .badTarget),
  target("3986 §2 above ASCII", "/\u{E9}", .badTarget),
  target("3986 §2 above ASCII in query", "/?\u{E9}", .badTarget),
  target("3986 §3.3 empty segment", "//a", .badPath),
  target("3986 §3.3 empty segment inside", "/a//b", .badPath),
  target("3986 §6.2.2.3 dot", "/./a", .badPath),
  target("3986 §6.2.2.3 dot last", "/a/.", .badPath),
  target("3986 §6.2.2.3 dot dot", "/a/../b", .badPath),
  target("3986 §6.2.2.3 dot dot last", "/a/..", .badPath),
  target("3986 §6.2.2.3 dot dot before query", "/a/..?b", .badPath),
  target("3986 §3.4 dots in query", "/a?../..//b", nil),
  target("§3.2.2 absolute form", "http://a.example/b", nil),
  target("§3.2.2 absolute form, case", "HTTP://A.Example/b", nil),
  target("§3.2.2 absolute form, https", "https://a.example", nil),
  target("§3.2.2 other host", "http://b.example/", nil),
  target("§3.2.2 other port", "http://a.example:81/", nil),
  target("§3.2.2 user", "http://u@a.example/", .badTarget),
  target("§3.2.2 no host", "http:///a", .badTarget),
  target("§3.2.2 other scheme", "ftp://a.example/", .badTarget),
  target("§3.2.2 dots after authority", "http://a.example/../b", .badPath),
]

private let hostRows: [Row] = [
  Row("§3.2 no Host", "GET / HTTP/1.1\r\n\r\n", .missingHost),
  Row("§3.2 no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", nil),
  Row("§3.2 two Hosts", "GET / HTTP/1.1\r\n\(host)\(host)\r\n", .badHost),
  Row("§3.2 two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n\(host)\(host)\r\n", .badHost),
  Row("9110 §4.2.1 empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .badHost),
  Row("9110 §7.2 list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .badHost),
  Row("9110 §7.2 space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .badHost),
  Row("9110 §7.2 user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .badHost),
  Row("9110 §7.2 path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badHost),
  Row("9110 §7.2 markup", "GET / HTTP/1.1\r\nHost: a\"><b\r\n\r\n", .badHost),
  Row("9110 §7.2 port letters", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", .badHost),
  Row("9110 §7.2 port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", .badHost),
  Row("9110 §7.2 port empty", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", .badHost),
  Row("9110 §7.2 port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", .badHost),
  Row("3986 §3.2.2 IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", nil),
  Row("3986 §3.2.2 IPv6 unclosed", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .badHost),
  Row("3986 §3.2.2 IPv6 and more", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", .badHost),
  Row("3986 §3.2.2 IPv6 zone", "GET / HTTP/1.1\r\nHost: [fe80::1%eth0]\r\n\r\n", .badHost),
]

private let limitRows: [Row] = [
  Row("§3 longest line", "GET /\(text(8192 - 14)) HTTP/1.1\r\n\(host)\r\n", nil),
  Row("§3 line too long", "GET /\(text(8193 - 14)) HTTP/1.1\r\n\(host)\r\n", .requestLineTooLong),
  Row("§3 line without end", "GET /\(text(20_000))", .requestLineTooLong),
  Row("§3 method without end", text(20_000), .requestLineTooLong),
  Row("6585 §5 largest section", sized(32_768), nil),
  Row("6585 §5 section too large", sized(32_769), .fieldsTooLarge),
  Row("6585 §5 value without end", "GET / HTTP/1.1\r\nX: \(text(40_000))", .fieldsTooLarge),
  Row("6585 §5 name without end", "GET / HTTP/1.1\r\n\(text(40_000))", .fieldsTooLarge),
  Row("6585 §5 100 fields", many(99), nil),
  Row("6585 §5 101 fields", many(100), .tooManyFields),
]

private func text(_ count: Int) -> String { String(repeating: "a", count: count) }

/// A head whose header section has exactly `count` bytes.
private func sized(_ count: Int) -> String {
  "GET / HTTP/1.1\r\n\(host)X: \(text(count - host.utf8.count - 7))\r\n\r\n"
}

/// A head with Host and `count` other fields.
private func many(_ count: Int) -> String {
  "GET / HTTP/1.1\r\n\(host)\(String(repeating: "X: a\r\n", count: count))\r\n"
}

@Suite struct HostileRequestTests {
  @Test func thereAreAHundredRows() {
    let tables = [framingRows, lineRows, requestLineRows, targetRows, hostRows, limitRows]
    #expect(tables.reduce(0) { $0 + $1.count } >= 150)
  }

  @Test(arguments: framingRows) private func framing(_ row: Row) { check(row) }
  @Test(arguments: lineRows) private func lines(_ row: Row) { check(row) }
  @Test(arguments: requestLineRows) private func requestLines(_ row: Row) { check(row) }
  @Test(arguments: targetRows) private func targets(_ row: Row) { check(row) }
  @Test(arguments: hostRows) private func hosts(_ row: Row) { check(row) }
  @Test(arguments: limitRows) private func limits(_ row: Row) { check(row) }

  /// The verdict of the whole, of two halves around every cut (of a few, for the large ones), and
  /// of single bytes.
  private func check(_ row: Row) {
    let bytes = Array(row.text.utf8)
    let (_, whole) = parseInPieces(bytes, [bytes.count])
    if let expected = row.expected {
      #expect(whole == .reject(expected))
    } else {
      #expect(whole == .complete(headLength: bytes.count))
    }
    for cut in stride(from: 1, to: bytes.count, by: 1 + bytes.count / 200) {
      let (_, outcome) = parseInPieces(bytes, [cut, bytes.count])
      #expect(outcome == whole, "cut at \(cut)")
    }
    let (_, dribbled) = parseInPieces(bytes, Array(repeating: 1, count: bytes.count))
    #expect(dribbled == whole)
  }
}

@Suite struct RequestRejectionTests {
  @Test func statusesAreThoseOfThePolicy() {
    #expect(RequestRejection.requestLineTooLong.status == 414)
    #expect(RequestRejection.fieldsTooLarge.status == 431)
    #expect(RequestRejection.tooManyFields.status == 431)
    #expect(RequestRejection.methodNotImplemented.status == 501)
    #expect(RequestRejection.versionNotSupported.status == 505)
    let others = RequestRejection.allCases.filter { $0.status == 400 }
    #expect(others.count == RequestRejection.allCases.count - 5)
    for rejection in RequestRejection.allCases {
      #expect(rejection.reason.utf8CodeUnitCount > 0)
    }
  }
}
