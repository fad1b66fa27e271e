// Reading assets by their ids.
internal import Crypto
internal import SQLite
internal import Wire

extension CatalogSession {
  /// The asset of this id.
  func asset(_ id: AssetID) throws(StoreFailure) -> Asset? {
    let row = try catalog(.read) { () throws(SQLiteFailure) in
      try point({ $0.bind(1, id) }, Asset.init(row:))
    }
    guard let row else { return nil }
    guard let asset = row else { throw StoreFailure(.read, .damaged, subject: "\(id)") }
    return asset
  }

  /// The asset of this id, or what is left of it.
  func lookUp(_ id: AssetID) throws(StoreFailure) -> AssetLookup {
    if let asset = try asset(id) { return .asset(asset) }
    let tombstone = try catalog(.read) { () throws(SQLiteFailure) in
      try one(.tombstone, { $0.bind(1, id) }, Tombstone.init(row:))
    }
    return tombstone.map { .removed($0) } ?? .unknown
  }

  /// The images of a generation, in their order.
  func assets(of generation: GenerationID) throws(StoreFailure) -> [Asset] {
    try catalog(.read) { () throws(SQLiteFailure) in
      try all(.assetsOfGeneration, { $0.bind(1, generation) }, Asset.init(row:))
    }.compactMap { $0 }
  }
}

extension Tombstone {
  /// removed_at, reason, retention, owner; of what the first schema buried the last two are not
  /// known.
  fileprivate init(row: Statement) {
    self.init(
      removedAt: row.integer(0), reason: RemovalReason(rawValue: row.text(1)) ?? .deleted,
      wasPermanent: row.textIfAny(2) != Retention.temporary.rawValue,
      owner: row.textIfAny(3).map(Owner.init(stored:)))
  }
}

extension Asset {
  /// The columns of `CatalogSQL.assetByID`; `nil` when they make no sense.
  init?(row: Statement) {
    guard let id = row.id(0, AssetID.self), let digest = row.digest(1),
      let tail = UInt32(exactly: row.integer(2)),
      let mediaType = MediaType(contentType: row.text(4)),
      let width = Int(exactly: row.integer(5)), let height = Int(exactly: row.integer(6)),
      let image = ImageFacts(mediaType: mediaType, width: width, height: height)
    else { return nil }
    self.init(
      id: id,
      blob: Blob(
        name: BlobName(digest: digest, tail: tail), bytes: row.integer(3), image: image,
        storedAt: row.integer(7)),
      owner: Owner(stored: row.text(8)), lifetime: Lifetime(expiresAt: row.integerIfAny(9)),
      isPinned: row.integer(10) == 1, createdAt: row.integer(11),
      lastAccessAt: row.integerIfAny(12), model: row.textIfAny(13), generation: row.id(14),
      index: Int(row.integer(15)))
  }
}
