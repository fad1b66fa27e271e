// Request heads that must parse, what they say, and that every split of the bytes parses the same.
import Testing

@testable import Wire

/// Parses `bytes` as they would arrive in pieces of the given sizes; the last answer.
func parseInPieces(_ bytes: [UInt8], _ pieces: [Int], limits: RequestLimits = RequestLimits())
  -> (RequestHead, RequestHead.Outcome)
{
  var head = RequestHead()
  var outcome = RequestHead.Outcome.incomplete
  var end = 0
  for piece in pieces {
    end = min(end + piece, bytes.count)
    outcome = head.parse(bytes.span.extracting(0..<end), limits: limits)
    guard case .incomplete = outcome else { break }
  }
  return (head, outcome)
}

func parse(_ text: String, limits: RequestLimits = RequestLimits())
  -> (RequestHead, RequestHead.Outcome)
{
  let bytes = Array(text.utf8)
  return parseInPieces(bytes, [bytes.count], limits: limits)
}

func slice(_ text: String, _ range: Range<Int>?) -> String? {
  range.map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) }
}

@Suite struct RequestHeadTests {
  static let browser = """
    GET /v1/temp-images/AQEAAAAAAABkYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0.png?download HTTP/1.1\r
    Host: images.example.com\r
    Connection: keep-alive\r
    sec-ch-ua: "Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"\r
    sec-ch-ua-mobile: ?0\r
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36\r
    sec-ch-ua-platform: "Linux"\r
    Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r
    Sec-Fetch-Site: cross-site\r
    Sec-Fetch-Mode: no-cors\r
    Sec-Fetch-Dest: image\r
    Referer: https://gateway.example.com/chat/3\r
    Accept-Encoding: gzip, deflate, br, zstd\r
    Accept-Language: en-GB,en;q=0.9\r
    If-None-Match: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"\r
    \r

    """

  @Test func readsABrowsersHead() {
    let (head, outcome) = parse(Self.browser)
    #expect(outcome == .complete(headLength: Self.browser.utf8.count))
    #expect(head.method == .get && head.isHTTP11 && head.keepsAlive && head.body == .none)
    #expect(head.fields.count == 14)
    #expect(slice(Self.browser, head.fields.value(of: .host)) == "images.example.com")
    #expect(slice(Self.browser, head.target.query) == "download")
    #expect(slice(Self.browser, head.fields.value(of: .secFetchDest)) == "image")
    #expect(head.fields.value(of: .range) == nil)
  }

  @Test func everySplitParsesTheSame() {
    let texts = [
      Self.browser,
      "\r\nPOST http://a.b:80/x?y HTTP/1.1\r\nHost: A.B:80\r\n"
        + "Transfer-Encoding: Chunked\r\n\r\nbody",
      "GET / HTTP/1.1\r\nHost: a\r\nX: \t v\tw \r\n: \r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    for text in texts {
      let bytes = Array(text.utf8)
      let (whole, expected) = parseInPieces(bytes, [bytes.count])
      for cut in 1..<bytes.count {
        let (head, outcome) = parseInPieces(bytes, [cut, bytes.count])
        #expect(outcome == expected, "cut at \(cut)")
        #expect(head.fields.count == whole.fields.count)
        #expect(head.fields.value(of: .host) == whole.fields.value(of: .host))
      }
      let (head, outcome) = parseInPieces(bytes, Array(repeating: 1, count: bytes.count))
      #expect(outcome == expected)
      #expect(head.target.path == whole.target.path)
    }
  }

  @Test func everyKnownNameIsRecognisedInAnyCase() {
    for name in FieldName.allCases {
      let lower = Array(String(describing: name.text).utf8)
      let upper = Array(String(describing: name.text).uppercased().utf8)
      #expect(FieldName.recognise(lower.span, 0..<lower.count) == name)
      #expect(FieldName.recognise(upper.span, 0..<upper.count) == name)
      var wrong = lower
      wrong[wrong.count / 2] = 0x7A
      #expect(FieldName.recognise(wrong.span, 0..<wrong.count) == nil)
    }
  }
}
