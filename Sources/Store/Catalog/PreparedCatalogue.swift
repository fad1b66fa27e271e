// What a start does with the catalogue: schema, first start or not, and what the rest of the store
// must know of it before it serves.
//
// A first start may be cut off anywhere. The clock's mark is written last, so without it the key
// ring may still have to be made; with it, a key ring that is missing was lost.
internal import Kernel
internal import SQLite

/// The catalogue as a start found or made it.
struct PreparedCatalogue {
  /// What the disk gives for its blobs.
  let diskBytes: Int64
  /// Why the orphan sweep stopped before this start.
  let sweepStop: String?
  /// What the sweep has to look at first.
  let doubt: SweepDoubt?
  /// How far the scrub had come.
  let scrub: ScrubRecord
  /// What the stop before this start has left.
  let left: LeftFiles

  /// Migrates the catalogue at `path`, and makes or checks the key ring. A catalogue is made in a
  /// root that was no store only.
  init(
    _ path: String, _ keyringPath: String, _ options: StoreOptions, _ folders: StoreFolders
  ) throws(StoreFailure) {
    let connection = try catalog(.open, path) { () throws(SQLiteFailure) in
      try Connection(path: path, access: folders.wasAStore ? .readWrite : .readWriteOrCreate)
    }
    do {
      try connection.migrate(Schema.migrations, starting: options.migrating)
    } catch {
      throw StoreFailure(.open, error, subject: path)
    }
    let session = CatalogSession(connection)
    let isFirstStart = try session.integer(.clockMark) == nil
    try KeyringFile(keyringPath).ensure(isFirstStart: isFirstStart, new: options.newKeyring)
    if isFirstStart {
      // The files' own clock, which no test sets.
      try session.set(.createdAt, SystemClock.wallSeconds)
      try session.set(.usedAt, SystemClock.wallSeconds)
      try session.set(.clockMark, options.now())
    }
    doubt = try Self.doubt(session, folders)
    diskBytes = try session.totals().diskBytes
    sweepStop = try session.text(.sweepStop)
    scrub = try session.text(.scrub).flatMap(ScrubRecord.init) ?? ScrubRecord()
    left = try session.leftFiles()
  }
}

extension PreparedCatalogue {
  /// A file without a schema is the catalogue of a first start that was cut off, or none: an empty
  /// one that took the place of a store's, or another program's.
  static func refuseForeign(_ path: String, wasAStore: Bool) throws(StoreFailure) {
    let found = try catalog(.open, path) { () throws(SQLiteFailure) -> (Int, Bool)? in
      // The schema may be in the log: only SQLite can read it.
      guard let connection = try Connection.ifThere(path: path) else { return nil }
      return (try connection.userVersion(), try connection.hasSchema())
    }
    guard let (version, hasSchema) = found, version == 0 else { return }
    if wasAStore { throw StoreFailure(catalogueMissing: path) }
    guard !hasSchema else {
      throw StoreFailure(
        .open, .damaged, subject: path, hint: "it is a database of another program")
    }
  }

  /// Schemas before the mark had the clock's, which is moved on hourly at least.
  private static func mark(_ session: CatalogSession) throws(StoreFailure) -> Int64? {
    if let usedAt = try session.integer(.usedAt) { return usedAt }
    return try session.integer(.clockMark)
  }

  /// What this start makes the sweep look at; kept over restarts where there is room for it.
  private static func doubt(
    _ session: CatalogSession, _ folders: StoreFolders
  ) throws(StoreFailure) -> SweepDoubt? {
    let start = SystemClock.wallSeconds
    let change = try kernel(.open) { () throws(Errno) in try folders.blobs.lastChange() }
    let mark = try Self.mark(session) ?? start
    let before = try session.doubt()
    let doubt = SweepDoubt(before: before, mark: mark, change: change, start: start)
    do throws(StoreFailure) {
      if let doubt, doubt != before { try session.set(doubt) }
      try catalog(.open) { () throws(SQLiteFailure) in try session.noteUse() }
    } catch {
      // A full disk keeps no store from starting; this run knows of the doubt.
      guard error.kind == .full(.disk) else { throw error }
    }
    return doubt
  }
}
