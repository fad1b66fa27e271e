// Reading assets. Every list is bounded, and follows an index.
internal import Crypto
internal import SQLite
internal import Wire

extension CatalogSession {
  private static let columns = """
    SELECT a.id, a.digest, b.tail, b.bytes, b.media_type, b.width, b.height, b.stored_at,
      a.owner, a.expires_at, a.pinned, a.created_at, a.last_access_at, a.model, a.generation,
      a.position
    FROM assets a JOIN blobs b ON b.digest = a.digest

    """
  private static let byID = columns + "WHERE a.id = ?1"
  private static let byGeneration =
    columns + "WHERE a.generation = ?1 ORDER BY a.position, a.serial LIMIT 100"

  /// The asset of this id.
  func asset(_ id: AssetID) throws(StoreFailure) -> Asset? {
    let row = try catalog(.read) { () throws(SQLiteFailure) in
      try point(CatalogSession.byID, { $0.bind(1, id) }, Asset.init(row:))
    }
    guard let row else { return nil }
    guard let asset = row else { throw StoreFailure(.read, .damaged, subject: "\(id)") }
    return asset
  }

  /// The asset of this id, or what is left of it.
  func lookUp(_ id: AssetID) throws(StoreFailure) -> AssetLookup {
    if let asset = try asset(id) { return .asset(asset) }
    let tombstone = try catalog(.read) { () throws(SQLiteFailure) in
      try one(
        "SELECT removed_at, reason, retention FROM tombstones WHERE id = ?1", { $0.bind(1, id) },
        Tombstone.init(row:))
    }
    return tombstone.map { .removed($0) } ?? .unknown
  }

  /// The images of a generation, in their order.
  func assets(of generation: GenerationID) throws(StoreFailure) -> [Asset] {
    try catalog(.read) { () throws(SQLiteFailure) in
      try all(CatalogSession.byGeneration, { $0.bind(1, generation) }, Asset.init(row:))
    }.compactMap { $0 }
  }

  /// A page of assets, newest first; `nil` when `query.after` never was there, is another owner's
  /// than the query's, or is forgotten.
  func assets(_ query: AssetQuery) throws(StoreFailure) -> [Asset]? {
    var last: Int64?
    if let after = query.after {
      last = try place(of: after, owner: query.owner)
      if last == nil { return nil }
    }
    return try catalog(.read) { () throws(SQLiteFailure) in
      try all(
        query.sql(CatalogSession.columns, hasCursor: last != nil),
        { query.bind($0, after: last) }, Asset.init(row:))
    }.compactMap { $0 }
  }
}

extension CatalogSession {
  /// Where an asset stands in lists, or stood: whoever deletes what a page shows can go on with the
  /// next.
  private func place(of id: AssetID, owner: Owner?) throws(StoreFailure) -> Int64? {
    let sql = """
      SELECT serial FROM assets WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)
      UNION ALL
      SELECT serial FROM tombstones
        WHERE id = ?1 AND serial IS NOT NULL AND (?2 IS NULL OR owner = ?2)
      """
    return try catalog(.read) { () throws(SQLiteFailure) in
      try one(sql) {
        $0.bind(1, id)
        $0.bind(2, owner?.name)
      } _: {
        $0.integer(0)
      }
    }
  }
}

extension Tombstone {
  /// removed_at, reason, retention; of what an earlier schema buried the last is not known.
  fileprivate init(row: Statement) {
    self.init(
      removedAt: row.integer(0), reason: RemovalReason(rawValue: row.text(1)) ?? .deleted,
      wasPermanent: row.textIfAny(2) != Retention.temporary.rawValue)
  }
}

extension AssetQuery {
  /// One text per combination of filters, so that each follows its index.
  func sql(_ columns: String, hasCursor: Bool) -> String {
    var conditions: [String] = []
    if owner != nil { conditions.append("a.owner = ?1") }
    if hasCursor { conditions.append("a.serial < ?2") }
    if retention != nil { conditions.append("a.retention = ?3") }
    if model != nil { conditions.append("a.model = ?4") }
    if createdAfter != nil { conditions.append("a.created_at > ?5") }
    let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    return columns + filter + " ORDER BY a.serial DESC LIMIT ?6"
  }

  func bind(_ statement: Statement, after serial: Int64?) {
    // Only the positions that the text names exist, but for those below the highest.
    statement.bind(1, owner?.name)
    statement.bind(2, serial)
    statement.bind(3, retention?.rawValue)
    statement.bind(4, model)
    statement.bind(5, createdAfter)
    statement.bind(6, Int64(limit))
  }
}

extension Asset {
  /// The columns of `CatalogSession.columns`; `nil` when they make no sense.
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
