// Random bytes at every parser: none may trap, and none may depend on how the bytes are split. The
// seed is fixed; ASSETD_FUZZ_ROUNDS asks for more than the small budget of a test run.
import Foundation
import Testing

@testable import Wire

/// SplitMix64: small, and the same everywhere.
private struct Random: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// A seed text with a few bytes changed, dropped, doubled or made up.
  mutating func mutant(of seeds: [String]) -> [UInt8] {
    var bytes = Array((seeds.randomElement(using: &self) ?? "").utf8)
    for _ in 0..<Int.random(in: 0...4, using: &self) {
      let place = Int.random(in: 0...bytes.count, using: &self)
      switch Int.random(in: 0...3, using: &self) {
      case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &self)
      case 1 where place < bytes.count: bytes.remove(at: place)
      case 2: bytes.insert(contentsOf: bytes[0..<place].suffix(9), at: place)
      default: bytes.insert(Self.telling.randomElement(using: &self) ?? 0, at: place)
      }
    }
    return bytes
  }

  private static let telling = Array("\r\n\t\0 :;,=\"\\/%?#@[]*-.+09afAFxX\u{7F}\u{E9}".utf8)
}

private let rounds: Int = {
  let asked = ProcessInfo.processInfo.environment["ASSETD_FUZZ_ROUNDS"] ?? ""
  return Int(asked) ?? 4000
}()

@Suite struct HTTPFuzzTests {
  @Test func requestHeads() {
    var random = Random(state: 1)
    let seeds = [
      RequestHeadTests.browser,
      "POST /v1/a%20b/c?d=e&f HTTP/1.1\r\nHost: a:1\r\nContent-Length: 12\r\n"
        + "Expect: 100-continue\r\n\r\n",
      "GET http://[::1]:8/x HTTP/1.0\r\nConnection: close, keep-alive\r\nRange: bytes=0-9\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nIf-Match: \"a\", W/\"b\"\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=\"[::1]:2\";proto=http\r\n"
        + "X-Forwarded-For: 1.2.3.4\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        + "Range: bytes=-5\r\n\r\n",
    ]
    let etag = Array(repeating: UInt8(0x61), count: 64)
    let facts = RepresentationFacts(lastModified: 784_111_777, size: 10)
    var complete = 0
    for _ in 0..<rounds {
      let bytes = random.mutant(of: seeds)
      let (head, whole) = parseInPieces(bytes, [bytes.count])
      let cut = Int.random(in: 0...bytes.count, using: &random)
      #expect(parseInPieces(bytes, [cut, bytes.count]).1 == whole, "\(bytes)")
      guard case .complete = whole else { continue }
      complete += 1
      _ = try? head.target.decodedPath(
        in: bytes.span, allowsEncodedSlash: Bool.random(using: &random))
      var query = QueryReader(head.target.query)
      while (try? query.next(in: bytes.span)) != nil {}
      query = QueryReader(head.target.query, isLenient: true)
      while let pair = try? query.next(in: bytes.span) {
        let name = pair.value ?? []
        let value = ContentDisposition.attachment.value(fileName: name.span)
        #expect(value.allSatisfy { (0x20..<0x7F).contains($0) }, "\(bytes)")
      }
      _ = head.fields.wantsSHA256(in: bytes.span)
      let plan = DeliveryPlan(of: facts, etag: etag.span, asked: head, in: bytes.span, now: 0)
      #expect(plan.offset >= 0 && plan.length >= 0 && plan.offset + plan.length <= facts.size)
      _ = ForwardedRequest(head.fields, in: bytes.span) { _ in true }
    }
    #expect(complete > rounds / 10)
  }

  @Test func responseHeadsAndChunks() {
    var random = Random(state: 2)
    let heads = [
      "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nConnection: close\r\n\r\n",
      "HTTP/1.0 404\r\nTransfer-Encoding : chunked\r\n\r\n",
    ]
    let bodies = ["4;a=\"b\"\r\nWiki\r\n0\r\nA: b\r\n\r\n", "7FFFFFFFFFFFFFFF\r\nabc", "0\r\n\r\n"]
    for _ in 0..<rounds {
      let bytes = random.mutant(of: heads)
      var head = ResponseHead()
      let whole = head.parse(bytes.span, answersHead: false)
      var split = ResponseHead()
      let cut = Int.random(in: 0...bytes.count, using: &random)
      var outcome = split.parse(bytes.span.extracting(0..<cut), answersHead: false)
      if outcome == .incomplete { outcome = split.parse(bytes.span, answersHead: false) }
      #expect(outcome == whole, "\(bytes)")

      let body = random.mutant(of: bodies)
      var decoder = ChunkedDecoder()
      var start = 0
      while let step = try? decoder.next(body.span.extracting(start..<body.count)) {
        guard case .data(let range, let consumed) = step else { break }
        #expect(!range.isEmpty && consumed == range.upperBound && start + consumed <= body.count)
        start += consumed
      }
    }
  }

  @Test func values() {
    var random = Random(state: 3)
    let seeds = [
      "bytes=0-9", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994", "http://u@[2001:db8::1.2.3.4]:80/a?b#c", "https://a.b.c:1/",
      "multipart/form-data; boundary=\"a\\b\"; x=y", "2001:db8::1", "127.0.0.1", "10.0.0.0/8",
      "::ffff:1.2.3.4", "\"a\", W/\"b\", *", "\u{1F600}.png",
    ]
    for _ in 0..<rounds {
      let bytes = random.mutant(of: seeds)
      let span = bytes.span
      let size = Int64.random(in: 0...Int64.max, using: &random)
      if case .part(let offset, let length) = ByteRange(span, size: size) {
        #expect(offset >= 0 && length > 0 && length <= size - offset)
      }
      if let time = HTTPDate.parse(span, now: Int64.random(in: .min ... .max, using: &random)) {
        let text = HTTPDate.format(time)
        let copy = (0..<29).map { text[$0] }
        #expect(HTTPDate.parse(copy.span, now: 0) == time)
      }
      if let url = try? AbsoluteURL(span) { #expect(!url.origin(in: span).isEmpty) }
      if let type = ContentType(span) { _ = type.parameter("boundary", in: span) }
      _ = IPAddress(span)?.addressClass
      _ = EntityTag.list(span, 0..<bytes.count, names: span, weakly: true)
      let disposition = ContentDisposition.attachment.value(fileName: span)
      #expect(disposition.allSatisfy { (0x20..<0x7F).contains($0) })
    }
  }
}
