import Testing
import Wire

/// Where an answer says in words what went wrong, so that it can be said without secrets.
@Suite struct SkeletonErrorsTests {
  private static let rows: [(text: String, errors: [String])] = [
    (
      #"{"data":[{"b64_json":"Zm9v"},{"error":{"code":"x","a":[{"error":1}]}}]}"#,
      [
        #"{"code":"x","a":[{"error":1}]}"#
      ]
    ),
    (
      #"{"error" : "a\"b" ,"data":[{"error":null,"b64_json":"Zm9v"} , {"error":7}]}"#,
      [
        #""a\"b""#, "null", "7",
      ]
    ),
    (#"{"data":[{"\u0065rror":true,"error":[]}],"error":{}}"#, ["true", "[]", "{}"]),
    (#"{"meta":{"error":1},"data":[{"m":{"error":2},"b64_json":"Zm9v"}],"errors":3}"#, []),
    (#"{"data":[["error"],"error"],"usage":["error",{"error":4}]}"#, []),
  ]

  private func errors(_ skeleton: Skeleton) -> [String] {
    skeleton.errors.map { String(decoding: skeleton.bytes[$0], as: UTF8.self) }
  }

  @Test(arguments: rows)
  func theyAreFoundHoweverTheAnswerIsSplit(text: String, expected: [String]) {
    for pieces in Array(text.utf8).splits {
      #expect(errors(AnswerReader(pieces).document) == expected)
    }
  }

  @Test func theyAreWhereTheyWereWhenAnEntryGoesBack() throws {
    let text = #"{"data":[{"error":"a","b64_json":"@@","c":1},{"error":"b"}]}"#
    var scanner = ImagesAnswerScanner(rule: .answer)
    let bytes = Array(text.utf8)
    let came = Array("@@".utf8)
    var offset = 0
    scanning: while true {
      switch try scanner.next(bytes.span, from: &offset) {
      case .needInput, .complete: break scanning
      case .imageOver: try scanner.restoreImage(came.span)
      case .imageBegin, .imageBytes, .imageText, .imageEnd, .imageBroken: break
      }
    }
    #expect(String(decoding: scanner.skeleton.bytes, as: UTF8.self) == text)
    #expect(errors(scanner.skeleton) == [#""a""#, #""b""#])
  }

  /// An answer that breaks off keeps those that are in what is left of it.
  @Test func everyCutKeepsWhatIsLeft() throws {
    let bytes = Array(#"{"error":"r","data":[{"error":"a","url":"u"},{"error":{"b":"c"}}]}"#.utf8)
    for count in 1...bytes.count {
      var scanner = ImagesAnswerScanner(rule: .answer)
      var offset = 0
      let came = Array(bytes[..<count])
      _ = try scanner.next(came.span, from: &offset)
      guard let closed = scanner.closed() else { continue }
      for text in errors(closed) {
        #expect([#""r""#, #""a""#, #"{"b":"c"}"#].contains(text), "cut at \(count): \(text)")
      }
      let document = try JSONValue.parse(closed.bytes.span)
      let inData = (document["data"]?.array ?? []).filter { $0["error"] != nil }
      let expected = inData.count + (document["error"] == nil ? 0 : 1)
      #expect(closed.errors.count == expected, "cut at \(count)")
    }
  }

  @Test func rewritesHoldInWhatStays() {
    let text = #"{"k":"KEY","data":[{"url":"KEY","error":{"m":"KEY"}}],"x_asset":"KEY"}"#
    let skeleton = AnswerReader([Array(text.utf8)]).document
    let key = "KEY".utf8
    let places = (0..<text.utf8.count).filter { text.utf8.dropFirst($0).starts(with: key) }
    let rewrites = places.map {
      SkeletonRenderer.Rewrite(range: $0..<$0 + 3, bytes: Array("*".utf8))
    }
    for (replacement, url) in [
      (SkeletonRenderer.Replacement.keep, "*"), (.url("https://a/"), "https://a/"),
    ] {
      let rendered = SkeletonRenderer(
        skeleton, replacements: [replacement], appending: [.init(name: "x_asset", value: 1)],
        rewrites: rewrites)
      let bytes = rendered.segments.flatMap { segment in
        if case .bytes(let bytes) = segment { bytes } else { [] as [UInt8] }
      }
      #expect(rendered.contentLength == Int64(bytes.count))
      #expect(
        String(decoding: bytes, as: UTF8.self)
          == #"{"k":"*","data":[{"url":"\#(url)","error":{"m":"*"}}],"x_asset":1}"#)
    }
  }
}
