// The second straight way's middle: an Images API answer comes in as bytes, its images turn aside
// into files, and the skeleton is what is left. Used by the front and by convert alike.
//
//   source ─► chunk (64 KiB) ─► ImagesAnswerScanner ─┬─► skeleton (≤ 1 MiB)
//                                                    └─► base64 ─► Deposit ─► incoming/ ─► blobs/
internal import HTTPServer
internal import Net
internal import Store
internal import Upstream
internal import Wire

/// Bytes that are pulled: a request's body, an upstream's answer.
protocol ByteSource: AnyObject {
  /// Hands the next bytes to `consume`, perhaps in several pieces; `false` at the end.
  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool

  /// All that is wanted of it has come; told once.
  func documentEnded()
}

extension ByteSource {
  /// Most sources have limits of their own.
  func documentEnded() {}
}

extension BodyReader: ByteSource {}

/// What became of one item of `data`.
enum IntakeItem {
  /// It holds no image that was turned aside (a URL, or nothing).
  case plain
  /// Its image is durable under its final name and waits for its row.
  case settled(IngestWork)
  /// Its image could not be stored, but it is here.
  case unstored(Failure, UnstoredImage)
  /// Its image could not be read, or an entry of a conversion can not be hosted.
  case failed(Failure)

  /// What a paid image became. Text, or nothing, where an image was promised is `failed` with
  /// `no_image_returned`; anything else that can not be hosted still goes out.
  static func paid(_ outcome: Deposit.Outcome, on workers: Workers) async -> IntakeItem {
    switch outcome {
    case .settled(let work): return .settled(work)
    case .unstored(let failure, let image):
      return await image.isNone(on: workers) ? .failed(.noImage) : .unstored(failure, image)
    }
  }

  /// Whether a URL beside it may have its image: it brought none.
  var mayBeAtItsURL: Bool {
    switch self {
    case .plain, .failed: true
    case .settled, .unstored: false
    }
  }

  /// Whether its image is stored and ends before its end.
  var isTruncated: Bool { if case .settled(let work) = self { !work.isWholeImage } else { false } }

  /// `x_asset.warnings` of what is kept although it is not whole (STORE.md, "Structure").
  static func warnings(_ items: [IntakeItem]) -> [JSONValue] {
    items.enumerated().filter { $0.element.isTruncated }.map { index, _ in
      ["index": .number(JSONNumber(index)), "code": "image_truncated"]
    }
  }
}

/// Takes one answer (or one upload) apart.
final class AnswerIntake {
  /// Makes the deposit of the image of an item.
  typealias Begin = () async throws -> Deposit

  /// What it means that an image can not be stored.
  enum Manner {
    /// An answer's images were paid for: what the deposit does not rescue is `failed` alone.
    case paid
    /// A body is refused: its sender has the image still.
    case upload
    /// An entry is `failed` and goes back as it came; its text is kept for that.
    case conversion(TextKeeping)
  }

  private var scanner: ImagesAnswerScanner
  private var chunk = ByteBuffer(capacity: 64 << 10)
  private let begin: Begin
  private let manner: Manner
  private var current = 0
  private var deposit: Deposit?
  /// The text of the image under way. Should it be no image and short, it goes back.
  private var text: EntryText?
  /// What was stored of an image before it was refused.
  private var refused: IngestWork?
  private var items: [Int: IntakeItem] = [:]
  private var originals: [Int: [OriginalText]] = [:]
  private var closed: Skeleton?
  /// Upstreams' answers are read leniently, also when a gateway brings them.
  private var repair: AnswerText?
  private let turn: WorkTurn
  /// Whether the whole document has come.
  private var isDocumentWhole = false
  /// Bytes of the text that is passed over.
  private var overrun: Int64 = 0
  /// So many bytes are passed over of an image that has failed: a text that is only a little too
  /// long does not take the images behind it along, an endless one ends.
  private static let overrunLimit: Int64 = 1 << 20
  /// So many of a second text of an item that has its image: as many as that text may have.
  private let duplicateLimit: Int64

