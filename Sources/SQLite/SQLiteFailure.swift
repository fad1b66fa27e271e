internal import CSQLite

/// A failed call of SQLite (sqlite.org/rescode.html).
public struct SQLiteFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The extended result code.
  public let extendedCode: Int32
  /// What was being done: `open`, `step`, `commit`, the SQL's first words …
  public let operation: String
  /// SQLite's own words.
  public let message: String

  /// The primary result code: the low eight bits.
  public var code: Int32 { extendedCode & 0xff }

  /// The disk, or the catalogue's own limit, is full (SQLITE_FULL).
  public var isFull: Bool { code == SQLITE_FULL }
  /// The operating system failed a read, a write or an fsync (SQLITE_IOERR).
  public var isInputOutput: Bool { code == SQLITE_IOERR }
  /// Another connection has the lock (SQLITE_BUSY).
  public var isBusy: Bool { code == SQLITE_BUSY }
  /// A UNIQUE, NOT NULL, CHECK or foreign key rule was broken (SQLITE_CONSTRAINT).
  public var isConstraint: Bool { code == SQLITE_CONSTRAINT }
  /// The file is damaged or no database (SQLITE_CORRUPT, SQLITE_NOTADB).
  public var isDamage: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
  /// The file or its folder can not be opened (SQLITE_CANTOPEN).
  public var isCannotOpen: Bool { code == SQLITE_CANTOPEN }
  /// The file or its file system does not take writes (SQLITE_READONLY).
  public var isReadOnly: Bool { code == SQLITE_READONLY }
  /// The disk failed, or is not there as it was: no fault of the statement.
  public var isOfDisk: Bool { isInputOutput || isCannotOpen || isReadOnly }

  /// `commit: disk I/O error (778)`.
  public var description: String { "\(operation): \(message) (\(extendedCode))" }

  /// A failure that SQLite did not word itself.
  public init(extendedCode: Int32, operation: String, message: String) {
    self.extendedCode = extendedCode
    self.operation = operation
    self.message = message
  }

  init(code: Int32, operation: String, message: String) {
    self.extendedCode = code
    self.operation = operation
    self.message = message
  }
}
