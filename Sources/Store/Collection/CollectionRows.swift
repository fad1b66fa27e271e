// The SQL of collections.
internal import Crypto
internal import SQLite
internal import Wire

/// An asset that a policy collects.
struct CollectedAsset: Sendable {
  let id: AssetID
  let digest: Digest
  let bytes: Int64
  let expiresAt: Int64?
  /// Whether links may name a later end.
  let isOutlived: Bool
  let place: AssetPlace
}

extension CatalogSession {
  /// Removes those of these assets that meet the policy's condition *now*: it is evaluated again
  /// in the statement that deletes. Their bytes are noted as perhaps unused.
  func collect(
    _ policy: some AssetPolicy, _ serials: ArraySlice<Int64>, now: Int64
  ) throws(StoreFailure) -> [CollectedAsset] {
    let assets = try catalog(.collect) { () throws(SQLiteFailure) in
      for serial in serials { try run(.addChosen) { $0.bind(1, serial) } }
      defer { _ = try? run(.clearChosen) { _ in } }
      return try all(policy.removal) {
        policy.bindTime($0, now: now)
      } _: {
        CollectedAsset(row: $0)
      }
    }.compactMap { $0 }
    for asset in assets {
      // What had expired says so by its links; there would be as many tombstones as images.
      if asset.isOutlived || asset.expiresAt.map({ $0 > now }) ?? true {
        try bury(asset.id, asset.place, .collected, now: now)
      }
    }
    try catalog(.collect) { () throws(SQLiteFailure) in
      for asset in assets { try run(.addPerhapsUnused) { $0.bind(1, asset.digest) } }
    }
    return assets
  }

  /// Removes the rows of those blobs that no asset is on any more: in one statement, in the order
  /// of the table.
  func dropUnused(_ digests: ArraySlice<Digest>) throws(StoreFailure) -> [FreedBlob] {
    let dropped = try catalog(.collect) { () throws(SQLiteFailure) in
      for digest in digests { try run(.addFreed) { $0.bind(1, digest) } }
      defer { _ = try? run(.clearFreed) { _ in } }
      return try all(.dropFreed, { _ in }) { row -> FreedBlob? in
        guard let digest = row.digest(0) else { return nil }
        let tail = UInt32(truncatingIfNeeded: row.integer(1))
        return FreedBlob(name: BlobName(digest: digest, tail: tail), bytes: row.integer(2))
      }.compactMap { $0 }
    }
    freed += dropped
    return dropped
  }