  /// `imageBytes` is the size of the largest image.
  init(
    _ manner: Manner, maxItems: Int, imageBytes: Int64 = 64 << 20, turn: WorkTurn = WorkTurn(),
    begin: @escaping Begin
  ) {
    duplicateLimit = Base64.encodedLength(imageBytes) + Self.overrunLimit
    self.manner = manner
    self.turn = turn
    self.begin = begin
    var limits = ImagesAnswerScanner.Limits(items: maxItems)
    var rule = ImagesAnswerScanner.Rule.answer
    if case .upload = manner { rule = .upload } else { repair = AnswerText() }
    // A client's body has its own limits, an upstream's answer those of the scanner.
    if case .paid = manner {
    } else {
      (limits.depth, limits.members) = (JSONLimits.body.depth, JSONLimits.body.members)
    }
    scanner = ImagesAnswerScanner(rule: rule, limits: limits)
  }

  private var isPaid: Bool { if case .paid = manner { true } else { false } }

  /// What is left of the answer beside its images; whole after `take`, one document also after a
  /// `takePaid` that broke off.
  var skeleton: Skeleton { closed ?? scanner.skeleton }

  /// The items in their order; whole after `take`.
  var taken: [IntakeItem] { skeleton.items.indices.map { items[$0] ?? .plain } }

  /// The texts of an entry of a conversion, whatever became of it, but for those that are in the
  /// skeleton.
  func originals(_ index: Int) -> [OriginalText] { originals[index] ?? [] }

  /// Reads the whole answer.
  ///
  /// - Throws: `ScanFailure` when it is no JSON, what the source throws, and the failure of an
  ///   upload, or of a paid image whose text does not end. Any other image that can not be stored
  ///   is no error here: it is `failed` in `taken`.
  func take(_ source: any ByteSource) async throws {
    while try await fill(from: source) {
      turn.begin()
      var offset = 0
      let wasWhole = isDocumentWhole
      while try await step(&offset) { await turn.giveWay() }
      try endOverrun()
      if isDocumentWhole, !wasWhole { source.documentEnded() }
    }
    try scanner.finish()
  }

  private func endOverrun() throws {
    guard isPaid, let passed = scanner.passing else {
      overrun = 0
      return
    }
    overrun += Int64(chunk.count)
    let limit = passed == .broken ? Self.overrunLimit : duplicateLimit
    guard overrun > limit else { return }
    if case .failed(let failure)? = items[current] { throw failure }
    throw ScanFailure.skeletonTooLarge(limit: Int(limit))
  }

  /// Reads an answer that was paid for, as far as it goes: items that came whole before it broke
  /// off stay in `taken`, `skeleton` is closed around them, and an item that was under way is in
  /// neither.
  ///
  /// - Returns: why it broke off (what `take` throws); `nil` when it is whole.
  func takePaid(_ source: any ByteSource) async -> (any Error)? {
    do {
      try await take(source)
      return nil
    } catch {
      (deposit, text) = (nil, nil)
      closed = scanner.closed()
      return error
    }
  }

  private func fill(from source: any ByteSource) async throws -> Bool {
    chunk.removeAll()
    return try await source.read { bytes in
      guard repair == nil else {
        repair?.append(bytes, to: &chunk)
        return
      }
      chunk.reserve(bytes.count)
      chunk.append(bytes)
    }
  }

  /// One event; `false` when the chunk is used up. Between `imageBegin` and the end of the string
  /// all that the scanner passes is text of the image.
  private func step(_ offset: inout Int) async throws -> Bool {
    let start = offset
    let event = try chunk.withSpan { (bytes) throws(ScanFailure) in
      try scanner.next(bytes, from: &offset)
    }
    switch event {
    case .needInput:
      try await follow(start..<offset)
      return false
    case .complete:
      isDocumentWhole = true
      return false
    case .imageBegin(let item, _): try await beginImage(item)
    case .imageBytes(let range):
      try await follow(start..<range.lowerBound)
      offset = try await write(from: range.lowerBound, to: range.upperBound)
    case .imageText(let characters):
      try await attempt { try await self.check(self.deposit?.write(base64: characters) ?? true) }
      try await follow(start..<offset)
    case .imageEnd:
      // The last byte is the quote.
      try await follow(start..<max(start, offset - 1))
      try await attempt { try await self.settle() }
      try await endText()
    case .imageBroken:
      try await fail(.invalidBase64(item: current))
      try await follow(start..<offset)
    case .imageOver:
      try await follow(start..<max(start, offset - 1))
      try await endText()
    }
    return true
  }

