// The table `meta`: what the store keeps for itself, by name.
internal import SQLite

/// A number or a text of the table `meta`.
enum CatalogueFact: String {
  /// When the catalogue was made, in unix seconds.
  case createdAt = "created_at"
  /// When it was made anew from the blobs, in unix seconds.
  case rebuiltAt = "rebuilt_at"
  /// The latest wall clock time that the store has seen, in unix seconds.
  case clockMark = "clock_mark"
  /// Set when a log was brought home after a failed commit.
  case recovered
  /// The folder of `blobs/` that the next sweep looks at.
  case nextFolder = "next_folder"
  /// Why the orphan sweep has stopped.
  case sweepStop = "sweep_stop"
  /// When it was last written to, in unix seconds; at most ten of them late.
  case usedAt = "used_at"
  /// The time whose files it may have lost, in unix seconds.
  case doubtFrom = "doubt_from"
  case doubtTo = "doubt_to"
  /// How far the scrub has come: `ScrubRecord`, as JSON.
  case scrub
  /// Files that the last stop has left, whose rows are gone: `LeftFiles`.
  case leftFiles = "left_files"
}

extension CatalogSession {
  func integer(_ fact: CatalogueFact) throws(StoreFailure) -> Int64? {
    try value(of: fact) { $0.integer(0) }
  }

  func text(_ fact: CatalogueFact) throws(StoreFailure) -> String? {
    try value(of: fact) { $0.text(0) }
  }

  func set(_ fact: CatalogueFact, _ value: Int64) throws(StoreFailure) {
    try catalog(.record) { () throws(SQLiteFailure) in try note(fact, value) }
  }

  func set(_ fact: CatalogueFact, _ value: String) throws(StoreFailure) {
    _ = try catalog(.record) { () throws(SQLiteFailure) in
      try run(.setMeta) {
        $0.bind(1, fact.rawValue)
        $0.bind(2, value)
      }
    }
  }

  func remove(_ fact: CatalogueFact) throws(StoreFailure) {
    _ = try catalog(.record) { () throws(SQLiteFailure) in
      try run(.removeMeta) { $0.bind(1, fact.rawValue) }
    }
  }

  /// `set` in SQLite's words, for whoever has to tell its failures apart.
  func note(_ fact: CatalogueFact, _ value: Int64) throws(SQLiteFailure) {
    try run(.setMeta) {
      $0.bind(1, fact.rawValue)
      $0.bind(2, value)
    }
  }

  private func value<Value>(
    of fact: CatalogueFact, _ read: (Statement) -> Value
  ) throws(StoreFailure) -> Value? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(.meta, { $0.bind(1, fact.rawValue) }, read)
    }
  }
}
