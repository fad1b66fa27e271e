internal import Crypto
internal import SQLite
internal import Wire

/// One connection to the catalogue with its compiled statements.
///
/// What is asked of it is in the extensions of this class, one file per idea, the SQL in
/// `CatalogSQL`. A session belongs to one thread: a loop's session reads, the writer's writes.
final class CatalogSession {
  let connection: Connection
  private var statements: [CatalogSQL: Statement] = [:]
  /// The statement of every delivery, without the look into the dictionary.
  private var pointRead: Statement?
  /// Hears of damage that a statement finds.
  private let health: HealthMonitor?
  /// `Connection.pagesWritten` when the log was last brought home; the writer's.
  var pagesAtCheckpoint: Int32 = 0
  /// Whether a lock is waited for; else another session waits for it.
  private var isPatient = true
  /// When the catalogue was last noted to be in use, in unix seconds; the writer's.
  var usedAt: Int64?
  /// Files whose rows the transaction that runs has removed; the writer's.
  var freed: [FreedBlob] = []
  /// Whether a collection runs; the writer's.
  var isCollecting = false
  /// How much the log takes while there is more to write; the writer's.
  var logPace = LogPace()
  /// Whether the log's file is to be cut when no reader needs it; the writer's.
  var isLogLarge = false

  init(_ connection: Connection, health: HealthMonitor? = nil) {
    self.connection = connection
    self.health = health
  }

  /// A session that may collect, too: it has tables of its own, in memory.
  static func writing(
    _ connection: Connection, health: HealthMonitor? = nil
  ) throws(SQLiteFailure) -> CatalogSession {
    try connection.execute(CatalogSQL.batchTables)
    return CatalogSession(connection, health: health)
  }

  /// From now on a lock of another program is none of this session's business.
  func waitsForNoLock() {
    connection.setPatience(0)
    isPatient = false
  }

  /// Runs SQL that gives no rows.
  ///
  /// - Returns: how many rows it changed.
  @discardableResult
  func run(_ sql: CatalogSQL, _ bind: (Statement) -> Void) throws(SQLiteFailure) -> Int {
    try noting { () throws(SQLiteFailure) in
      let statement = try prepared(sql)
      bind(statement)
      try statement.run()
      return connection.changes
    }
  }

  /// The row of an asset.
  func point<Row>(
    _ bind: (Statement) -> Void, _ read: (Statement) -> Row
  ) throws(SQLiteFailure) -> Row? {
    try noting { () throws(SQLiteFailure) in
      let statement: Statement
      if let pointRead { statement = pointRead } else { statement = try prepared(.assetByID) }
      pointRead = statement
      defer { statement.reset() }
      bind(statement)
      return try statement.step() ? read(statement) : nil
    }
  }

  /// The first row, if any.
  func one<Row>(
    _ sql: CatalogSQL, _ bind: (Statement) -> Void, _ read: (Statement) -> Row
  ) throws(SQLiteFailure) -> Row? {
    try noting { () throws(SQLiteFailure) in
      let statement = try prepared(sql)
      defer { statement.reset() }
      bind(statement)
      return try statement.step() ? read(statement) : nil
    }
  }

  /// All rows; for SQL that has a limit.
  func all<Row>(
    _ sql: CatalogSQL, _ bind: (Statement) -> Void, _ read: (Statement) -> Row
  ) throws(SQLiteFailure) -> [Row] {
    try noting { () throws(SQLiteFailure) in
      let statement = try prepared(sql)
      defer { statement.reset() }
      bind(statement)
      var rows: [Row] = []
      while try statement.step() { rows.append(read(statement)) }
      return rows
    }
  }

  /// One row after the other, until `body` says `false`.
  func each<Failure: Error>(
    _ sql: CatalogSQL, _ bind: (Statement) -> Void, fail: (SQLiteFailure) -> Failure,
    _ body: (Statement) throws(Failure) -> Bool
  ) throws(Failure) {
    let statement: Statement
    do { statement = try noting { () throws(SQLiteFailure) in try prepared(sql) } } catch {
      throw fail(error)
    }
    defer { statement.reset() }
    bind(statement)
    while true {
      do {
        if try !noting({ () throws(SQLiteFailure) in try statement.step() }) { return }
      } catch { throw fail(error) }
      if try !body(statement) { return }
    }
  }

  /// Runs `body`; the store's health hears of what fails.
  func noting<Result>(
    _ body: () throws(SQLiteFailure) -> Result
  ) throws(SQLiteFailure) -> Result {
    do { return try body() } catch {
      let isExpected = ReadsAtOnce.hadToWait || (error.isBusy && !isPatient)
      if !isExpected { health?.note(error) }
      throw error
    }
  }

  private func prepared(_ sql: CatalogSQL) throws(SQLiteFailure) -> Statement {
    if let statement = statements[sql] { return statement }
    let statement = try connection.prepare(sql.text)
    statements[sql] = statement
    return statement
  }
}

extension Statement {
  func bind(_ position: Int, _ digest: Digest) {
    let bytes = digest.bytes
    bind(position, bytes.span)
  }

  func bind(_ position: Int, _ id: some Identifier) {
    let bytes = id.bytes
    bind(position, bytes.span)
  }

  func digest(_ column: Int) -> Digest? {
    withBytes(column) { Digest($0) }
  }

  func id<ID: Identifier>(_ column: Int, _ type: ID.Type = ID.self) -> ID? {
    withBytes(column) { ID(bytes: $0) }
  }
}