  // MARK: One image

  private func beginImage(_ item: Int) async throws {
    current = item
    // A member that comes twice: the last one counts.
    if case .settled? = items[item] { originals[item]?.removeLast() }
    items[item] = nil
    (refused, overrun) = (nil, 0)
    var keeping: TextKeeping?
    if case .conversion(let place) = manner { keeping = place }
    text = await EntryText(keeping, head: scanner.head, isDataURL: scanner.isDataURL)
    guard keeping != nil else {
      deposit = try await begin()
      return
    }
    try await attempt { self.deposit = try await self.begin() }
  }

  /// Decodes what it can of the chunk; returns where it stopped. Where the store refuses the image,
  /// the scanner goes on from `start`: the string's end is still to be found.
  private func write(from start: Int, to end: Int) async throws -> Int {
    guard let deposit else { return end }
    var stop = start
    try await attempt {
      let (index, isGood) = try await deposit.write(base64: self.chunk, from: start)
      stop = index
      try await self.follow(start..<index)
      try self.check(isGood)
    }
    return stop
  }

  private func follow(_ range: Range<Int>) async throws {
    guard let text else { return }
    await text.take(chunk, range)
    try refuseUpload()
  }

  /// An upload that failed has no more to say, but that its text may be a word instead of an image.
  private func refuseUpload() throws {
    guard case .upload = manner, case .failed(let failure)? = items[current] else { return }
    if text?.isShort != true { throw failure }
  }

  private func check(_ isGood: Bool) throws {
    // A client's body has a limit of its own.
    let isEndless = isPaid && deposit?.isMostlySpace == true
    guard isGood, !isEndless else { throw Failure.invalidBase64(item: current) }
  }

  private func settle() async throws {
    guard let deposit else { return }
    try check(try await deposit.finishBase64())
    items[current] = await .paid(try await deposit.finish(), on: deposit.workers)
    self.deposit = nil
  }

  /// What goes wrong with one image is that item's failure, not the answer's.
  private func attempt(_ body: () async throws -> Void) async throws {
    do { try await body() } catch { try await fail(Failure(error)) }
  }

  /// The rest of the text is passed over.
  private func fail(_ failure: Failure) async throws {
    items[current] = .failed(failure)
    scanner.abandonImage()
    await text?.refuse()
    if case .conversion(let keeping) = manner, let work = deposit?.work, work.count > 0 {
      refused = work
      // What is not sealed costs more memory, and goes back as well.
      try? await keeping.workers.run { try work.seal() }
    }
    deposit = nil
    try refuseUpload()
  }

  /// The string has ended. The text of an image that failed goes back when it is short ("None" or
  /// "null": so that a URL beside it can be had) and there is room for it.
  private func endText() async throws {
    guard let text = self.text.take() else { return }
    switch items[current] {
    case .settled(let work): await keep(text, work)
    case .failed(let failure):
      if text.isShort, restore(text) { return }
      switch manner {
      case .conversion: await keep(text, refused.take())
      case .upload: throw failure
      case .paid: scanner.dropImage()
      }
    case .plain, .unstored, nil: break
    }
  }

  private func restore(_ text: EntryText) -> Bool {
    do throws(ScanFailure) {
      try text.withShort { (span) throws(ScanFailure) in try scanner.restoreImage(span) }
      return true
    } catch { return false }
  }

  private func keep(_ text: EntryText, _ work: IngestWork?) async {
    guard let original = await text.end(work) else { return }
    originals[current, default: []].append(original)
  }
}

extension Failure {
  /// An upstream's answer holds text, or nothing, where an image was promised.
  static let noImage = Failure(
    502, .upstream, "no_image_returned", "The upstream returned something that is no image.")

  static func invalidBase64(item: Int) -> Failure {
    Failure(
      400, .invalidRequest, "invalid_base64", "The text is not whole base64.",
      param: "data[\(item)].b64_json")
  }
}
