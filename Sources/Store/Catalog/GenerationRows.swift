internal import Crypto
internal import SQLite
internal import Wire

extension CatalogSession {
  private static let generationColumns = """
    SELECT id, owner, fingerprint, idempotency_key, status, answer, delivered, model, prompt,
      created_at, expires_at
    FROM generations

    """

  /// The generation of this id.
  func generation(_ id: GenerationID) throws(StoreFailure) -> Generation? {
    let sql = CatalogSession.generationColumns + "WHERE id = ?1"
    return try catalog(.read) { () throws(SQLiteFailure) in
      try one(sql, { $0.bind(1, id) }, Generation.init(row:)) ?? nil
    }
  }

  /// The newest generation of this fingerprint.
  func generation(_ fingerprint: Digest, of owner: Owner) throws(StoreFailure) -> Generation? {
    let sql =
      CatalogSession.generationColumns
      + "WHERE owner = ?1 AND fingerprint = ?2 ORDER BY created_at DESC LIMIT 1"
    return try catalog(.read) { () throws(SQLiteFailure) in
      try one(sql) {
        $0.bind(1, owner.name)
        $0.bind(2, fingerprint)
      } _: {
        Generation(row: $0)
      } ?? nil
    }
  }

  /// The newest generation of this `Idempotency-Key`.
  func generation(key: String, of owner: Owner) throws(StoreFailure) -> Generation? {
    let sql =
      CatalogSession.generationColumns
      + "WHERE owner = ?1 AND idempotency_key = ?2 ORDER BY created_at DESC LIMIT 1"
    return try catalog(.read) { () throws(SQLiteFailure) in
      try one(sql) {
        $0.bind(1, owner.name)
        $0.bind(2, key)
      } _: {
        Generation(row: $0)
      } ?? nil
    }
  }

  /// Writes the row of a generation, in the place of an older one of the same id.
  func record(_ generation: Generation) throws(StoreFailure) {
    let sql = """
      INSERT OR REPLACE INTO generations (id, owner, fingerprint, idempotency_key, status, answer,
        delivered, model, prompt, created_at, expires_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
      """
    _ = try catalog(.record, "\(generation.id)") { () throws(SQLiteFailure) in
      try run(sql) {
        $0.bind(1, generation.id)
        $0.bind(2, generation.owner.name)
        $0.bind(3, generation.fingerprint)
        $0.bind(4, generation.idempotencyKey)
        $0.bind(5, generation.status.rawValue)
        if let answer = generation.answer { $0.bind(6, answer.span) }
        $0.bind(7, generation.isDelivered ? 1 : 0)
        $0.bind(8, generation.model)
        $0.bind(9, generation.prompt)
        $0.bind(10, generation.createdAt)
        $0.bind(11, generation.expiresAt)
      }
    }
  }

  /// Notes that the whole answer went out.
  func markDelivered(_ id: GenerationID) throws(StoreFailure) {
    _ = try catalog(.record, "\(id)") { () throws(SQLiteFailure) in
      try run("UPDATE generations SET delivered = 1 WHERE id = ?1") { $0.bind(1, id) }
    }
  }
}

extension Generation {
  fileprivate init?(row: Statement) {
    guard let id = row.id(0, GenerationID.self), let fingerprint = row.digest(2),
      let status = Status(rawValue: row.text(4))
    else { return nil }
    self.init(
      id: id, owner: Owner(stored: row.text(1)), fingerprint: fingerprint,
      idempotencyKey: row.textIfAny(3), status: status,
      answer: row.isNull(5) ? nil : row.bytes(5), isDelivered: row.integer(6) == 1,
      model: row.textIfAny(7), prompt: row.textIfAny(8), createdAt: row.integer(9),
      expiresAt: row.integer(10))
  }
}
