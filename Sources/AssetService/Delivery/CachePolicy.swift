internal import HTTPServer

/// What caches are told (API.md §5): never longer than the link lives, never a year for what a
/// policy may collect.
struct CachePolicy: Sendable {
  /// The most that `max-age` may say, in seconds; `nil` for no cap.
  let cap: Int64?
  /// Whether a policy names permanent assets.
  let collectsPermanent: Bool

  enum Directive: Equatable {
    case fresh(seconds: Int64, isImmutable: Bool)
    case noStore

    func append(to response: inout ResponseWriter) {
      switch self {
      case .noStore: response.lines("Cache-Control: no-store\r\n")
      case .fresh(let seconds, let isImmutable):
        response.piece("Cache-Control: public, max-age=")
        response.piece(seconds)
        response.piece(isImmutable ? ", immutable\r\n" : "\r\n")
      }
    }
  }

  /// A link's bytes may be kept until the second before it expires.
  func link(secondsLeft: Int64) -> Directive {
    guard secondsLeft > 1 else { return .noStore }
    return .fresh(seconds: capped(secondsLeft - 1), isImmutable: true)
  }

  /// A permanent asset may be kept for a year, unless it may be collected before.
  func permanent(_ asset: OpenAsset) -> Directive {
    if collectsPermanent && !asset.isPinned {
      return .fresh(seconds: capped(3600), isImmutable: false)
    }
    return .fresh(seconds: capped(31_536_000), isImmutable: true)
  }

  private func capped(_ seconds: Int64) -> Int64 { cap.map { min($0, seconds) } ?? seconds }
}
