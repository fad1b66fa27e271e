internal import SQLite

/// Rows that only remember: generations past their life, tombstones, rows of collections.
struct RecordsPolicy: Sendable {
  /// Seconds after which they are forgotten.
  let after: Int64

  /// One kind of row: its table, its key, and the column that tells its age (indexed).
  struct Table: Sendable {
    let name: String
    let key: String
    let time: String
  }

  static let tables = [
    Table(name: "generations", key: "id", time: "expires_at"),
    Table(name: "tombstones", key: "id", time: "removed_at"),
    Table(name: "collections", key: "id", time: "started_at"),
  ]
}

extension CatalogSession {
  /// How many rows of a table are old.
  func count(_ table: RecordsPolicy.Table, before time: Int64) throws(StoreFailure) -> Int {
    let sql = "SELECT count(*) FROM \(table.name) WHERE \(table.time) <= ?1"
    return try catalog(.collect) { () throws(SQLiteFailure) in
      try one(sql, { $0.bind(1, time) }, { Int($0.integer(0)) })
    } ?? 0
  }

  /// Removes at most `limit` old rows of a table.
  func remove(
    _ table: RecordsPolicy.Table, before time: Int64, limit: Int
  ) throws(StoreFailure) -> Int {
    let sql = """
      DELETE FROM \(table.name) WHERE \(table.key) IN
        (SELECT \(table.key) FROM \(table.name) WHERE \(table.time) <= ?1
         ORDER BY \(table.time) LIMIT ?2)
      """
    return try catalog(.collect) { () throws(SQLiteFailure) in
      try run(sql) {
        $0.bind(1, time)
        $0.bind(2, Int64(limit))
      }
    }
  }
}
