// An image that turns out to be none goes back to where it stood: an entry that fails stays as it
// was (API.md §4, convert).

extension ImagesAnswerScanner {
  /// Puts the text of the image under way, or just ended or broken, back into the skeleton; what
  /// follows of it stays there too, and there is no `imageEnd`.
  ///
  /// - Parameter text: its base64 characters so far, as they came.
  /// - Throws: `skeletonTooLarge`.
  public mutating func restoreImage(_ text: Span<UInt8>) throws(ScanFailure) {
    events.removeAll()
    // What follows in the item may be its image.
    itemHasImage = false
    switch phase {
    case .image, .imageEscape, .imagePercent, .passOver:
      try keepRestored(text)
      grammar = StringGrammar()
      noted = nil
      phase = .text
    case .comma, .end:
      try restoreEnded(text)
    default: break
    }
  }

  private mutating func keepRestored(_ text: Span<UInt8>) throws(ScanFailure) {
    for byte in lead { try keep(byte) }
    for index in text.indices {
      // A line break that came as an escape is one again: raw, it would be no JSON.
      guard text[index] < 0x20 else {
        try keep(text[index])
        continue
      }
      var escape: [UInt8] = []
      JSONWriter.append(escaped: text[index], to: &escape)
      for byte in escape { try keep(byte) }
    }
  }

  /// The string has its end already: its text goes in before the closing quote.
  private mutating func restoreEnded(_ text: Span<UInt8>) throws(ScanFailure) {
    guard let item = skeleton.items.indices.last, var object = skeleton.items[item].object,
      let member = object.members.indices.last, object.members[member].value == .image,
      let quote = skeleton.bytes.popLast()
    else { return }
    try keepRestored(text)
    try keep(quote)
    object.members[member].value = .other
    object.members[member].end = skeleton.bytes.count
    object.lastValueEnd = skeleton.bytes.count
    skeleton.items[item].object = object
  }
}
