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
  /// Its image could not be read.
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

  private var scanner: ImagesAnswerScanner
  private var chunk = ByteBuffer(capacity: 64 << 10)
  private let begin: Begin
  private let failsWhole: Bool
  private var deposit: Deposit?
  private var current = 0
  /// The text of the image under way, as long as it is short: should it be no image, it goes back.
  private var text = ByteBuffer(capacity: 4096)
  private var isTextWhole = true
  private static let textLimit = 64 << 10
  private var items: [Int: IntakeItem] = [:]
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

  /// `failsWhole`: an image that is neither stored nor put back fails the whole answer; its sender
  /// still has it. Without it the item is `failed`: the others were paid for. `imageBytes` is the
  /// size of the largest image.
  init(
    rule: ImagesAnswerScanner.Rule, maxItems: Int, failsWhole: Bool,
    imageBytes: Int64 = 64 << 20, turn: WorkTurn = WorkTurn(), begin: @escaping Begin
  ) {
    duplicateLimit = Base64.encodedLength(imageBytes) + Self.overrunLimit
    if case .answer = rule { repair = AnswerText() }
    self.turn = turn
    scanner = ImagesAnswerScanner(rule: rule, limits: Self.limits(maxItems, isBody: failsWhole))
    self.failsWhole = failsWhole
    self.begin = begin
  }

  /// A client's body has its own limits, an upstream's answer those of the scanner.
  private static func limits(_ items: Int, isBody: Bool) -> ImagesAnswerScanner.Limits {
    var limits = ImagesAnswerScanner.Limits(items: items)
    if isBody { (limits.depth, limits.members) = (JSONLimits.body.depth, JSONLimits.body.members) }
    return limits
  }

  /// What is left of the answer beside its images; whole after `take`, one document also after a
  /// `takePaid` that broke off.
  var skeleton: Skeleton { closed ?? scanner.skeleton }

  /// The items in their order; whole after `take`.
  var taken: [IntakeItem] { skeleton.items.indices.map { items[$0] ?? .plain } }

  /// Reads the whole answer.
  ///
  /// - Throws: `ScanFailure` when it is no JSON, what the source throws, and the failure of a paid
  ///   image whose text does not end. An image that can not be stored is no error here: it is
  ///   `failed` in `taken`.
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
    guard !failsWhole, let passed = scanner.passing else {
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
      deposit = nil
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

  /// One event; `false` when the chunk is used up.
  private func step(_ offset: inout Int) async throws -> Bool {
    let event = try chunk.withSpan { (bytes) throws(ScanFailure) in
      try scanner.next(bytes, from: &offset)
    }
    switch event {
    case .needInput: return false
    case .complete:
      isDocumentWhole = true
      return false
    case .imageBegin(let item, _):
      current = item
      items[item] = nil
      overrun = 0
      text.removeAll()
      isTextWhole = true
      deposit = try await begin()
    case .imageBytes(let range):
      offset = try await write(from: range.lowerBound, to: range.upperBound)
    case .imageText(let characters):
      remember(characters.count) { $0.append(characters.span) }
      try await attempt { try await self.check(self.deposit?.write(base64: characters) ?? true) }
    case .imageEnd:
      try await attempt { try await self.settle() }
    case .imageBroken:
      try fail(.invalidBase64(item: current))
    }
    return true
  }

  /// Decodes what it can of the chunk; returns where it stopped. Where the store refuses the image,
  /// the scanner goes on from `start`: the string's end is still to be found.
  private func write(from start: Int, to end: Int) async throws -> Int {
    guard let deposit else { return end }
    var stop = start
    try await attempt {
      let (index, isGood) = try await deposit.write(base64: self.chunk, from: start)
      stop = index
      self.remember(index - start) { text in
        self.chunk.withSpan { text.append($0.extracting(start..<index)) }
      }
      try self.check(isGood)
    }
    return stop
  }

  private func remember(_ count: Int, _ append: (inout ByteBuffer) -> Bool) {
    isTextWhole = isTextWhole && text.count + count <= Self.textLimit
    guard isTextWhole else { return }
    text.reserve(count)
    _ = append(&text)
  }

  private func check(_ isGood: Bool) throws {
    // A client's body has a limit of its own.
    let isEndless = !failsWhole && deposit?.isMostlySpace == true
    guard isGood, !isEndless else { throw Failure.invalidBase64(item: current) }
  }

  private func settle() async throws {
    guard let deposit else { return }
    try check(try await deposit.finishBase64())
    switch try await deposit.finish() {
    case .unstored(let failure, _) where failsWhole && isTextWhole: throw failure
    case .unstored(let failure, let image) where failsWhole:
      items[current] = .unstored(failure, image)
    case let outcome:
      let item = await IntakeItem.paid(outcome, on: deposit.workers)
      items[current] = item
      // "None" or "null": it goes back, so that a URL beside it can be had.
      if case .failed(let failure) = item, isTextWhole { throw failure }
    }
    self.deposit = nil
  }

  /// What goes wrong with one image is that item's failure, not the answer's.
  private func attempt(_ body: () async throws -> Void) async throws {
    do { try await body() } catch { try fail(Failure(error)) }
  }

  private func fail(_ failure: Failure) throws {
    items[current] = .failed(failure)
    deposit = nil
    guard isTextWhole else {
      if failsWhole { throw failure }
      return scanner.abandonImage()
    }
    do throws(ScanFailure) {
      try text.withSpan { (text) throws(ScanFailure) in try scanner.restoreImage(text) }
    } catch {
      // There is no room for it; of a paid answer the images behind it count for more.
      guard !failsWhole else { throw error }
      scanner.abandonImage()
    }
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
