// Responses as a client reads them: RFC 9112 §4 and §6.3, with every split.
import Testing

@testable import Wire

private func respond(
  _ text: String, pieces: [Int] = [], answersHead: Bool = false
) -> (ResponseHead, ResponseHead.Outcome) {
  var bytes = Array(text.utf8)
  return respond(&bytes, pieces: pieces, answersHead: answersHead)
}

private func respond(
  _ bytes: inout [UInt8], pieces: [Int] = [], answersHead: Bool = false
) -> (ResponseHead, ResponseHead.Outcome) {
  var head = ResponseHead()
  for end in pieces + [bytes.count] {
    var outcome = head.parse(bytes.span.extracting(0..<end), answersHead: answersHead)
    while case .unfold(let place) = outcome {
      bytes[place...place + 1] = [0x20, 0x20]
      outcome = head.parse(bytes.span.extracting(0..<end), answersHead: answersHead)
    }
    guard case .incomplete = outcome else { return (head, outcome) }
  }
  return (head, .incomplete)
}

@Suite struct ResponseHeadTests {
  @Test(arguments: [
    ("rule 6", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ResponseBody.length(5), true),
    ("rule 4", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", .chunked, true),
    ("rule 8", "HTTP/1.1 200 OK\r\n\r\n", .untilClose, false),
    ("rule 1 204", "HTTP/1.1 204 No Content\r\n\r\n", .none, true),
    ("rule 1 304 with a length", "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", .none, true),
    ("rule 1 100", "HTTP/1.1 100 Continue\r\n\r\n", .none, true),
    ("rule 1 103 with fields", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", .none, true),
    ("rule 5 equal list", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", .length(5), true),
    (
      "rule 5 equal lines", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
      .length(5), true
    ),
    (
      "§9.3 close", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
      .length(0), false
    ),
    ("§9.3 HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", .length(0), false),
    (
      "§9.3 HTTP/1.0 keep-alive",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", .length(0), true
    ),
    ("§4 no reason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", .length(1), true),
    ("§4 no space and no reason", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", .length(1), true),
    (
      "§4 reason above ASCII", "HTTP/1.1 404 Pas trouv\u{E9}\r\nContent-Length: 1\r\n\r\n",
      .length(1), true
    ),
    (
      "§6.3 rule 3: chunked and a length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", .chunked, false
    ),
    (
      "§6.3 rule 3: chunked and lengths that differ",
      "HTTP/1.1 200 OK\r\nContent-Length: 5, x\r\nTransfer-Encoding: chunked\r\n\r\n", .chunked,
      false
    ),
    (
      "§6.1 chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, Chunked\r\n\r\n",
      .chunked, false
    ),
    (
      "§6.1 chunked in two lines",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      .chunked, false
    ),
    (
      "§6.1 HTTP/1.0",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
      .chunked, false
    ),
    (
      "§5.2 folds", "HTTP/1.1 200 OK\r\nX: a\r\n \tb\r\nContent-Length:\r\n\t5\r\n \r\n\r\n",
      .length(5), true
    ),
    (
      "§5.1 space before colon", "HTTP/1.1 200 OK\r\nContent-Length \t: 1\r\n\r\n", .length(1), true
    ),
  ])
  func framesBodies(_ rule: String, _ text: String, _ body: ResponseBody, _ keepsAlive: Bool) {
    let (head, outcome) = respond(text)
    #expect(outcome == .complete(headLength: text.utf8.count), "\(rule)")
    #expect(head.body == body && head.keepsAlive == keepsAlive, "\(rule)")
    for cut in 1..<text.utf8.count {
      let (split, outcome) = respond(text, pieces: [cut])
      #expect(outcome == .complete(headLength: text.utf8.count))
      #expect(split.body == body && split.status == head.status && split.keepsAlive == keepsAlive)
    }
    #expect(respond(text, pieces: Array(1..<text.utf8.count)).0.body == body)
  }

  @Test(arguments: [
    (
      "§6.3 other lengths", "Content-Length: 5\r\nContent-Length: 6\r\n",
      ResponseRejection.badContentLength
    ),
    ("§6.3 list", "Content-Length: 5, 6\r\n", .badContentLength),
    ("§6.3 sign", "Content-Length: +5\r\n", .badContentLength),
    ("§6.3 empty", "Content-Length:\r\n", .badContentLength),
    ("§6.3 overflow", "Content-Length: 9223372036854775808\r\n", .badContentLength),
    ("§6.1 gzip", "Transfer-Encoding: gzip, chunked\r\n", .badTransferEncoding),
    ("§6.1 nothing", "Transfer-Encoding: ,\r\n", .badTransferEncoding),
    ("§5.2 a fold of nothing", " b\r\nX: a\r\n", .obsoleteFold),
    ("§5.2 folds", "X: a\r\n" + String(repeating: " b\r\n", count: 65), .obsoleteFold),
    ("§2.2 bare LF", "X: a\nY: b\r\n", .bareLineEnd),
    ("9110 §5.5 NUL", "X: \u{0}\r\n", .controlCharacter),
    ("9110 §5.1 name", "X Y: a\r\n", .badFieldName),
    ("bounded lines", String(repeating: "X: a\r\n", count: 257), .tooManyFields),
    ("bounded bytes", "X: \(String(repeating: "a", count: 50_000))", .fieldsTooLarge),
  ])
  func refusesFields(_ rule: String, _ fields: String, _ expected: ResponseRejection) {
    #expect(respond("HTTP/1.1 200 OK\r\n\(fields)\r\n").1 == .reject(expected), "\(rule)")
  }

  @Test(arguments: [
    "HTTP/2.0 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK", "HTTP/1.1  200 OK",
    "HTTP/1.1 +20 OK", "http/1.1 200 OK", "HTTP/1.x 200 OK", "", "200 OK", "HTTP/1.1", "ICY 200 OK",
  ])
  func refusesStatusLines(_ line: String) {
    #expect(respond("\(line)\r\n\r\n").1 == .reject(.badStatusLine))
  }

  @Test func statusLineIsBounded() {
    let reason = String(repeating: "a", count: 9000)
    #expect(respond("HTTP/1.1 200 \(reason)").1 == .reject(.statusLineTooLong))
  }

  @Test("256 lines are read, wherever they are cut, and each is found")
  func manyLines() {
    let fillers = (0..<252).map { "X-\($0): \($0)\r\n" }
    let text =
      "HTTP/1.1 200 OK\r\nVia: a\r\n" + fillers.joined()
      + "Content-Length: 5\r\nVia: b\r\n c\r\nETag: x\r\n"
    for split in stride(from: 1, to: text.utf8.count, by: 7) {
      var bytes = Array((text + "\r\n").utf8)
      let (head, outcome) = respond(&bytes, pieces: [split])
      #expect(outcome == .complete(headLength: bytes.count))
      #expect(head.body == .length(5) && head.fieldCount == 256)
      #expect(head.value(of: .etag).map { bytes[$0] } == [0x78])
      let field = head.field(at: 252)
      #expect(bytes[field.name.range].elementsEqual("X-251".utf8))
      #expect(bytes[field.value.range].elementsEqual("251".utf8))
      #expect(bytes[head.field(at: 254).value.range].elementsEqual("b   c".utf8))
    }
    #expect(respond(text + "X: 1\r\n\r\n").1 == .reject(.tooManyFields))
    // Framing is judged by all lines.
    let lengths = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n" + fillers.joined()
    #expect(respond(lengths + "Content-Length: 5\r\n\r\n").1 == .reject(.badContentLength))
    let closed = lengths + "Connection: close\r\n\r\n"
    #expect(respond(closed).0.body == .length(6) && !respond(closed).0.keepsAlive)
    let chunked = respond(lengths + "Transfer-Encoding: chunked\r\n\r\n").0
    #expect(chunked.body == .chunked && !chunked.keepsAlive)
  }

  @Test func aHeadHasNoBody() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    #expect(respond(text, answersHead: true).0.body == .none)
  }

  @Test func theSameValueReadsSeveralHeads() {
    var head = ResponseHead()
    let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    let final = Array("HTTP/1.1 201 Created\r\nContent-Length: 3\r\nETag: x\r\n\r\n".utf8)
    #expect(head.parse(interim.span, answersHead: false) == .complete(headLength: interim.count))
    #expect(head.isInterim)
    #expect(head.parse(final.span, answersHead: false) == .complete(headLength: final.count))
    #expect(head.status == 201 && head.body == .length(3) && head.contains(.etag))
    #expect(head.parse(interim.span, answersHead: false) == .complete(headLength: interim.count))
    #expect(!head.contains(.etag) && head.fieldCount == 0)
  }
}
