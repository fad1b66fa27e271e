// The table of contents of the API (API.md §2–§7): path in, route out. Delivery has its own, in
// `DeliveryName`.
internal import Wire

/// The calls of the API. An id is the decoded path segment as it came.
enum Route: Equatable {
  case generations, convert
  case models, model(String)
  case assets, asset(String), links(String)
  case health, readiness, metrics, openAPI
  case admin(String)
}

extension Route {
  /// Reads the path of a target; `nil` when there is nothing at it.
  init?(_ target: RequestTarget, in bytes: Span<UInt8>) {
    // Model ids may hold a slash, encoded too, on that route only (API.md §3).
    guard let path = try? target.decodedPath(in: bytes, allowsEncodedSlash: true) else {
      return nil
    }
    let text = String(decoding: path, as: UTF8.self)
    if text.hasPrefix("/v1/models/") {
      self = .model(String(text.dropFirst(11)))
      return
    }
    guard (try? target.decodedPath(in: bytes)) != nil else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard let route = Self.named(Array(parts)) else { return nil }
    self = route
  }

  /// Where a path that is nothing would be a call of the API: with `/v1` before it, which many a
  /// client's base URL lacks, or without the one too many. `nil` for all else.
  static func path(meantBy target: RequestTarget, in bytes: Span<UInt8>) -> String? {
    guard let path = try? target.decodedPath(in: bytes, allowsEncodedSlash: true) else {
      return nil
    }
    let text = String(decoding: path, as: UTF8.self)
    let candidate = text.hasPrefix("/v1/") ? String(text.dropFirst(3)) : "/v1" + text
    let parts = candidate.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if candidate.hasPrefix("/v1/models/") { return candidate }
    guard let route = named(Array(parts)), route.allow != nil else { return nil }
    return candidate
  }

  private static func named(_ parts: [Substring]) -> Route? {
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
    case ("metrics", 1): .metrics
    case ("openapi.json", 1): .openAPI
    default: nil
    }
  }

  /// The methods that it takes (RFC 9110 §10.2.1); `nil` for what is not there for everyone.
  var allow: StaticString? {
    switch self {
    case .generations, .convert, .links: "POST, OPTIONS"
    case .assets: "GET, HEAD, POST, OPTIONS"
    case .asset: "GET, HEAD, PATCH, DELETE, OPTIONS"
    case .models, .model, .health, .readiness, .metrics, .openAPI: "GET, HEAD, OPTIONS"
    case .admin: nil
    }
  }
}
