// The table of contents of the HTTP surface (API.md §2–§7): path and method in, route out. Bytes
// only; delivery is looked for first, because it is asked for a hundred times as often.
internal import Wire

/// What a request is for.
enum Route {
  /// `GET|HEAD /v1/temp-images/{token}.{ext}`: where the name stands, and where its extension does.
  case link(token: Range<Int>, extension: Range<Int>)
  /// `GET|HEAD /images/{asset-id}.{ext}`
  case permanent(id: Range<Int>, extension: Range<Int>)
  /// Under a delivery path, but no name that could be one of ours.
  case deliveryUnknown
  /// A call of the API.
  case api(API)
  case unknown

  /// The calls of the API. An id is the decoded path segment as it came.
  enum API: Equatable {
    case generations, convert
    case models, model(String)
    case assets, asset(String), links(String)
    case health, readiness, openAPI
    case admin(String)
  }
}

extension Route {
  private static let linkPrefix: StaticString = "/v1/temp-images/"
  private static let permanentPrefix: StaticString = "/images/"

  /// Reads the path of a target.
  init(_ target: RequestTarget, in bytes: Span<UInt8>) {
    if target.hasPathPrefix(Self.linkPrefix, in: bytes) {
      self = Self.delivery(target, bytes, skipping: Self.linkPrefix) {
        .link(token: $0, extension: $1)
      }
    } else if target.hasPathPrefix(Self.permanentPrefix, in: bytes) {
      self = Self.delivery(target, bytes, skipping: Self.permanentPrefix) {
        .permanent(id: $0, extension: $1)
      }
    } else if let api = Self.api(target, bytes) {
      self = .api(api)
    } else {
      self = .unknown
    }
  }

  /// `name.ext` behind the prefix: one segment, no `%` (API.md §5).
  private static func delivery(
    _ target: RequestTarget, _ bytes: Span<UInt8>, skipping prefix: StaticString,
    _ make: (Range<Int>, Range<Int>) -> Route
  ) -> Route {
    let name = target.path.lowerBound + prefix.utf8CodeUnitCount..<target.path.upperBound
    guard !target.needsDecoding else { return .deliveryUnknown }
    var dot = name.upperBound
    for index in name.reversed() {
      if bytes[index] == UInt8(ascii: "/") { return .deliveryUnknown }
      if bytes[index] == UInt8(ascii: "."), dot == name.upperBound { dot = index }
    }
    guard dot < name.upperBound else { return .deliveryUnknown }
    return make(name.lowerBound..<dot, dot + 1..<name.upperBound)
  }

  private static func api(_ target: RequestTarget, _ bytes: Span<UInt8>) -> API? {
    // Model ids may hold a slash, encoded too, on that route only (API.md §3).
    guard let path = try? target.decodedPath(in: bytes, allowsEncodedSlash: true) else {
      return nil
    }
    let text = String(decoding: path, as: UTF8.self)
    if text.hasPrefix("/v1/models/") { return .model(String(text.dropFirst(11))) }
    guard (try? target.decodedPath(in: bytes)) != nil else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    return api(Array(parts))
  }

  private static func api(_ parts: [Substring]) -> API? {
    switch (parts.first, parts.count) {
    case ("v1", 2) where parts[1] == "models": .models
    case ("v1", 2) where parts[1] == "assets": .assets
    case ("v1", 3) where parts[1] == "images" && parts[2] == "generations": .generations
    case ("v1", 3) where parts[1] == "images" && parts[2] == "convert": .convert
    case ("v1", 3) where parts[1] == "assets" && !parts[2].isEmpty: .asset(String(parts[2]))
    case ("v1", 4) where parts[1] == "assets" && parts[3] == "links": .links(String(parts[2]))
    case ("admin", 2): .admin(String(parts[1]))
    case ("healthz", 1): .health
    case ("readyz", 1): .readiness
    case ("openapi.json", 1): .openAPI
    default: nil
    }
  }
}
