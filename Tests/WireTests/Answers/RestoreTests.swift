import Testing
import Wire

/// An entry that fails stays as it was, however the answer is split.
@Suite struct RestoreTests {
  /// What a reader makes of an image.
  enum Reading: CaseIterable {
    /// It is refused as soon as it has begun.
    case refusedAtOnce
    /// It is refused when some of it was decoded.
    case refusedLater
    /// It is refused at its end.
    case refusedAtItsEnd
  }

  /// Scans `document` in pieces; puts every text back at its end, as it passed.
  private func restored(_ pieces: [[UInt8]], _ reading: Reading) throws -> String {
    var scanner = ImagesAnswerScanner(rule: .answer)
    var text: [UInt8] = []
    var isInText = false
    for piece in pieces {
      var offset = 0
      scanning: while true {
        let start = offset
        let event = try scanner.next(piece.span, from: &offset)
        let passed = piece[start..<offset]
        if isInText { text += passed }
        switch event {
        case .needInput, .complete: break scanning
        case .imageBegin:
          (text, isInText) = (scanner.head, true)
          if reading == .refusedAtOnce { scanner.abandonImage() }
        case .imageBytes(let range):
          let taken = piece[range].prefix(while: Self.isBase64)
          text += taken
          offset += taken.count
          if reading == .refusedLater { scanner.abandonImage() }
        case .imageText:
          if reading == .refusedLater { scanner.abandonImage() }
        case .imageBroken: break
        case .imageEnd, .imageOver:
          if !passed.isEmpty { text.removeLast() }
          try scanner.restoreImage(text.span)
          isInText = false
        }
      }
    }
    try scanner.finish()
    return String(decoding: scanner.skeleton.bytes, as: UTF8.self)
  }

  private static func isBase64(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F, 0x2D, 0x5F, 0x3D: true
    case 0x09, 0x0A, 0x0D, 0x20: true
    default: false
    }
  }

  private static let documents = [
    #"{"data":[{"b64_json":"data:image/png;base64,abc"}]}"#,
    #"{"data":[{"b64_json":"not base64!!!"},{"url":"data:image/png;base64,AAAA","x":1}],"y":2}"#,
    #"{"data":[{"b64_json":"AAAA","b":[1]},{"b64_json":""}]}"#,
    #"{"data":[{"b64_json":"AA\/AA\n A","a":"\/"},{"url":"data:image\/png;base64\u002cAA%2BA"}]}"#,
    #"{"data":[{"b64_json":"  \u0041AAA "},{"b64_json":"data"},{"b64_json":"DaT\u0061AAA=="}]}"#,
    #"{"data":[{"b64_json":"dat\u00e9 é\"\\"},{"b64_json":"Aé\ud83d\ude00"},{"b64_json":"A%"}]}"#,
    #"{"data":[{"url":"data:;base64,AA%2","q":1},{"url":"data:;base64,AA%2G"},{"b64_json":"\""}]}"#,
  ]

  @Test(arguments: documents)
  func everySplitGivesTheDocumentBack(document: String) throws {
    for reading in Reading.allCases {
      for (index, pieces) in Array(document.utf8).splits.enumerated() {
        #expect(try restored(pieces, reading) == document, "\(reading), split \(index)")
      }
    }
  }

  /// Raw line breaks are no JSON, but upstreams and gateways send them; also behind the place where
  /// an image was refused.
  @Test func aRawLineBreakGoesBackAsAnEscape() throws {
    let document = "{\"data\":[{\"b64_json\":\"AAAA\nAA\r\n\tAA\"},{\"b64_json\":\"AA@A\nA\"}]}"
    let expected = #"{"data":[{"b64_json":"AAAA\nAA\r\n\tAA"},{"b64_json":"AA@A\nA"}]}"#
    for reading in Reading.allCases {
      for pieces in Array(document.utf8).splits {
        #expect(try restored(pieces, reading) == expected)
      }
    }
  }

  /// A text that there is no room for leaves the document as it is, and JSON.
  @Test(arguments: [true, false])
  func whatDoesNotFitChangesNothing(isEnded: Bool) throws {
    let begin = String(repeating: "A", count: 60)
    let document =
      "{\"data\":[{\"b64_json\":\"\(begin)\\u000aAAAA\",\"a\":1},{\"b64_json\":\"AAAA\"}]}"
    let left = #"{"data":[{"b64_json":"","a":1},{"b64_json":""}]}"#
    var scanner = ImagesAnswerScanner(rule: .answer, limits: .init(skeletonBytes: left.utf8.count))
    let bytes = Array(document.utf8)
    var (offset, tries, item) = (0, 0, 0)
    func restore() {
      tries += 1
      let text = Array((begin + "\n").utf8)
      let failure = #expect(throws: ScanFailure.self) { try scanner.restoreImage(text.span) }
      #expect(failure == .skeletonTooLarge(limit: left.utf8.count))
      scanner.dropImage()
    }
    scanning: while true {
      switch try scanner.next(bytes.span, from: &offset) {
      case .needInput, .complete: break scanning
      case .imageBegin(let index, _): item = index
      case .imageBytes(let range):
        offset = range.first { bytes[$0] == 0x22 || bytes[$0] == 0x5C } ?? range.upperBound
        if !isEnded, item == 0 { scanner.abandonImage() }
      case .imageEnd, .imageOver: if item == 0 { restore() }
      case .imageText, .imageBroken: break
      }
    }
    try scanner.finish()
    #expect(tries == 1)
    #expect(String(decoding: scanner.skeleton.bytes, as: UTF8.self) == left)
    #expect(scanner.skeleton.items.map { $0.image == nil } == [true, false])
  }

  @Test func anImageThatEndedGoesBackBeforeItsQuote() throws {
    let document = #"{"data":[{"a":1,"b64_json":"data:image/png;base64,AAA","z":2}],"q":3}"#
    var scanner = ImagesAnswerScanner(rule: .answer)
    let bytes = Array(document.utf8)
    var (offset, text) = (0, [UInt8]())
    scanning: while true {
      switch try scanner.next(bytes.span, from: &offset) {
      case .needInput, .complete: break scanning
      case .imageBytes(let range):
        let end = range.first { bytes[$0] == UInt8(ascii: "\"") } ?? range.upperBound
        text += bytes[range.lowerBound..<end]
        offset = end
      case .imageEnd: try scanner.restoreImage(text.span)
      case .imageBegin: text = scanner.head
      case .imageText, .imageBroken, .imageOver: break
      }
    }
    try scanner.finish()
    #expect(String(decoding: scanner.skeleton.bytes, as: UTF8.self) == document)
    let rendered = SkeletonRenderer(scanner.skeleton, replacements: [.keep], appending: [])
    #expect(rendered.contentLength == Int64(document.utf8.count))
  }
}
