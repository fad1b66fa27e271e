import Testing
import Wire

/// An entry that fails stays as it was, however the answer is split.
@Suite struct RestoreTests {
  /// Scans `document` in pieces that end at `cut`; puts every image back as soon as it is known to
  /// be none, or at its end.
  private func restored(_ document: String, cut: Int) throws -> String {
    var scanner = ImagesAnswerScanner(rule: .answer)
    let bytes = Array(document.utf8)
    for piece in [bytes[..<cut], bytes[cut...]] {
      let piece = Array(piece)
      var offset = 0
      var text: [UInt8] = []
      scanning: while true {
        switch try scanner.next(piece.span, from: &offset) {
        case .needInput, .complete: break scanning
        case .imageBegin: text = []
        case .imageBytes(let range):
          let isBase64 = { (byte: UInt8) in byte != 0x22 && byte != 0x21 && byte != 0x5C }
          text = Array(piece[range].prefix(while: isBase64))
          offset += text.count
          // Found to be no image at once: what came so far goes back.
          try scanner.restoreImage(text.span)
        case .imageText(let held): try scanner.restoreImage(held.span)
        case .imageBroken, .imageEnd: try scanner.restoreImage(text.span)
        }
      }
    }
    try scanner.finish()
    return String(decoding: scanner.skeleton.bytes, as: UTF8.self)
  }

  @Test(arguments: [
    #"{"data":[{"b64_json":"data:image/png;base64,abc"}]}"#,
    #"{"data":[{"b64_json":"not base64!!!"},{"url":"data:image/png;base64,AAAA","x":1}],"y":2}"#,
    #"{"data":[{"b64_json":"AAAA","b":[1]},{"b64_json":""}]}"#,
  ])
  func everySplitGivesTheDocumentBack(document: String) throws {
    for cut in 0...document.utf8.count {
      #expect(try restored(document, cut: cut) == document, "cut at \(cut)")
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
      scanner.abandonImage()
    }
    scanning: while true {
      switch try scanner.next(bytes.span, from: &offset) {
      case .needInput, .complete: break scanning
      case .imageBegin(let index, _): item = index
      case .imageBytes(let range):
        offset = range.first { bytes[$0] == 0x22 || bytes[$0] == 0x5C } ?? range.upperBound
        if !isEnded, item == 0 { restore() }
      case .imageEnd: if isEnded, item == 0 { restore() }
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
      case .imageBegin, .imageText, .imageBroken: break
      }
    }
    try scanner.finish()
    #expect(String(decoding: scanner.skeleton.bytes, as: UTF8.self) == document)
    let rendered = SkeletonRenderer(scanner.skeleton, replacements: [.keep], appending: [])
    #expect(rendered.contentLength == Int64(document.utf8.count))
  }
}
