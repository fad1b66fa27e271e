internal import SQLite

extension CatalogSession {
  /// The sums over the whole store.
  func totals() throws(StoreFailure) -> StoreTotals {
    let sql = "SELECT assets, asset_bytes, blobs, blob_bytes, disk_bytes FROM totals"
    let row = try catalog(.read) { () throws(SQLiteFailure) in
      try one(sql, { _ in }) {
        StoreTotals(
          assets: Int($0.integer(0)), assetBytes: $0.integer(1), blobs: Int($0.integer(2)),
          blobBytes: $0.integer(3), diskBytes: $0.integer(4))
      }
    }
    guard let row else { throw StoreFailure(.read, .damaged, subject: "totals") }
    return row
  }

  /// The sums of one owner.
  func totals(of owner: Owner) throws(StoreFailure) -> OwnerTotals {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(
        "SELECT assets, bytes FROM owners WHERE owner = ?1", { $0.bind(1, owner.name) },
        { OwnerTotals(owner: owner, assets: Int($0.integer(0)), bytes: $0.integer(1)) })
    } ?? OwnerTotals(owner: owner, assets: 0, bytes: 0)
  }

  /// The sums of every owner that has assets, largest first.
  func ownerTotals(limit: Int) throws(StoreFailure) -> [OwnerTotals] {
    let sql =
      "SELECT owner, assets, bytes FROM owners WHERE assets > 0 ORDER BY bytes DESC LIMIT ?1"
    return try catalog(.read) { () throws(SQLiteFailure) in
      try all(sql, { $0.bind(1, Int64(limit)) }) {
        OwnerTotals(
          owner: Owner(stored: $0.text(0)), assets: Int($0.integer(1)), bytes: $0.integer(2))
      }
    }
  }

  /// The latest wall clock time that this store has seen, in unix seconds.
  func clockMark() throws(StoreFailure) -> Int64? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one("SELECT value FROM meta WHERE name = 'clock_mark'", { _ in }) { $0.integer(0) }
    }
  }

  /// Notes the wall clock's time, in unix seconds.
  func setClockMark(_ now: Int64) throws(StoreFailure) {
    _ = try catalog(.record) { () throws(SQLiteFailure) in
      try run("INSERT OR REPLACE INTO meta (name, value) VALUES ('clock_mark', ?1)") {
        $0.bind(1, now)
      }
    }
  }
}
