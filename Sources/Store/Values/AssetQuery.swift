public import Wire

/// Which assets a list shows, newest first.
public struct AssetQuery: Sendable {
  /// Only this owner's; `nil` for everyone's.
  public var owner: Owner?
  /// Only those that are older than this one: `AssetPage.last` of the page before.
  public var after: AssetID?
  /// Only this kind.
  public var retention: Retention?
  /// Only those of this model.
  public var model: String?
  /// Only those made after these unix seconds.
  public var createdAfter: Int64?
  /// Only those made before these unix seconds.
  public var createdBefore: Int64?
  /// How many at most.
  public var limit: Int
  /// How many rows one page may look at: what matches little is found over several pages.
  var scanLimit = 10_000
  /// Where `after` stood, when the catalogue need not be asked.
  var afterSerial: Int64?

  /// A list of `owner`'s assets; see the properties.
  public init(
    owner: Owner?, after: AssetID? = nil, retention: Retention? = nil, model: String? = nil,
    createdAfter: Int64? = nil, createdBefore: Int64? = nil, limit: Int = 100
  ) {
    self.owner = owner
    self.after = after
    self.retention = retention
    self.model = model
    self.createdAfter = createdAfter
    self.createdBefore = createdBefore
    self.limit = max(1, min(limit, 1000))
  }
}

/// A part of a list.
public struct AssetPage: Sendable {
  /// Newest first; may be fewer than asked for, even none, although there are more.
  public internal(set) var assets: [Asset] = []
  /// Whether there may be more behind `last`.
  public internal(set) var hasMore = false
  /// Where the next page begins: its `id` is that page's `AssetQuery.after`.
  public internal(set) var last: Place?

  /// An asset's place in lists.
  public struct Place: Sendable, Hashable {
    /// The asset.
    public let id: AssetID
    let serial: Int64
    let owner: Owner
  }
}
