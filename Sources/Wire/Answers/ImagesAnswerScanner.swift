internal import CLinux

// The heart of rehosting: a whole Images API answer passes through, its images turn aside as they
// arrive, and what is left (the skeleton) is small. Pure and incremental; no split can be seen.
//
//     value ─"─▶ text ───────────────────────"──▶ comma      strings elsewhere: kept
//        └───"─▶ lead ─ data:…;base64, ▶ image ─"─▶ comma    b64_json and url of an item
//                  └─ other text ▶ text                      a plain URL: kept and noted

/// Scans one document (RFC 8259, strict) as it arrives.
///
/// Call `next` until it says `needInput` or `complete`, then again with more; `finish` at the end
/// of the body. The string bytes of an image are not touched here: the caller's decoder finds
/// their end.
public struct ImagesAnswerScanner: Sendable {
  /// Where images are.
  public enum Rule: Sendable {
    /// `data[*].b64_json` and `data[*].url`: an Images API answer.
    case answer
    /// `b64_json` and `url` of the root, which is item 0: the body of `POST /v1/assets`, an event
    /// of a stream.
    case upload
  }

  /// What an answer may cost.
  public struct Limits: Sendable {
    /// Bytes beside the images.
    public var skeletonBytes: Int
    /// Elements of `data`.
    public var items: Int
    /// Arrays and objects within each other, at most 64.
    public var depth: Int
    /// Members of the root, and of an element of `data`.
    public var members: Int

    /// 1 MiB, 16 items, 64 levels, 1,024 members.
    public init(
      skeletonBytes: Int = 1 << 20, items: Int = 16, depth: Int = 64, members: Int = 1024
    ) {
      self.skeletonBytes = skeletonBytes
      self.items = items
      self.depth = depth
      self.members = members
    }
  }

  /// What happened.
  public enum Event: Hashable, Sendable {
    /// The input is used up and the document is not whole.
    case needInput
    /// The input is used up and the document is whole (only white space may follow).
    case complete
    /// A base64 text begins: the image of `data[item]`.
    case imageBegin(item: Int, member: Skeleton.Name)
    /// Base64 from here on, up to the first byte that is none or the end of the input. The caller
    /// moves the offset behind what its decoder took. White space counts as base64, raw line
    /// breaks included.
    case imageBytes(Range<Int>)
    /// More characters of the text, which came as escapes (`\/`), between some, or were held back;
    /// at most some thousands. Not in the input.
    case imageText([UInt8])
    /// The text ended as a JSON string does; whether it was whole base64 is the decoder's to say.
    case imageEnd
    /// A character that is not base64: the rest of the string is passed over up to `imageOver`,
    /// and there is no `imageEnd`.
    case imageBroken
    /// A text that was broken or abandoned has ended as a JSON string does.
    case imageOver
  }

  // Trivial on purpose: it is switched on for every byte of the skeleton.
  enum Phase {
    case value(JSONFault.Wanted)
    case name(JSONFault.Wanted)
    case nameText
    case colon
    case comma
    case text
    case lead(Skeleton.Name)
    case image
    case imageEscape
    /// Inside `%2B`, perhaps behind its first digit.
    case imagePercent(UInt8?)
    case passOver(Passed)
    case number(NumberGrammar)
    case literal(Literal, at: Int)
    case end
  }

  /// Why a string is passed over.
  public enum Passed: Sendable {
    /// It is no image, or one that can not be read.
    case broken
    /// Its item has an image already.
    case duplicate
  }

  enum Literal: String {
    case `true`
    case `false`
    case null
  }

  /// What was not turned aside; whole after `complete`.
  public internal(set) var skeleton = Skeleton()

  let limits: Limits
  var structure: AnswerStructure
  var phase = Phase.value(.value)
  /// What happened and was not told yet.
  var events: [Event] = []
  var grammar = StringGrammar()
  /// The name under way or last read, as far as it could matter, and where its quote is.
  var nameText: [UInt8] = []
  var name = AnswerStructure.Name.other
  var nameStart = 0
  /// The noted members whose values are under way.
  var itemMember: Skeleton.Member?
  var rootMember: Skeleton.Member?
  /// Where the value of the `error` under way begins.
  var errorStart: Int?
  /// Elements of `data` that have ended, and the end of the last one (or of `[`).
  var wholeItems = 0
  var dataEnd = 0
  /// Whether a string of the item under way was turned aside.
  var itemHasImage = false
  /// Of the noted string under way: where its text begins, its head, its decoded text.
  var textStart = 0
  /// What was between the opening quote and `imageBegin`, as it came: the head of a data URL; or
  /// characters that the decoder gets as `imageText`, and white space.
  public internal(set) var head: [UInt8] = []
  /// Whether that is the head of a data URL.
  public internal(set) var isDataURL = false
  var prefix = DataURLPrefix()
  var noted: StringText?

  /// A scanner at the start of a document.
  public init(rule: Rule, limits: Limits = Limits()) {
    structure = AnswerStructure(rule: rule)
    self.limits = limits
  }

  /// Goes on at `input[offset]` up to the next event.
  public mutating func next(
    _ input: Span<UInt8>, from offset: inout Int
  ) throws(ScanFailure) -> Event {
    while true {
      if !events.isEmpty { return events.removeFirst() }
      guard offset < input.count else { break }
      switch phase {
      case .image:
        if let event = takeImageRun(input, from: &offset) { return event }
      case .text, .passOver:
        try takePlain(input, from: &offset)
        guard offset < input.count else { continue }
      default: break
      }
      if try take(input[offset]) { offset += 1 }
    }
    if case .end = phase { return .complete }
    return .needInput
  }

  static func isBase64(_ byte: UInt8) -> Bool { clinux_base64_class(byte) != 0xFF }

  /// Why the text that the scanner is in is passed over; `nil` when it is not.
  public var passing: Passed? { if case .passOver(let passed) = phase { passed } else { nil } }

  /// Ends the body; fails when the document is not whole.
  public mutating func finish() throws(ScanFailure) {
    if case .number(let number) = phase, number.isWhole { endValue(.other) }
    guard case .end = phase, events.isEmpty else { throw .json(.unexpectedEnd) }
  }

  /// Gives up the image under way (its base64 is malformed, or it is no image): the rest of its
  /// string is passed over up to `imageOver`, and there is no `imageEnd`. What follows in the item
  /// may be its image. Does no more once `imageEnd` was told.
  public mutating func abandonImage() {
    events = events.contains(.imageEnd) ? [.imageOver] : []
    itemHasImage = false
    switch phase {
    case .image:
      grammar = StringGrammar()
      phase = .passOver(.broken)
    case .imageEscape:
      phase = .passOver(.broken)
    case .imagePercent:
      grammar = StringGrammar()
      phase = .passOver(.broken)
    default: break
    }
  }
}
