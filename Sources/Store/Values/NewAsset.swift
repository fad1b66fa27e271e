public import Wire

/// What an asset is to be, beside its bytes.
public struct NewAsset: Sendable {
  /// Whose it is.
  public var owner: Owner
  /// How long it lives.
  public var lifetime: Lifetime
  /// The model that made it.
  public var model: String?
  /// The generation that it belongs to, and its place in it.
  public var generation: GenerationID?
  /// Its place among the images of the generation.
  public var index = 0
  /// Whether no policy may collect it.
  public var isPinned = false
  /// Take the owner's asset of the same bytes and retention, if there is one, and let it live until
  /// the later expiry (API.md §4). Generations always make new assets.
  public var reuse = false
  /// Bytes that the owner may have in all, this asset included; `nil` for no quota.
  public var quota: Int64?
  /// Of that, bytes that the owner's running orders were promised; orders' own images do not mind.
  var promised: Int64 = 0
  /// Assets that are not reused.
  var passing: PassingAssets?

  /// An asset of `owner`; see the properties.
  public init(
    owner: Owner, lifetime: Lifetime, model: String? = nil, generation: GenerationID? = nil,
    index: Int = 0, reuse: Bool = false, quota: Int64? = nil
  ) {
    self.owner = owner
    self.lifetime = lifetime
    self.model = model
    self.generation = generation
    self.index = index
    self.reuse = reuse
    self.quota = quota
  }
}

/// An asset whose row is durable.
public struct PublishedAsset: Sendable, Hashable {
  /// The asset.
  public let asset: Asset
  /// `false` when it was there already (`NewAsset.reuse`).
  public let isNew: Bool
}

/// What may change of an asset; `nil` leaves it as it is.
public struct AssetChange: Sendable {
  /// Another life.
  public var lifetime: Lifetime?
  /// Whether policies may collect it.
  public var isPinned: Bool?

  /// A change; see the properties.
  public init(lifetime: Lifetime? = nil, isPinned: Bool? = nil) {
    self.lifetime = lifetime
    self.isPinned = isPinned
  }
}
