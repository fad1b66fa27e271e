// The paths of delivery (API.md §5), told from all others by their bytes: looked at first, because
// they are asked for a hundred times as often as the rest.
internal import Wire

/// What a delivery path names: where the name stands in the head, and where its extension does.
enum DeliveryName {
  /// `/v1/temp-images/{token}.{ext}`
  case link(token: Range<Int>, extension: Range<Int>)
  /// `/images/{asset-id}.{ext}`
  case permanent(id: Range<Int>, extension: Range<Int>)
  /// Under one of the two, but no name that could be ours.
  case foreign

  /// As metrics call it.
  var kind: RequestKind { if case .link = self { .link } else { .permanent } }

  private static let linkPrefix: StaticString = "/v1/temp-images/"
  private static let permanentPrefix: StaticString = "/images/"

  /// Reads the path of a target; `nil` when it is not one of delivery.
  init?(_ target: RequestTarget, in bytes: Span<UInt8>) {
    if target.hasPathPrefix(Self.linkPrefix, in: bytes) {
      guard let (name, suffix) = Self.split(target, bytes, Self.linkPrefix) else {
        self = .foreign
        return
      }
      self = .link(token: name, extension: suffix)
    } else if target.hasPathPrefix(Self.permanentPrefix, in: bytes) {
      guard let (name, suffix) = Self.split(target, bytes, Self.permanentPrefix) else {
        self = .foreign
        return
      }
      self = .permanent(id: name, extension: suffix)
    } else {
      return nil
    }
  }

  /// Whether it is a call of the API whose client left out the `/v1`.
  func isMisplaced(_ target: RequestTarget, _ bytes: Span<UInt8>) -> Bool {
    guard case .foreign = self else { return false }
    return Route.path(meantBy: target, in: bytes) != nil
  }

  /// `name.ext` behind the prefix: one segment, no `%` (API.md §5).
  private static func split(
    _ target: RequestTarget, _ bytes: Span<UInt8>, _ prefix: StaticString
  ) -> (name: Range<Int>, suffix: Range<Int>)? {
    guard !target.needsDecoding else { return nil }
    let start = target.path.lowerBound + prefix.utf8CodeUnitCount
    let end = target.path.upperBound
    var dot = end
    var index = end
    while index > start {
      index -= 1
      if bytes[index] == UInt8(ascii: "/") { return nil }
      if dot == end, bytes[index] == UInt8(ascii: ".") { dot = index }
    }
    return dot < end ? (start..<dot, dot + 1..<end) : nil
  }
}
