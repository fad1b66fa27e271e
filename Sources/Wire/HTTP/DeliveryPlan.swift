// Conditional and range requests together (RFC 9110 §13.2.2, §14.2): what to answer to a GET or
// HEAD of a stored representation. Pure, and without an allocation.

/// What is known of a representation, but its entity tag.
public struct RepresentationFacts: Sendable {
  /// When it last changed: seconds since 1970.
  public let lastModified: Int64
  /// Its size in bytes.
  public let size: Int64

  /// Facts of a representation.
  public init(lastModified: Int64, size: Int64) {
    self.lastModified = lastModified
    self.size = size
  }
}

/// Which bytes to answer with, under which status.
public struct DeliveryPlan: Sendable, Equatable {
  /// 200, 206, 304, 412 or 416.
  public let status: Int
  /// The first byte to send.
  public let offset: Int64
  /// How many bytes the body has; 0 with 304, 412 and 416. A HEAD is answered with the same
  /// Content-Length and no body.
  public let length: Int64

  /// Plans the answer to `head`, parsed from `bytes`, for the representation whose strong entity
  /// tag is `etag` (without quotes; 64 hex digits). `now` places dates with two-digit years.
  public init(
    of facts: RepresentationFacts, etag: Span<UInt8>, asked head: RequestHead,
    in bytes: Span<UInt8>, now: Int64
  ) {
    switch Preconditions.judge(facts, etag, head, bytes, now: now) {
    case .notModified: self.init(status: 304)
    case .failed: self.init(status: 412)
    case .proceed:
      switch Preconditions.range(facts, etag, head, bytes, now: now) {
      case .whole: self.init(status: 200, offset: 0, length: facts.size)
      case .part(let offset, let length): self.init(status: 206, offset: offset, length: length)
      case .unsatisfiable: self.init(status: 416)
      }
    }
  }

  private init(status: Int, offset: Int64 = 0, length: Int64 = 0) {
    self.status = status
    self.offset = offset
    self.length = length
  }
}

/// The conditions of a request.
enum Preconditions {
  enum Outcome {
    case proceed, notModified, failed
  }

  /// Steps 1 to 4 of RFC 9110 §13.2.2.
  static func judge(
    _ facts: RepresentationFacts, _ etag: Span<UInt8>, _ head: RequestHead,
    _ bytes: Span<UInt8>, now: Int64
  ) -> Outcome {
    let reads = head.method == .get || head.method == .head
    if head.fields.contains(.ifMatch) {
      guard names(.ifMatch, etag, head.fields, bytes, weakly: false) else { return .failed }
    } else if let date = date(.ifUnmodifiedSince, head.fields, bytes, now: now) {
      guard facts.lastModified <= date else { return .failed }
    }
    if head.fields.contains(.ifNoneMatch) {
      guard !names(.ifNoneMatch, etag, head.fields, bytes, weakly: true) else {
        return reads ? .notModified : .failed
      }
    } else if reads, let date = date(.ifModifiedSince, head.fields, bytes, now: now) {
      guard facts.lastModified > date else { return .notModified }
    }
    return .proceed
  }

  /// Step 5: the range, when the method is GET and If-Range allows it (RFC 9110 §13.1.5, §14.2).
  static func range(
    _ facts: RepresentationFacts, _ etag: Span<UInt8>, _ head: RequestHead,
    _ bytes: Span<UInt8>, now: Int64
  ) -> ByteRange {
    guard head.method == .get, let range = head.fields.soleValue(of: .range),
      ifRange(facts, etag, head.fields, bytes, now: now)
    else { return .whole }
    return ByteRange(bytes.extracting(range), size: facts.size)
  }

  /// Whether If-Range is absent or names exactly this representation: by its strong tag, or by its
  /// exact date. A weak tag never does.
  private static func ifRange(
    _ facts: RepresentationFacts, _ etag: Span<UInt8>, _ fields: FieldSection,
    _ bytes: Span<UInt8>, now: Int64
  ) -> Bool {
    guard fields.contains(.ifRange) else { return true }
    guard let value = fields.soleValue(of: .ifRange) else { return false }
    var index = value.lowerBound
    if let tag = EntityTag(bytes, at: &index, end: value.upperBound) {
      return index == value.upperBound && !tag.isWeak && tag.isOpaque(etag, bytes)
    }
    return HTTPDate.parse(bytes.extracting(value), now: now) == facts.lastModified
  }

  /// Whether any line of a list of tags names `etag`.
  private static func names(
    _ name: FieldName, _ etag: Span<UInt8>, _ fields: FieldSection, _ bytes: Span<UInt8>,
    weakly: Bool
  ) -> Bool {
    var line = 0
    while let value = fields.nextValue(of: name, after: &line) {
      if EntityTag.list(bytes, value, names: etag, weakly: weakly) { return true }
    }
    return false
  }

  /// The date of a field; `nil` when it is absent, repeated or no date, which all mean that the
  /// field is ignored (RFC 9110 §13.1.3, §13.1.4).
  private static func date(
    _ name: FieldName, _ fields: FieldSection, _ bytes: Span<UInt8>, now: Int64
  ) -> Int64? {
    guard let value = fields.soleValue(of: name) else { return nil }
    return HTTPDate.parse(bytes.extracting(value), now: now)
  }
}
