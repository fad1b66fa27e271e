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

  /// Migrates the catalogue at `path`, and makes or checks the key ring.
  init(_ path: String, _ keyringPath: String, _ options: StoreOptions) throws(StoreFailure) {
    let connection = try catalog(.open, path) { () throws(SQLiteFailure) in
      try Connection(path: path, access: .readWrite)
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
      try session.set(.clockMark, options.now())
    }
    diskBytes = try session.totals().diskBytes
    sweepStop = try session.text(.sweepStop)
  }
}
