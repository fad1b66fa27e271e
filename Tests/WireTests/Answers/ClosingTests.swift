import Testing
import Wire

/// An answer that breaks off, wherever, leaves a document with its whole images.
@Suite struct ClosingTests {
  /// Scans what came of a document; images are passed over as soon as they begin to be decoded.
  private func scan(_ bytes: [UInt8]) -> (ImagesAnswerScanner, whole: Set<Int>) {
    var scanner = ImagesAnswerScanner(rule: .answer)
    var (offset, item) = (0, 0)
    var whole: Set<Int> = []
    do throws(ScanFailure) {
      while true {
        switch try scanner.next(bytes.span, from: &offset) {
        case .needInput, .complete: return (scanner, whole)
        case .imageBegin(let index, _): item = index
        case .imageBytes(let range): offset = Self.end(of: range, in: bytes)
        case .imageEnd: whole.insert(item)
        case .imageText, .imageBroken, .imageOver: break
        }
      }
    } catch { return (scanner, whole) }
  }

  private static func end(of range: Range<Int>, in bytes: [UInt8]) -> Int {
    range.first { bytes[$0] == 0x22 || bytes[$0] == 0x5C || bytes[$0] == 0x21 } ?? range.upperBound
  }

  private func expectWhole(_ closed: Skeleton, _ whole: Set<Int>, _ name: String) throws {
    let document = try JSONValue.parse(closed.bytes.span)
    let data = document["data"]?.array ?? []
    #expect(data.count == closed.items.count, "\(name)")
    #expect(whole.allSatisfy { $0 < closed.items.count }, "\(name)")
    let rendered = SkeletonRenderer(
      closed, replacements: closed.items.indices.map { .url("u\($0)") },
      appending: [JSONObject.Member(name: "x_asset", value: 1)])
    let bytes = rendered.segments.flatMap { segment in
      if case .bytes(let bytes) = segment { bytes } else { [] as [UInt8] }
    }
    let answer = try JSONValue.parse(bytes.span)
    #expect(answer["x_asset"] == 1, "\(name)")
    for (index, element) in (answer["data"]?.array ?? []).enumerated() {
      guard element.object != nil else { continue }
      #expect(element["url"]?.string == "u\(index)", "\(name)")
      #expect(element["b64_json"] == nil, "\(name)")
    }
  }

  @Test(arguments: FixtureAnswer.all.filter { !$0.holds.isEmpty })
  func everyCutLeavesADocument(answer: FixtureAnswer) throws {
    let bytes = Array(answer.text.utf8)
    for count in 0...bytes.count {
      let (scanner, whole) = scan(Array(bytes[..<count]))
      guard let closed = scanner.closed() else {
        #expect(whole.isEmpty, "\(answer.name) cut at \(count)")
        continue
      }
      try expectWhole(closed, whole, "\(answer.name) cut at \(count)")
    }
  }

  private static let rows: [(came: String, left: String)] = [
    (
      #"{"created":1,"data":[{"b64_json":"AAAA"},{"b64_json":"AA"#,
      #"{"created":1,"data":[{"b64_json":""}]}"#
    ),
    (#"{"data":[{"b64_json":"AAAA","revised_prompt":"a c"#, #"{"data":[{"b64_json":""}]}"#),
    (#"{"data":[{"a":[1],"b64_json":"AAAA","#, #"{"data":[{"a":[1],"b64_json":""}]}"#),
    (#"{"data":[{"b64_json":"AAAA"}"#, #"{"data":[{"b64_json":""}]}"#),
    (#"{"data":[{"b64_json":"AAAA"}],"usage":{"a":1"#, #"{"data":[{"b64_json":""}]}"#),
    (#"{"data":[{"b64_json":"AAAA"}],"data":["#, #"{"data":[{"b64_json":""}]}"#),
    (#"{"data":[{"b64_json":"AAAA"}]} x"#, #"{"data":[{"b64_json":""}]} "#),
    (
      #"{"x_asset":{"a":1},"data":[ {"url":"u"},7,{"x":"#,
      #"{"x_asset":{"a":1},"data":[ {"url":"u"},7]}"#
    ),
    (#"{"x_asset":{"a":1},"#, #"{"x_asset":{"a":1}}"#),
    (#"{"data":["#, #"{"data":[]}"#),
    (#"{"data":[{"#, #"{"data":[]}"#),
    (#"{"data":[[{"b64_json":"AAAA"}"#, #"{"data":[]}"#),
    (#"{"data":{"b64_json":"AAAA"},"b":tru!"#, #"{"data":{"b64_json":"AAAA"}}"#),
  ]

  @Test(arguments: rows)
  func whatIsWholeStays(came: String, left: String) throws {
    let closed = try #require(scan(Array(came.utf8)).0.closed())
    #expect(String(decoding: closed.bytes, as: UTF8.self) == left)
  }

  @Test(arguments: ["", "[{\"b64_json\":\"AAAA\"}", "null", "<html>"])
  func whatIsNoObjectIsNotClosed(came: String) {
    #expect(scan(Array(came.utf8)).0.closed() == nil)
  }

  @Test func anUploadIsNotClosed() throws {
    var scanner = ImagesAnswerScanner(rule: .upload)
    let bytes = Array(#"{"b64_json":"#.utf8)
    var offset = 0
    #expect(try scanner.next(bytes.span, from: &offset) == .needInput)
    #expect(scanner.closed() == nil)
  }
}