  /// The newest note of bytes that are perhaps unused; 0 when there is none.
  func lastPerhapsUnused() throws(StoreFailure) -> Int64 {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try one(.lastPerhapsUnused, { _ in }, { $0.integer(0) })
    } ?? 0
  }

  /// Bytes that are perhaps unused, of these notes.
  func perhapsUnused(_ notes: ClosedRange<Int64>) throws(StoreFailure) -> [Digest] {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try all(.perhapsUnused) {
        $0.bind(notes)
      } _: {
        $0.digest(0)
      }
    }.compactMap { $0 }
  }

  /// The last note that a run which was ended has left to the next one; 0 for none, and while the
  /// sweep is stopped, in doubt, or of a catalogue that was rebuilt: what that does not name may
  /// have had a row, and the sweep decides.
  func lastNoteToFinish(_ doubt: SweepDoubt?) throws(StoreFailure) -> Int64 {
    guard doubt == nil, try text(.sweepStop) == nil, try integer(.rebuiltAt) == nil else {
      return 0
    }
    return try lastPerhapsUnused()
  }

  /// Forgets these notes: it was looked at what they name.
  func forgetPerhapsUnused(_ notes: ClosedRange<Int64>) throws(StoreFailure) {
    _ = try catalog(.collect) { () throws(SQLiteFailure) in
      try run(.forgetPerhapsUnused) { $0.bind(notes) }
    }
  }

  /// At most `limit` assets that meet the policy's condition, in its order, behind `last`.
  func candidates(
    _ policy: some AssetPolicy, now: Int64, after last: CollectedAsset?, limit: Int
  ) throws(StoreFailure) -> [CollectedAsset] {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try all(policy.candidates) {
        policy.bind($0, now: now, limit: Int64(limit))
        policy.bindPlace($0, after: last)
      } _: {
        CollectedAsset(row: $0)
      }
    }.compactMap { $0 }
  }

  /// The serials of the first assets that meet the policy's condition, in its order.
  func serials(
    _ policy: some AssetPolicy, limit: Int, now: Int64
  ) throws(StoreFailure) -> [Int64] {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try all(policy.serials) {
        policy.bind($0, now: now, limit: Int64(limit))
      } _: {
        $0.integer(0)
      }
    }
  }

  /// How many assets meet the policy's condition.
  func count(_ policy: some AssetPolicy, now: Int64) throws(StoreFailure) -> Int {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try one(policy.count, { policy.bindTime($0, now: now) }, { Int($0.integer(0)) })
    } ?? 0
  }

  /// How many assets are on these bytes.
  func assetCount(on digest: Digest) throws(StoreFailure) -> Int {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try one(.assetsOnDigest, { $0.bind(1, digest) }) {
        Int($0.integer(0))
      }
    } ?? 0
  }

  /// Notes what a policy did.
  func note(
    _ result: PolicyResult, startedAt: Int64, milliseconds: Int64
  ) throws(StoreFailure) {
    _ = try catalog(.collect) { () throws(SQLiteFailure) in
      try run(.noteCollection) {
        $0.bind(1, result.policy)
        $0.bind(2, startedAt)
        $0.bind(3, milliseconds)
        $0.bind(4, Int64(result.assets))
        $0.bind(5, Int64(result.blobs))
        $0.bind(6, result.bytes)
      }
    }
  }

  // MARK: - Orphans

  /// The blobs of one folder that have rows, and of those the ones without assets.
  func blobRows(
    inFolder number: Int
  ) throws(StoreFailure) -> (names: Set<BlobName>, unused: [UnusedBlob]) {
    var names: Set<BlobName> = []
    var unused: [UnusedBlob] = []
    let first = UInt8(truncatingIfNeeded: number)
    _ = try catalog(.collect) { () throws(SQLiteFailure) in
      try all(.blobsOfFolder) {
        $0.bind(1, ([first] + [UInt8](repeating: 0, count: 31)).span)
        $0.bind(2, ([first] + [UInt8](repeating: 255, count: 31)).span)
      } _: { row in
        guard let digest = row.digest(0) else { return }
        let name = BlobName(digest: digest, tail: UInt32(truncatingIfNeeded: row.integer(1)))
        names.insert(name)
        if row.integer(4) == 1 {
          unused.append(UnusedBlob(name: name, bytes: row.integer(2), storedAt: row.integer(3)))
        }
      }
    }
    return (names, unused)
  }

  /// Whether a row names this file.
  func hasRow(_ name: BlobName) throws(StoreFailure) -> Bool {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try one(
        .blobRow,
        {
          $0.bind(1, name.digest)
          $0.bind(2, Int64(name.tail))
        }, { _ in true })
    } ?? false
  }
}

/// A blob whose row has no asset.
struct UnusedBlob: Sendable {
  let name: BlobName
  let bytes: Int64
  let storedAt: Int64
}

extension Statement {
  fileprivate func bind(_ range: ClosedRange<Int64>) {
    bind(1, range.lowerBound)
    bind(2, range.upperBound)
  }
}

extension CollectedAsset {
  fileprivate init?(row: Statement) {
    guard let id = row.id(0, AssetID.self), let digest = row.digest(1) else { return nil }
    self.init(
      id: id, digest: digest, bytes: row.integer(2), expiresAt: row.integerIfAny(3),
      isOutlived: row.integer(4) == 1, place: AssetPlace(row: row, from: 5))
  }
}
