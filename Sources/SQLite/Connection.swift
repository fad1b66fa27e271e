// SQLite through the system's library, one file per idea: connection, statement, migration.
//
// Every connection is opened NOMUTEX ("multi-thread", sqlite.org/threadsafe.html): SQLite takes no
// lock of its own, and one connection is used by one thread at a time. `Connection` and `Statement`
// are not Sendable, so the compiler keeps that rule.
internal import CSQLite

/// One connection to one database file.
@safe public final class Connection {
  /// What a connection may do.
  public enum Access: Sendable {
    /// Reads; the file must be there.
    case readOnly
    /// Reads and writes; the file must be there.
    case readWrite
    /// Reads and writes; the file is made when it is missing.
    case readWriteOrCreate
  }

  let handle: OpaquePointer
  /// For other threads, to end what this connection is doing.
  public let interruption: Interruption
  /// How long a lock of another connection is waited for, in milliseconds.
  public static let usualPatience: Int32 = 2_000

  /// Opens the database at `path` and sets what every connection of ours has: WAL (for writers),
  /// synchronous=FULL, foreign keys on, no memory map, temporary tables in memory.
  ///
  /// - Parameters:
  ///   - busyMilliseconds: how long a lock of another connection is waited for.
  ///   - cacheBytes: the page cache at most.
  public init(
    path: String, access: Access, busyMilliseconds: Int32 = usualPatience, cacheBytes: Int = 4 << 20
  ) throws(SQLiteFailure) {
    let mode =
      switch access {
      case .readOnly: SQLITE_OPEN_READONLY
      case .readWrite: SQLITE_OPEN_READWRITE
      case .readWriteOrCreate: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
      }
    var opened: OpaquePointer?
    let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
    guard let handle = unsafe opened else {
      throw SQLiteFailure(code: code, operation: "open \(path)", message: "out of memory")
    }
    // From here on the deinit closes: a failed open leaves a handle too (sqlite3_open(3)).
    unsafe self.handle = handle
    interruption = unsafe Interruption(handle)
    if code != SQLITE_OK { throw failure(code, "open \(path)") }
    _ = unsafe sqlite3_busy_timeout(handle, busyMilliseconds)
    // No SQL that came with a file runs functions of the program or writes the schema's tables.
    _ = unsafe csqlite_set_flag(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
    _ = unsafe csqlite_set_flag(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    try execute("PRAGMA mmap_size = 0")
    try execute("PRAGMA temp_store = MEMORY")
    try execute("PRAGMA cache_size = -\(max(cacheBytes, 1 << 16) / 1024)")
    try execute("PRAGMA foreign_keys = ON")
    guard access != .readOnly else { return }
    let journal = try text("PRAGMA journal_mode = WAL")
    guard journal == "wal" else {
      throw SQLiteFailure(
        code: SQLITE_CANTOPEN, operation: "open \(path)",
        message: "no write-ahead log here (journal_mode \(journal ?? "unknown"))")
    }
    try execute("PRAGMA synchronous = FULL")
    // A burst's log does not keep its size for ever; one that is cut and grown again each time is
    // slower to sync than one that is written over.
    try execute("PRAGMA journal_size_limit = \(16 << 20)")
    // Debian builds SQLite to overwrite what is deleted; FAST does it where it costs no writes.
    try execute("PRAGMA secure_delete = FAST")
  }

  /// Opens the database at `path` for reading; `nil` when it is not there.
  public static func ifThere(path: String) throws(SQLiteFailure) -> Connection? {
    do { return try Connection(path: path, access: .readOnly) } catch {
      if error.isCannotOpen { return nil }
      throw error
    }
  }

  deinit {
    interruption.end()
    // Waits for statements that are still alive ("zombie" connection) instead of failing.
    _ = unsafe sqlite3_close_v2(handle)
  }

  /// Runs SQL without results: one statement or several.
  public func execute(_ sql: String) throws(SQLiteFailure) {
    let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    if code != SQLITE_OK { throw failure(code, Connection.label(sql)) }
  }

  /// Compiles one statement, to be used many times.
  public func prepare(_ sql: String) throws(SQLiteFailure) -> Statement {
    try Statement(self, sql)
  }

  /// The first column of the first row as a number; `nil` without a row or for NULL.
  public func integer(_ sql: String) throws(SQLiteFailure) -> Int64? {
    let statement = try prepare(sql)
    defer { statement.reset() }
    guard try statement.step(), !statement.isNull(0) else { return nil }
    return statement.integer(0)
  }

  /// The first column of the first row as text; `nil` without a row or for NULL.
  public func text(_ sql: String) throws(SQLiteFailure) -> String? {
    let statement = try prepare(sql)
    defer { statement.reset() }
    guard try statement.step(), !statement.isNull(0) else { return nil }
    return statement.text(0)
  }

  /// Whether a transaction is open (not autocommit).
  ///
  /// SQLite itself rolls back after some errors (SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM).
  public var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  /// Rows changed by the last INSERT, UPDATE or DELETE, without those of triggers.
  public var changes: Int { Int(unsafe sqlite3_changes64(handle)) }

  /// The same since the connection was opened, with those of triggers, and of what was rolled back.
  public var totalChanges: Int64 { unsafe sqlite3_total_changes64(handle) }

  /// The key that the last INSERT into a rowid table gave.
  public var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

  /// The schema's version as the program counts it (PRAGMA user_version).
  public func userVersion() throws(SQLiteFailure) -> Int {
    Int(try integer("PRAGMA user_version") ?? 0)
  }

  /// Whether anything was made in the database: a table, an index.
  public func hasSchema() throws(SQLiteFailure) -> Bool {
    try integer("SELECT count(*) FROM sqlite_schema") != 0
  }

  /// Runs `body` between BEGIN IMMEDIATE and COMMIT; rolls back when it throws.
  ///
  /// IMMEDIATE takes the write lock first: a transaction that read before it would wait for nothing
  /// and fail with SQLITE_BUSY_SNAPSHOT.
  public func immediately<Result>(
    _ body: () throws(SQLiteFailure) -> Result
  ) throws(SQLiteFailure) -> Result {
    try execute("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      rollBack()
      throw error
    }
  }

  /// Ends an open transaction without keeping it.
  public func rollBack() {
    // An error here means that SQLite rolled back already.
    if isInTransaction { try? execute("ROLLBACK") }
  }

  /// Looks through every page and row of the database (PRAGMA quick_check), which takes as long as
  /// to read it.
  ///
  /// - Returns: the first thing that is wrong; `nil` when nothing is.
  public func quickCheck() throws(SQLiteFailure) -> String? {
    let found = try text("PRAGMA quick_check(1)")
    return found == "ok" ? nil : found ?? "no answer"
  }

  /// How much of the log a checkpoint brings home.
  public enum Checkpoint: Int32, Sendable {
    /// What no reader still needs (SQLITE_CHECKPOINT_PASSIVE).
    case passive = 0
    /// All of it, and the log begins again at no length (SQLITE_CHECKPOINT_TRUNCATE).
    case truncate = 3
  }

  /// Copies the log into the database file, with fsync.
  ///
  /// - Returns: whether all of it was copied; readers may hold some back.
  @discardableResult
  public func checkpoint(_ mode: Checkpoint) throws(SQLiteFailure) -> Bool {
    try checkpointed(mode).isWhole
  }

  /// The same, and how many pages the log has.
  public func checkpointed(
    _ mode: Checkpoint
  ) throws(SQLiteFailure) -> (pages: Int, isWhole: Bool) {
    var inLog: Int32 = 0
    var copied: Int32 = 0
    let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode.rawValue, &inLog, &copied)
    if code & 0xff == SQLITE_BUSY { return (Int(inLog), false) }
    if code != SQLITE_OK { throw failure(code, "checkpoint") }
    return (Int(inLog), inLog == copied)
  }

  /// Leaves checkpoints to the program: none is part of a commit any more.
  public func checkpointByHand() { _ = unsafe sqlite3_wal_autocheckpoint(handle, 0) }

  /// Pages that this connection has written to the log, since it was opened: a counter that begins
  /// again at 0 after 2^31 pages (`sqlite3_db_status`).
  public var pagesWritten: Int32 {
    var pages: Int32 = 0
    var most: Int32 = 0
    _ = unsafe sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &most, 0)
    return pages
  }

