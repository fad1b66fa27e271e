internal import SQLite

extension CatalogSession {
  /// The sums over the whole store.
  func totals() throws(StoreFailure) -> StoreTotals {
    let row = try catalog(.read) { () throws(SQLiteFailure) in
      try one(.totals, { _ in }) {
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
        .totalsOfOwner, { $0.bind(1, owner.name) },
        { OwnerTotals(owner: owner, assets: Int($0.integer(0)), bytes: $0.integer(1)) })
    } ?? OwnerTotals(owner: owner, assets: 0, bytes: 0)
  }

  /// The sums of every owner that has assets, largest first.
  func ownerTotals(limit: Int) throws(StoreFailure) -> [OwnerTotals] {
    try catalog(.read) { () throws(SQLiteFailure) in
      try all(.largestOwners, { $0.bind(1, Int64(limit)) }) {
        OwnerTotals(
          owner: Owner(stored: $0.text(0)), assets: Int($0.integer(1)), bytes: $0.integer(2))
      }
    }
  }

  /// The latest wall clock time that this store has seen, in unix seconds.
  func clockMark() throws(StoreFailure) -> Int64? { try noted(.clockMark) }

  /// Notes the wall clock's time, in unix seconds.
  func setClockMark(_ now: Int64) throws(StoreFailure) { try note(.clockMark, now) }

  // MARK: The table `meta`

  /// A number that the store keeps for itself.
  enum NotedNumber: String {
    case clockMark = "clock_mark"
    /// Set when a log was brought home after a failed commit.
    case recovered
    /// The folder of `blobs/` that the next sweep looks at.
    case nextFolder = "next_folder"
  }

  func noted(_ number: NotedNumber) throws(StoreFailure) -> Int64? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(.meta, { $0.bind(1, number.rawValue) }) { $0.integer(0) }
    }
  }

  func note(_ number: NotedNumber, _ value: Int64) throws(StoreFailure) {
    _ = try catalog(.record) { () throws(SQLiteFailure) in
      try run(.setMeta) {
        $0.bind(1, number.rawValue)
        $0.bind(2, value)
      }
    }
  }
}
