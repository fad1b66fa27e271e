internal import Links
internal import Store
internal import Wire

/// One of this server's own delivery URLs, in a client's answer: it is read from the store, and
/// opens no more than a GET of it would (API.md §5).
struct OwnURL {
  private enum Name {
    case link(token: String)
    case permanent(id: String)
  }
  private let name: Name
  private let suffix: String

  /// `nil` when the URL is not below `base`, or names no image. The two are compared as RFC 3986
  /// §6.2.2 and §6.2.3 would have it: what passed through other programs may be spelled anew.
  init?(_ url: String, base: String) {
    guard let own = NormalizedURL(base), let asked = NormalizedURL(url),
      own.origin == asked.origin, asked.path.hasPrefix(own.path)
    else { return nil }
    let path = asked.path.dropFirst(own.path.count)
    guard let dot = path.lastIndex(of: ".") else { return nil }
    suffix = String(path[path.index(after: dot)...])
    let stem = path[..<dot]
    if stem.hasPrefix("/v1/temp-images/") {
      name = .link(token: String(stem.dropFirst("/v1/temp-images/".count)))
    } else if stem.hasPrefix("/images/") {
      name = .permanent(id: String(stem.dropFirst("/images/".count)))
    } else {
      return nil
    }
  }

  /// The asset that it names.
  ///
  /// - Throws: what delivery answers: 403 for a token that is not good, 410 for what has expired or
  ///   was removed, 404 for what never was.
  func asset(_ context: ServiceContext, _ reader: CatalogReader) async throws -> Asset {
    let id = try assetID(context)
    switch try await context.store.read(atOnce: reader, { reader in try reader.lookUp(id) }) {
    case .unknown: throw DeliveryFailure.unknown.failure
    case .removed(let tombstone):
      let gone = DeliveryFailure.gone(wasPermanent: tombstone.wasPermanent)
      throw (isLink ? gone : gone.underItsID).failure
    case .asset(let asset):
      if isLink, let end = asset.lifetime.expiresAt, end <= context.now {
        throw DeliveryFailure.linkExpired.failure
      }
      // A temporary asset's id is no secret, so it is no way in.
      guard isLink || asset.lifetime == .permanent,
        asset.blob.image.mediaType.accepts(extension: suffix.utf8.span)
      else { throw DeliveryFailure.unknown.failure }
      return asset
    }
  }

  private var isLink: Bool { if case .link = name { true } else { false } }

  private func assetID(_ context: ServiceContext) throws(Failure) -> AssetID {
    switch name {
    case .permanent(let text):
      guard let id = AssetID(text) else { throw DeliveryFailure.unknown.failure }
      return id
    case .link(let token):
      switch context.links.verify(token: token.utf8.span, now: context.now) {
      case .valid(let id, _): return id
      case .expired: throw DeliveryFailure.linkExpired.failure
      case .invalid: throw DeliveryFailure.linkInvalid.failure
      }
    }
  }
}

/// A URL in the one spelling that all of its equals have (RFC 3986 §6.2.2, §6.2.3), as far as
/// scheme, host, port and path go.
private struct NormalizedURL {
  /// `scheme://host[:port]`, in lower case, without the scheme's own port.
  let origin: [UInt8]
  /// The path: no letter, digit or `-._~` is encoded, no segment is `.` or `..`; without a slash at
  /// its end.
  let path: String

  /// `nil` when it is no http or https URL, or carries a password.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard let url = try? AbsoluteURL(bytes.span), !url.hasUserInfo else { return nil }
    origin = url.origin(in: bytes.span)
    let sent = bytes[url.pathAndQuery].prefix { $0 != UInt8(ascii: "?") }
    var segments: [Substring] = []
    let decoded = Self.decodingUnreserved(Array(sent))
    for segment in decoded.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      switch segment {
      case ".": break
      case "..": _ = segments.popLast()
      default: segments.append(segment)
      }
    }
    if segments.last?.isEmpty == true { segments.removeLast() }
    path = segments.map { "/" + $0 }.joined()
  }

  private static func decodingUnreserved(_ path: [UInt8]) -> String {
    var result: [UInt8] = []
    var index = 0
    while index < path.count {
      let digits = path[index...].dropFirst().prefix(2)
      if path[index] == UInt8(ascii: "%"), digits.count == 2,
        let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
      {
        let isUnreserved = byte.isLetterOrDigit || "-._~".utf8.contains(byte)
        result += isUnreserved ? [byte] : path[index..<index + 3]
        index += 3
      } else {
        result.append(path[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
  }
}
