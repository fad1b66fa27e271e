internal import CSQLite

/// One compiled statement: bind by position (from 1), step, read columns (from 0), reset.
///
/// Values are copied by SQLite while binding, and columns are copied out or lent to a closure, so
/// no pointer outlives its row. Nothing here allocates but `text`, for more than 15 bytes.
@safe public final class Statement {
  private let handle: OpaquePointer
  // Keeps the connection open as long as the statement lives.
  private let connection: Connection
  private let sql: String
  /// The first binding that failed (out of memory, too big); thrown by the next `step`.
  private var bindingCode: Int32 = SQLITE_OK

  init(_ connection: Connection, _ sql: String) throws(SQLiteFailure) {
    var prepared: OpaquePointer?
    let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
    let code = unsafe sqlite3_prepare_v3(connection.handle, sql, -1, flags, &prepared, nil)
    guard code == SQLITE_OK, let handle = unsafe prepared else {
      throw connection.failure(code, "prepare \(Connection.label(sql))")
    }
    unsafe self.handle = handle
    self.connection = connection
    self.sql = sql
  }

  deinit {
    _ = unsafe sqlite3_finalize(handle)
  }

  /// Binds a number, or NULL.
  public func bind(_ position: Int, _ value: Int64?) {
    if let value {
      note(unsafe sqlite3_bind_int64(handle, Int32(position), value))
    } else {
      note(unsafe sqlite3_bind_null(handle, Int32(position)))
    }
  }

  /// Binds text, or NULL.
  public func bind(_ position: Int, _ value: String?) {
    guard var value else { return note(unsafe sqlite3_bind_null(handle, Int32(position))) }
    let code = value.withUTF8 { utf8 in
      unsafe utf8.withMemoryRebound(to: CChar.self) {
        unsafe csqlite_bind_text(handle, Int32(position), $0.baseAddress, Int32($0.count))
      }
    }
    note(code)
  }

  /// Binds bytes; none of them is an empty BLOB, not NULL.
  public func bind(_ position: Int, _ bytes: Span<UInt8>) {
    let code = unsafe bytes.withUnsafeBytes {
      unsafe csqlite_bind_blob(handle, Int32(position), $0.baseAddress, Int32($0.count))
    }
    note(code)
  }

  /// Binds NULL.
  public func bindNull(_ position: Int) {
    note(unsafe sqlite3_bind_null(handle, Int32(position)))
  }

  /// Goes to the next row; `false` when there is none.
  public func step() throws(SQLiteFailure) -> Bool {
    if bindingCode != SQLITE_OK {
      throw SQLiteFailure(
        code: bindingCode, operation: Connection.label(sql), message: "a value could not be bound")
    }
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code:
      let failure = connection.failure(code, Connection.label(sql))
      reset()
      throw failure
    }
  }

  /// Runs to the end, drops the rows, and resets.
  public func run() throws(SQLiteFailure) {
    // Also after a binding that failed, which no step has seen.
    defer { reset() }
    while try step() {}
  }

  /// Ready for the next use; bindings are gone, and so is the read transaction that it held.
  public func reset() {
    // The code repeats the error of the last step.
    _ = unsafe sqlite3_reset(handle)
    _ = unsafe sqlite3_clear_bindings(handle)
    bindingCode = SQLITE_OK
  }

  /// Whether the column is NULL.
  public func isNull(_ column: Int) -> Bool {
    unsafe sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
  }

  /// A number; 0 for NULL.
  public func integer(_ column: Int) -> Int64 {
    unsafe sqlite3_column_int64(handle, Int32(column))
  }

  /// A number; `nil` for NULL.
  public func integerIfAny(_ column: Int) -> Int64? {
    isNull(column) ? nil : integer(column)
  }

  /// Text, repaired where it is not UTF-8; empty for NULL.
  public func text(_ column: Int) -> String {
    guard let start = unsafe sqlite3_column_text(handle, Int32(column)) else { return "" }
    let count = Int(unsafe sqlite3_column_bytes(handle, Int32(column)))
    return unsafe String(
      decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// Text; `nil` for NULL.
  public func textIfAny(_ column: Int) -> String? {
    isNull(column) ? nil : text(column)
  }

  /// Lends the bytes of a column, empty for NULL, until `body` returns.
  public func withBytes<Result>(_ column: Int, _ body: (Span<UInt8>) -> Result) -> Result {
    let start = unsafe sqlite3_column_blob(handle, Int32(column))
    let count = Int(unsafe sqlite3_column_bytes(handle, Int32(column)))
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: unsafe start == nil ? 0 : count)
    return unsafe body(Span(_unsafeBytes: bytes))
  }

  /// A copy of the bytes of a column; empty for NULL.
  public func bytes(_ column: Int) -> [UInt8] {
    withBytes(column) { span in
      [UInt8](capacity: span.count) { free in
        for index in span.indices { free.append(span[index]) }
      }
    }
  }

  private func note(_ code: Int32) {
    // A position that the SQL does not have, or a statement that was not reset: a bug of ours.
    precondition(code != SQLITE_RANGE && code != SQLITE_MISUSE, "bad binding for: \(sql)")
    if code != SQLITE_OK, bindingCode == SQLITE_OK { bindingCode = code }
  }
}
