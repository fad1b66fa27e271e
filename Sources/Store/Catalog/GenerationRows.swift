internal import Crypto
internal import SQLite
internal import Wire

extension CatalogSession {
  /// The generation of this id.
  func generation(_ id: GenerationID) throws(StoreFailure) -> Generation? {
    return try catalog(.read) { () throws(SQLiteFailure) in
      try one(.generationByID, { $0.bind(1, id) }, Generation.init(row:)) ?? nil
    }
  }

  /// The newest generation of this fingerprint.
  func generation(_ fingerprint: Digest, of owner: Owner) throws(StoreFailure) -> Generation? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(.generationByFingerprint) {
        $0.bind(1, owner.name)
        $0.bind(2, fingerprint)
      } _: {
        Generation(row: $0)
      } ?? nil
    }
  }

  /// The newest generation of this `Idempotency-Key`.
  func generation(key: String, of owner: Owner) throws(StoreFailure) -> Generation? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(.generationByKey) {
        $0.bind(1, owner.name)
        $0.bind(2, key)
      } _: {
        Generation(row: $0)
      } ?? nil
    }
  }

  /// Writes the row of a generation, in the place of an older one of the same id.
  func record(_ generation: Generation) throws(StoreFailure) {
    _ = try catalog(.record, "\(generation.id)") { () throws(SQLiteFailure) in
      try run(.recordGeneration) {
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
      try run(.markDelivered) { $0.bind(1, id) }
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
