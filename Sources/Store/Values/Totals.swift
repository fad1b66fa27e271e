public import Wire

/// The sums over the whole store.
public struct StoreTotals: Sendable, Hashable {
  /// Assets, expired ones too.
  public let assets: Int
  /// Logical bytes: every asset counts its image.
  public let assetBytes: Int64
  /// Files.
  public let blobs: Int
  /// Bytes of the files.
  public let blobBytes: Int64
  /// What the disk gives for the files, in blocks of 4 KiB.
  public let diskBytes: Int64
}

/// The sums of one owner.
public struct OwnerTotals: Sendable, Hashable {
  /// Who.
  public let owner: Owner
  /// Assets, expired ones too.
  public let assets: Int
  /// Logical bytes.
  public let bytes: Int64
}

/// Which assets a list shows, newest first.
public struct AssetQuery: Sendable {
  /// Only this owner's; `nil` for everyone's.
  public var owner: Owner?
  /// Only those that are older than this one: the last of the page before.
  public var after: AssetID?
  /// Only this kind.
  public var retention: Retention?
  /// Only those of this model.
  public var model: String?
  /// Only those made after these unix seconds.
  public var createdAfter: Int64?
  /// How many at most.
  public var limit: Int

  /// A list of `owner`'s assets; see the properties.
  public init(
    owner: Owner?, after: AssetID? = nil, retention: Retention? = nil, model: String? = nil,
    createdAfter: Int64? = nil, limit: Int = 100
  ) {
    self.owner = owner
    self.after = after
    self.retention = retention
    self.model = model
    self.createdAfter = createdAfter
    self.limit = max(1, min(limit, 1000))
  }
}
