// Assets as clients see them (API.md §3 `x_asset`, §4 "An asset as JSON").
internal import Crypto
internal import Links
internal import Store
internal import Wire

/// Spells the URLs of assets.
struct AssetURLs {
  let links: LinkVerifier
  /// The base of delivery URLs.
  let base: String

  /// The permanent URL, or a link that lives as long as the asset.
  func url(of asset: Asset) -> String {
    guard let expiry = asset.lifetime.expiresAt else {
      return "\(base)/images/\(asset.id).\(asset.blob.image.mediaType.fileExtension)"
    }
    return link(to: asset, until: expiry)
  }

  /// A signed link that ends at `expiry`.
  func link(to asset: Asset, until expiry: Int64) -> String {
    let token = links.mintedText(asset: asset.id, expiry: min(expiry, LinkVerifier.lastExpiry))
    return "\(base)/v1/temp-images/\(token).\(asset.blob.image.mediaType.fileExtension)"
  }
}

extension Asset {
  /// The whole asset.
  func json(_ urls: AssetURLs) -> JSONValue {
    [
      "id": .string(id.description), "object": "asset", "url": .string(urls.url(of: self)),
      "retention": .string(lifetime.retention.rawValue), "pinned": .bool(isPinned),
      "expires_at": JSONValue(lifetime.expiresAt), "created_at": .number(JSONNumber(createdAt)),
      "last_access_at": JSONValue(lastAccessAt), "sha256": .string(blob.digest.hex),
      "bytes": .number(JSONNumber(blob.bytes)),
      "media_type": .string(blob.image.mediaType.contentType),
      "width": .number(JSONNumber(blob.image.width)),
      "height": .number(JSONNumber(blob.image.height)), "model": JSONValue(model),
      "generation_id": JSONValue(generation?.description), "owner": .string(owner.name),
    ]
  }

  /// The asset as an entry of `x_asset.images`.
  func summary(_ urls: AssetURLs) -> JSONValue {
    [
      "id": .string(id.description), "url": .string(urls.url(of: self)),
      "expires_at": JSONValue(lifetime.expiresAt),
      "retention": .string(lifetime.retention.rawValue), "sha256": .string(blob.digest.hex),
      "bytes": .number(JSONNumber(blob.bytes)),
      "media_type": .string(blob.image.mediaType.contentType),
      "width": .number(JSONNumber(blob.image.width)),
      "height": .number(JSONNumber(blob.image.height)),
    ]
  }
}
