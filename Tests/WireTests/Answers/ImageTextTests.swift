import Testing
import Wire

/// The texts of images: escapes, percent escapes of data URLs, and what they cost.
@Suite struct ImageTextTests {
  /// The events of a document in one piece; long runs of base64 are passed over.
  private func events(_ text: String) throws -> [ImagesAnswerScanner.Event] {
    var scanner = ImagesAnswerScanner(rule: .answer)
    let bytes = Array(text.utf8)
    var offset = 0
    var events: [ImagesAnswerScanner.Event] = []
    while true {
      let event = try scanner.next(bytes.span, from: &offset)
      events.append(event)
      switch event {
      case .needInput, .complete: return events
      case .imageBytes(let range):
        offset = bytes[range].firstIndex(of: UInt8(ascii: "\"")) ?? range.upperBound
      case .imageBegin, .imageText, .imageEnd, .imageBroken, .imageOver: break
      }
    }
  }

  private static let units = [
    "\\u0041", "\\/", "\\n", "\\u0041A", "A\\u0041AAA", "AAAA\\/", "\\u0020", " \\t",
  ]

  /// 64 KiB of escapes are some pieces of text, not ten thousand characters.
  @Test(arguments: units)
  func escapesAreGathered(unit: String) throws {
    let text = String(repeating: unit, count: 65_536 / unit.utf8.count)
    let events = try events("{\"data\":[{\"b64_json\":\"A\(text)\"}]}")
    #expect(events.count <= 32, "\(events.count) events")
  }

  @Test(arguments: units)
  func percentEscapesAreGathered(unit: String) throws {
    let text = String(repeating: "%41" + unit, count: 65_536 / (unit.utf8.count + 3))
    let events = try events("{\"data\":[{\"url\":\"data:image/png;base64,\(text)\"}]}")
    #expect(events.count <= 32, "\(events.count) events")
  }

  @Test(arguments: [
    ("data:image/png;base64,Zm9v%2B%2f%2BAA%3D", "Zm9v+/+AA="),
    ("data:image/png;base64,%5Am9v", "Zm9v"), ("data:;base64,Zm9v%0D%0AZm9v", "Zm9vZm9v"),
    ("data:;base64,\\u005am9v%2b", "Zm9v+"),
  ])
  func percentEscapesOfADataURLAreDecoded(url: String, text: String) throws {
    let wanted = Base64.decode(Array(text.utf8).span)
    for member in ["url", "b64_json"] {
      let answer = Array("{\"data\":[{\"\(member)\":\"\(url)\"}]}".utf8)
      for pieces in answer.splits {
        let reader = AnswerReader(pieces)
        #expect(reader.images == [0: wanted.map { .whole(member: member, $0) } ?? .broken])
      }
    }
  }

  @Test(arguments: ["Zm9v%2B", "data:;base64,Zm9v%2", "data:;base64,Zm9v%2G", "data:;base64,%22"])
  func otherPercentSignsAreNoBase64(text: String) {
    for pieces in Array("{\"data\":[{\"b64_json\":\"\(text)\"}]}".utf8).splits {
      #expect(AnswerReader(pieces).images == [0: .broken])
    }
  }

  @Test func ofAMemberThatComesTwiceTheLastCounts() {
    let text = #"{"data":[{"b64_json":"Zm9v","a":1,"b64_json":"YmFy"},{"b64_json":"Zm9v"}]}"#
    for pieces in Array(text.utf8).splits {
      let reader = AnswerReader(pieces)
      #expect(
        reader.images == [
          0: .whole(member: "b64_json", Array("bar".utf8)),
          1: .whole(member: "b64_json", Array("foo".utf8)),
        ])
      #expect(reader.values == [[.duplicate, .image], [.image]])
    }
    let rendered = SkeletonRenderer(
      AnswerReader([Array(text.utf8)]).document, replacements: [.url("u"), .keep], appending: [])
    #expect(
      rendered.segments == [.bytes(Array(#"{"data":[{"a":1,"url":"u"},{"b64_json":""}]}"#.utf8))])
  }

  @Test func imagesGoBackAsTheyCame() throws {
    let text =
      #"{"data":[{"url":"data:image\/png;base64,Zm9v","a":1},"#
      + #"{"b64_json":"Zm9v@","url":"data:;base64,Zm9v"}]}"#
    let texts = [
      [#"data:image\/png;base64,Zm9v"#], ["Zm9v@", "data:;base64,Zm9v"],
    ]
    var scanner = ImagesAnswerScanner(rule: .answer)
    let answer = Array(text.utf8)
    var offset = 0
    scanning: while true {
      switch try scanner.next(answer.span, from: &offset) {
      case .needInput, .complete: break scanning
      case .imageBytes(let range): offset = range.lowerBound + 4
      case .imageBroken: scanner.abandonImage()
      case .imageBegin, .imageText, .imageEnd, .imageOver: break
      }
    }
    let rendered = SkeletonRenderer(
      scanner.skeleton,
      replacements: texts.map { .original(characters: $0.map { Int64($0.utf8.count) }) },
      appending: [])
    let bytes = rendered.segments.flatMap { segment in
      switch segment {
      case .bytes(let bytes): bytes
      case .text(let item, let index, _): Array(texts[item][index].utf8)
      case .image: [] as [UInt8]
      }
    }
    #expect(String(decoding: bytes, as: UTF8.self) == text)
    #expect(rendered.contentLength == Int64(text.utf8.count))
  }

  @Test func aLineBreakThatGoesBackIsAnEscape() throws {
    var scanner = ImagesAnswerScanner(rule: .upload)
    let text = Array(#"{"b64_json":"a\n\/"}"#.utf8)
    var offset = 0
    scanning: while true {
      switch try scanner.next(text.span, from: &offset) {
      case .needInput, .complete: break scanning
      case .imageEnd: try scanner.restoreImage(Array("a\n/".utf8).span)
      case .imageBytes(let range): offset = range.lowerBound + 1
      case .imageBegin, .imageText, .imageBroken, .imageOver: break
      }
    }
    #expect(String(decoding: scanner.skeleton.bytes, as: UTF8.self) == #"{"b64_json":"a\n/"}"#)
  }
}