  /// How many pages lie between two values of `pagesWritten`, also when it began again at 0.
  public static func pages(from earlier: Int32, to later: Int32) -> Int {
    Int((later &- earlier) & .max)
  }

  /// How long a lock of another connection is waited for, in milliseconds.
  public func setPatience(_ milliseconds: Int32) {
    _ = unsafe sqlite3_busy_timeout(handle, milliseconds)
  }

  /// The page cache at most; what is above it is given back.
  public func setCache(bytes: Int) throws(SQLiteFailure) {
    try execute("PRAGMA cache_size = -\(max(bytes, 1 << 16) / 1024)")
    _ = unsafe sqlite3_db_release_memory(handle)
  }

  /// SQLITE_IOERR_WRITE, a macro that Swift does not import.
  private static let failedWrite = SQLITE_IOERR | 3 << 8

  func failure(_ code: Int32, _ operation: String) -> SQLiteFailure {
    // A write that a disk quota refused met a full disk. Any other call that fails this way, such
    // as the fsync of a COMMIT, leaves the outcome open.
    let isQuota = unsafe code == Connection.failedWrite && csqlite_is_over_quota(handle) != 0
    let code = isQuota ? SQLITE_FULL : code
    let message = unsafe String(cString: sqlite3_errmsg(handle))
    return SQLiteFailure(code: code, operation: operation, message: message)
  }

  /// The first words of a statement: enough to know it by, nothing of its values.
  static func label(_ sql: String) -> String {
    sql.split(maxSplits: 3, whereSeparator: \.isWhitespace).prefix(3).joined(separator: " ")
  }
}
