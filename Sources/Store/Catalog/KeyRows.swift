internal import Crypto
internal import SQLite

extension CatalogSession {
  /// The key with this SHA-256; `nil` when there is none or it is revoked.
  func key(_ digest: Digest) throws(StoreFailure) -> AccessKey? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(.keyByDigest, { $0.bind(1, digest) }, AccessKey.init(row:)) ?? nil
    }
  }

  /// All keys, revoked ones too, oldest first.
  func keys() throws(StoreFailure) -> [AccessKey] {
    try catalog(.read) { () throws(SQLiteFailure) in
      try all(.keys, { _ in }, AccessKey.init(row:))
    }.compactMap { $0 }
  }

  /// Adds a key.
  func insert(_ key: AccessKey) throws(StoreFailure) -> AccessKey {
    do {
      try run(.insertKey) {
        $0.bind(1, key.owner.name)
        $0.bind(2, key.digest)
        $0.bind(3, key.scopes.map(\.rawValue).sorted().joined(separator: ","))
        $0.bind(4, key.quota)
        $0.bind(5, key.defaults.responseFormat)
        $0.bind(6, key.defaults.retention?.rawValue)
        $0.bind(7, key.defaults.base64)
        $0.bind(8, key.createdAt)
      }
    } catch {
      if error.isConstraint { throw StoreFailure(.keys, .taken, subject: key.owner.name) }
      throw StoreFailure(.keys, error)
    }
    var stored = key
    stored.id = connection.lastInsertedRow
    return stored
  }

  /// Ends the keys of this name, or the one of them with this id.
  func revokeKeys(_ name: String, id: Int64?, now: Int64) throws(StoreFailure) -> KeyRevocation {
    try catalog(.keys, name) { () throws(SQLiteFailure) in
      let ended = try run(.revokeKeys) {
        $0.bind(1, name)
        $0.bind(2, now)
        $0.bind(3, id)
      }
      guard ended == 0 else { return .revoked }
      let known = try one(
        .keyOfName,
        {
          $0.bind(1, name)
          $0.bind(2, id)
        }, { $0.integer(0) })
      return known == nil ? .unknown : .alreadyRevoked
    }
  }

  /// Notes when keys were used last, unix seconds by their ids.
  func noteUses(_ uses: [Int64: Int64]) throws(StoreFailure) {
    try catalog(.keys) { () throws(SQLiteFailure) in
      for (id, at) in uses {
        _ = try run(.useKey) {
          $0.bind(1, id)
          $0.bind(2, at)
        }
      }
    }
  }
}

extension AccessKey {
  fileprivate init?(row: Statement) {
    guard let digest = row.digest(2) else { return nil }
    let scopes = row.text(3).split(separator: ",").compactMap { Scope(rawValue: String($0)) }
    self.init(
      owner: Owner(stored: row.text(1)), digest: digest, scopes: Set(scopes),
      quota: row.integerIfAny(4),
      defaults: Defaults(
        responseFormat: row.textIfAny(5),
        retention: row.textIfAny(6).flatMap(Retention.init(rawValue:)), base64: row.textIfAny(7)),
      createdAt: row.integer(8))
    id = row.integer(0)
    revokedAt = row.integerIfAny(9)
    lastUsedAt = row.integerIfAny(10)
  }
}
