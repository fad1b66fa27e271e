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

  /// `nil` when the URL is not below `base`, or names no image.
  init?(_ url: String, base: String) {
    guard url.hasPrefix(base) else { return nil }
    let path = url.dropFirst(base.count).prefix { $0 != "?" && $0 != "#" }
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
  func asset(_ context: ServiceContext, _ reader: CatalogReader) throws -> Asset {
    switch try reader.lookUp(try assetID(context)) {
    case .unknown: throw DeliveryFailure.unknown.failure
    case .removed(let tombstone):
      let gone = DeliveryFailure.gone(wasPermanent: tombstone.wasPermanent)
      throw (isLink ? gone : gone.underItsID).failure
    case .asset(let asset):
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
