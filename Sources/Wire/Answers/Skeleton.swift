/// An Images API answer without its images: every byte that was not turned aside, and where the
/// members stand that may have to change. A string that was turned aside left `""`, so the bytes
/// are still one JSON document.
public struct Skeleton: Sendable {
  /// The document. All positions are offsets in it.
  public internal(set) var bytes: [UInt8] = []
  /// The root, when it is an object; whole after `complete`.
  public internal(set) var root: Object?
  /// The elements of `data` in order (of an upload: the root).
  public internal(set) var items: [Item] = []
  /// Where the values of `error` are, of the root and of items, in order: what the upstream says in
  /// words.
  public internal(set) var errors: [Range<Int>] = []

  /// Nothing yet.
  public init() {}

  /// The members that are noted.
  public enum Name: String, Hashable, Sendable {
    /// An image as base64.
    case b64JSON = "b64_json"
    /// An image as URL or data URL.
    case url
    /// What we add at the root; an upstream that is like us sends one too.
    case asset = "x_asset"
  }

  /// What a noted member holds.
  public enum Value: Hashable, Sendable {
    /// Turned aside.
    case image
    /// Another string of an item whose image was already turned aside, or one that is no image:
    /// it was passed over. Or one that a later member of its name took the place of.
    case duplicate
    /// `null`
    case null
    /// `""`, or white space only.
    case empty
    /// Any other string, decoded: a URL, or a data URL that is not base64.
    case text(String)
    /// No string.
    case other
  }

  /// One noted member: `"name": value`.
  public struct Member: Hashable, Sendable {
    /// Its name.
    public let name: Name
    /// Its value.
    public internal(set) var value: Value
    /// Where the name's opening quote is.
    public let start: Int
    /// Behind the value.
    public internal(set) var end: Int
    /// Which member of its object this is, from 0.
    let ordinal: Int
    /// Where the comma before it is; nil for the first.
    let commaBefore: Int?
    /// Where the comma behind it is; nil for the last.
    var commaAfter: Int?
  }

  /// One object.
  public struct Object: Hashable, Sendable {
    /// Its noted members, in order.
    public internal(set) var members: [Member] = []
    /// Behind `{`.
    let bodyStart: Int
    /// Behind the last value; behind `{` when there is none.
    var lastValueEnd: Int
    var memberCount = 0
    var lastComma: Int?

    init(bodyStart: Int) {
      self.bodyStart = bodyStart
      lastValueEnd = bodyStart
    }
  }

  /// One element of `data`.
  public struct Item: Hashable, Sendable {
    /// Nil when the element is no object.
    public internal(set) var object: Object?

    /// The member whose string was turned aside.
    public var image: Member? { object?.members.first { $0.value == .image } }

    /// The text of `url`, or of a `b64_json` that is no base64, when there is no image: the first
    /// that is not empty.
    public var url: String? {
      guard image == nil else { return nil }
      for member in object?.members ?? [] {
        if case .text(let text) = member.value { return text }
      }
      return nil
    }
  }
}
