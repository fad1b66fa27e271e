// A short text that turns out to be no image goes back to where it stood: an entry that fails stays
// as it was (API.md §4, convert).

extension ImagesAnswerScanner {
  /// Puts the text of an image back into the skeleton when its string has just ended (`imageEnd`,
  /// `imageOver`). What follows in the item may be its image.
  ///
  /// - Parameter text: all of it, as it came.
  /// - Throws: `skeletonTooLarge`; the document is as it was, `dropImage` goes on.
  public mutating func restoreImage(_ text: Span<UInt8>) throws(ScanFailure) {
    guard hasEndedImage, let quote = skeleton.bytes.popLast() else { return }
    defer { skeleton.bytes.append(quote) }
    try keepRestored(text)
    let end = skeleton.bytes.count + 1
    changeEndedImage { member in
      member.value = .other
      member.end = end
    }
    itemHasImage = false
  }

  /// The image whose string has just ended is none: nothing of it stays, and what follows in the
  /// item may be its image.
  public mutating func dropImage() {
    changeEndedImage { $0.value = .duplicate }
    itemHasImage = false
  }

  /// All of it or nothing: a document that breaks off here is closed at a place that is known.
  private mutating func keepRestored(_ text: Span<UInt8>) throws(ScanFailure) {
    var restored: [UInt8] = []
    for index in text.indices {
      // A line break that came as an escape is one again: raw, it would be no JSON.
      if text[index] < 0x20 {
        JSONWriter.append(escaped: text[index], to: &restored)
      } else {
        restored.append(text[index])
      }
    }
    guard restored.count <= limits.skeletonBytes - skeleton.bytes.count else {
      throw .skeletonTooLarge(limit: limits.skeletonBytes)
    }
    skeleton.bytes += restored
  }

  private var hasEndedImage: Bool {
    skeleton.items.last?.object?.members.last?.value == .image
  }

  /// Changes the member whose image has just ended.
  mutating func changeEndedImage(_ body: (inout Skeleton.Member) -> Void) {
    guard hasEndedImage, let item = skeleton.items.indices.last,
      var object = skeleton.items[item].object, let member = object.members.indices.last
    else { return }
    body(&object.members[member])
    object.lastValueEnd = object.members[member].end
    skeleton.items[item].object = object
  }
}
