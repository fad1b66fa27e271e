internal import SQLite

/// Rows that only remember: generations past their life, tombstones, rows of collections.
struct RecordsPolicy: Sendable {
  /// Seconds after which they are forgotten.
  let after: Int64

  /// One kind of row: how many are old, and their removal.
  struct Table: Sendable {
    let count: CatalogSQL
    let removal: CatalogSQL
  }

  static let tables = [
    Table(count: .countGenerations, removal: .removeGenerations),
    Table(count: .countTombstones, removal: .removeTombstones),
    Table(count: .countCollections, removal: .removeCollections),
  ]
}

extension CatalogSession {
  /// How many rows of a table are old.
  func count(_ table: RecordsPolicy.Table, before time: Int64) throws(StoreFailure) -> Int {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try one(table.count, { $0.bind(1, time) }, { Int($0.integer(0)) })
    } ?? 0
  }

  /// Removes at most `limit` old rows of a table.
  func remove(
    _ table: RecordsPolicy.Table, before time: Int64, limit: Int
  ) throws(StoreFailure) -> Int {
    try catalog(.collect) { () throws(SQLiteFailure) in
      try run(table.removal) {
        $0.bind(1, time)
        $0.bind(2, Int64(limit))
      }
    }
  }
}
