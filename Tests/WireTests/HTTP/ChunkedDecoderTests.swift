// Chunked bodies, RFC 9112 §7.1, with every split.
import Testing

@testable import Wire

/// The body of `bytes`, fed up to each of the ends in turn, and how many bytes it took.
private func decode(
  _ bytes: [UInt8], _ ends: some Sequence<Int>, ofAnswer: Bool = false
) throws(ChunkedFailure) -> (body: [UInt8], consumed: Int, finished: Bool) {
  var decoder = ChunkedDecoder(ofAnswer: ofAnswer)
  var body: [UInt8] = []
  var start = 0
  for end in ends {
    while true {
      let input = bytes.span.extracting(start..<end)
      switch try decoder.next(input) {
      case .data(let range, let consumed):
        body += bytes[start + range.lowerBound..<start + range.upperBound]
        start += consumed
        continue
      case .incomplete(let consumed): start += consumed
      case .finished(let consumed): return (body, start + consumed, true)
      }
      break
    }
  }
  return (body, start, false)
}

private func whole(_ text: String) throws(ChunkedFailure) -> String {
  let bytes = Array(text.utf8)
  let result = try decode(bytes, [bytes.count])
  return String(decoding: result.body, as: UTF8.self)
    + (result.finished ? "" : "…") + String(repeating: "+", count: bytes.count - result.consumed)
}

@Suite struct ChunkedDecoderTests {
  @Test(arguments: [
    ("§7.1", "4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", "Wikipedia"),
    ("§7.1 empty", "0\r\n\r\n", ""),
    ("§7.1 zeros", "000\r\n\r\n", ""),
    ("§7.1 leading zeros", "0004\r\nWiki\r\n0\r\n\r\n", "Wiki"),
    (
      "§7.1 hex in both cases", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
      "01234567890123456789"
    ),
    ("§7.1.1 extensions", "1;a=b;c=\"d\"\r\nx\r\n0;last\r\n\r\n", "x"),
    ("§7.1.2 trailers", "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x"),
    ("§6.3 pipelined", "1\r\nx\r\n0\r\n\r\nGET", "x+++"),
    ("§8 cut short", "5\r\nab", "ab…"),
    ("§7.1 line ends in data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
  ])
  func decodes(_ rule: String, _ text: String, _ expected: String) throws {
    #expect(try whole(text) == expected, "\(rule)")
  }

  @Test("An answer's sizes may have white space behind them; a request's may not")
  func blanksAfterSizes() throws {
    let bytes = Array("4 \r\nWiki\r\n5\t ;a\r\npedia\r\n0  \r\n\r\n".utf8)
    for ends in [[bytes.count], Array(0...bytes.count)] {
      let result = try decode(bytes, ends, ofAnswer: true)
      #expect(result.body == Array("Wikipedia".utf8) && result.finished)
    }
    #expect(throws: ChunkedFailure.badSize) { try decode(bytes, [bytes.count]) }
    for text in ["4 4\r\n", "4 x\r\n"] {
      let bytes = Array(text.utf8)
      #expect(throws: ChunkedFailure.badSize) { try decode(bytes, [bytes.count], ofAnswer: true) }
    }
    let endless = Array(("4" + String(repeating: " ", count: 300)).utf8)
    #expect(throws: ChunkedFailure.sizeLineTooLong) {
      try decode(endless, [endless.count], ofAnswer: true)
    }
  }

