// The text of an entry, as it came between its quotes: an entry that can not be hosted goes back as
// it was (API.md §4, convert), byte for byte. A short text is kept whole, since it may go back into
// the skeleton. Of a long one nothing is kept as long as an encoder would make the same characters
// of the bytes that the store has taken:
//
//     plain ──"-", "_", "=", white space, an escape; or a refusal──► tail, kept to the end
//
// What goes back then is the base64 of the first whole quanta, and the tail.
internal import Net
internal import Store
internal import Wire

/// Follows one text while it passes.
final class EntryText {
  private let keeping: TextKeeping?
  /// The head of a data URL, which is no base64.
  private let lead: [UInt8]
  /// The first bytes; all of a text that is short.
  private var beginning = ByteBuffer(capacity: 4096)
  /// Whether all that has passed is in `beginning`.
  private(set) var isShort = true
  /// Sixteen of them are half a skeleton at most.
  static let shortLimit = 32 << 10
  /// Characters before the tail, and those of them that are no whole quantum yet.
  private var plainCount: Int64 = 0
  private var quantum: [UInt8] = []
  private var tail: KeptText?

  /// Without `keeping` nothing is kept of long texts.
  ///
  /// - Parameters:
  ///   - head: what has passed already.
  ///   - isDataURL: whether that is the head of a data URL.
  init(_ keeping: TextKeeping?, head: [UInt8], isDataURL: Bool) async {
    self.keeping = keeping
    lead = isDataURL ? Self.clean(head.span) : []
    guard !head.isEmpty else { return }
    note(head.span)
    if !isDataURL { await keep(Self.clean(head.span)) }
  }

  /// Calls `body` with the whole text when it is short.
  func withShort<E: Error>(_ body: (Span<UInt8>) throws(E) -> Void) throws(E) {
    if isShort { try beginning.withSpan(body) }
  }

  /// Takes what passes: `chunk[range]`. What was decoded of it is in the store, or the image has
  /// been refused.
  func take(_ chunk: borrowing ByteBuffer, _ range: Range<Int>) async {
    guard !range.isEmpty else { return }
    let kept = chunk.withSpan { span in
      let piece = span.extracting(range)
      note(piece)
      return goOn(piece)
    }
    if let kept { await keep(kept) }
  }

  /// The store takes no more of the image: from here on only the text has it.
  func refuse() async { await keep([]) }

  /// The text is whole; `work` has what was stored of its image.
  func end(_ work: IngestWork?) async -> OriginalText? {
    await keep([])
    guard let tail else { return nil }
    await tail.end()
    let bytes = plainCount / 4 * 3
    if bytes == 0 { return OriginalText(lead: lead, tail: tail) }
    guard let work else { preconditionFailure("the store has taken \(bytes) bytes") }
    return OriginalText(lead: lead, tail: tail, work: work, bytes: bytes)
  }

  private func note(_ piece: Span<UInt8>) {
    isShort = isShort && beginning.count + piece.count <= Self.shortLimit
    guard isShort else { return }
    beginning.reserve(piece.count)
    beginning.append(piece)
  }

  /// What must be kept of a piece; `nil` when an encoder makes it.
  private func goOn(_ piece: Span<UInt8>) -> [UInt8]? {
    guard keeping != nil else { return nil }
    guard tail == nil else { return Self.clean(piece) }
    let end = Base64.plainEnd(of: piece)
    count(plain: piece.extracting(0..<end))
    return end < piece.count ? Self.clean(piece.extracting(end..<piece.count)) : nil
  }

  private func count(plain piece: Span<UInt8>) {
    plainCount += Int64(piece.count)
    let rest = Int(plainCount % 4)
    if rest > piece.count {
      quantum += Self.clean(piece)
    } else {
      quantum = Self.clean(piece.extracting(last: rest))
    }
  }

  private func keep(_ text: [UInt8]) async {
    guard let keeping else { return }
    if let tail { return await tail.append(text) }
    let begun = KeptText(keeping)
    tail = begun
    await begun.append(quantum + text)
  }

  /// As it may stand in JSON: a raw line break, which is none, becomes an escape.
  private static func clean(_ piece: Span<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    var start = 0
    for index in piece.indices where piece[index] < 0x20 {
      append(piece.extracting(start..<index), to: &text)
      JSONWriter.append(controlAsEscape: piece[index], to: &text)
      start = index + 1
    }
    append(piece.extracting(start..<piece.count), to: &text)
    return text
  }

  private static func append(_ piece: Span<UInt8>, to text: inout [UInt8]) {
    // The array that has nothing is one for all threads, and would be written to.
    guard !piece.isEmpty else { return }
    text.append(addingCapacity: piece.count) { free in
      for index in piece.indices { free.append(piece[index]) }
    }
  }
}
