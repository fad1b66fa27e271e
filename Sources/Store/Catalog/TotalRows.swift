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
}