  @Test(arguments: [
    ("§7.1 sign", "+5\r\n", ChunkedFailure.badSize),
    ("§7.1 minus", "-1\r\n", .badSize),
    ("§7.1 0x", "0x5\r\n", .badSize),
    ("§7.1 empty size", "\r\n", .badSize),
    ("§7.1 space first", " 5\r\n", .badSize),
    ("§7.1 space last", "5 \r\n", .badSize),
    ("§7.1 space before extension", "5 ;a\r\n", .badSize),
    ("§7.1 underscore", "1_0\r\n", .badSize),
    ("§7.1 63 bits", "8000000000000000\r\n", .badSize),
    ("§7.1 64 bits", "FFFFFFFFFFFFFFFF\r\n", .badSize),
    ("§7.1 65 bits", "10000000000000000\r\n", .badSize),
    ("§7.1 wraps", "100000000000000005\r\n", .badSize),
    ("§2.2 bare LF", "5\nabcde\r\n", .badLineEnd),
    ("§2.2 bare CR", "5\rabcde\r\n", .badLineEnd),
    ("§7.1.1 bare LF in extension", "5;a\nabcde\r\n", .badLineEnd),
    ("§7.1.1 NUL in extension", "5;a\u{0}\r\n", .badLineEnd),
    ("§7.1 chunk too long", "2\r\nabc\r\n", .missingLineEnd),
    ("§7.1 no CRLF after data", "2\r\nab0\r\n\r\n", .missingLineEnd),
    ("§7.1 LF after data", "2\r\nab\n0\r\n\r\n", .missingLineEnd),
    ("§7.1 CR alone after data", "2\r\nab\r0\r\n\r\n", .missingLineEnd),
    ("§7.1.2 LF ends trailers", "0\r\n\n", .badLineEnd),
    ("§7.1.2 CR alone ends trailers", "0\r\n\rX", .badLineEnd),
    ("§7.1.2 LF ends a trailer", "0\r\nA: b\n\r\n", .badLineEnd),
    ("§5.1 space before colon", "0\r\nA : b\r\n\r\n", .badTrailer),
    ("§5.2 folded trailer", "0\r\nA: b\r\n c\r\n\r\n", .badTrailer),
    ("§5 no colon", "0\r\nA\r\n\r\n", .badTrailer),
    ("§5 empty name", "0\r\n: b\r\n\r\n", .badTrailer),
    ("9110 §5.5 NUL in trailer", "0\r\nA: \u{0}\r\n\r\n", .badTrailer),
    ("§3 request as trailer", "0\r\nGET / HTTP/1.1\r\n\r\n", .badTrailer),
  ])
  func refuses(_ rule: String, _ text: String, _ expected: ChunkedFailure) {
    #expect(throws: expected, "\(rule)") { try whole(text) }
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      #expect(throws: expected) { try decode(bytes, [cut, bytes.count]) }
    }
  }

  @Test func everySplitDecodesTheSame() throws {
    let text = "4;x=y\r\nWiki\r\n0010\r\n0123\r\n\r\n89abcdef\r\n0\r\nA: b\r\nC-d:\te\r\n\r\nGET"
    let bytes = Array(text.utf8)
    let expected = try decode(bytes, [bytes.count])
    #expect(expected.finished && expected.consumed == bytes.count - 3)
    for cut in 0...bytes.count {
      let split = try decode(bytes, [cut, bytes.count])
      #expect(split == expected, "cut at \(cut)")
    }
    #expect(try decode(bytes, 0...bytes.count) == expected)
  }

  @Test func limitsHold() throws {
    let longest = "1;" + String(repeating: "a", count: 254) + "\r\nx\r\n"
    #expect(try whole(longest + "0\r\n\r\n") == "x")
    #expect(throws: ChunkedFailure.sizeLineTooLong) {
      try whole("1;" + String(repeating: "a", count: 255) + "\r\n")
    }
    #expect(throws: ChunkedFailure.sizeLineTooLong) {
      try whole(String(repeating: "0", count: 300))
    }
    #expect(throws: ChunkedFailure.extensionsTooLong) {
      try whole(String(repeating: longest, count: 17))
    }
    let trailer = "A: " + String(repeating: "b", count: 8192 - 7) + "\r\n\r\n"
    #expect(try whole("0\r\n" + trailer) == "")
    #expect(throws: ChunkedFailure.trailersTooLong) { try whole("0\r\nA" + trailer) }
    #expect(try whole("7FFFFFFFFFFFFFFF\r\nab") == "ab…")
  }

  @Test func writesWhatItReads() throws {
    var buffer = ByteBuffer(capacity: 64)
    #expect(holds(buffer.appendChunkHead(size: 11)))
    #expect(holds(buffer.append("hello world\r\n") && buffer.appendLastChunk()))
    let text = buffer.withSpan { span in span.indices.map { span[$0] } }
    #expect(String(decoding: text, as: UTF8.self) == "b\r\nhello world\r\n0\r\n\r\n")
    #expect(try whole(String(decoding: text, as: UTF8.self)) == "hello world")
  }
}
