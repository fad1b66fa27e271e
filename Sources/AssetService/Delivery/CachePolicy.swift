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
    /// Immutable, and never to be served after these seconds.
    case link(seconds: Int64)
    case noStore

    func append(to response: inout ResponseWriter) {
      switch self {
      case .noStore: response.lines("Cache-Control: no-store\r\nX-Accel-Expires: 0\r\n")
      case .fresh(let seconds, let isImmutable):
        appendAge(seconds, isImmutable: isImmutable, to: &response)
      case .link(let seconds):
        appendAge(seconds, isImmutable: true, to: &response)
        // nginx counts from when it reads an answer, in whole seconds and the last one included:
        // what leaves us at the end of a second would be served after the link's end. It takes a
        // time, too, and passes it on to nobody.
        response.piece("X-Accel-Expires: @")
        response.piece(response.now + seconds)
        response.piece("\r\n")
      }
    }

    private func appendAge(
      _ seconds: Int64, isImmutable: Bool, to response: inout ResponseWriter
    ) {
      response.piece("Cache-Control: public, max-age=")
      response.piece(seconds)
      response.piece(isImmutable ? ", immutable\r\n" : "\r\n")
    }
  }

  /// A link's bytes may be kept until the second before it expires.
  func link(secondsLeft: Int64) -> Directive {
    guard secondsLeft > 1 else { return .noStore }
    return .link(seconds: capped(secondsLeft - 1))
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
