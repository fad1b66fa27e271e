import CSQLite

@testable import SQLite
@testable import Store

/// Hears of the end of every statement of one session, between its last row and what the program
/// does next.
@safe final class StatementWatch {
  private let connection: Connection
  private let ended: (String) -> Void

  init(_ session: CatalogSession, _ ended: @escaping (String) -> Void) {
    connection = session.connection
    self.ended = ended
    let own = unsafe Unmanaged.passUnretained(self).toOpaque()
    _ = unsafe sqlite3_trace_v2(
      connection.handle, UInt32(SQLITE_TRACE_PROFILE),
      { _, watch, statement, _ in
        guard let watch = unsafe watch, let statement = unsafe statement,
          let text = unsafe sqlite3_sql(OpaquePointer(statement))
        else { return 0 }
        unsafe Unmanaged<StatementWatch>.fromOpaque(watch).takeUnretainedValue()
          .ended(String(cString: text))
        return 0
      }, own)
  }

  deinit { _ = unsafe sqlite3_trace_v2(connection.handle, 0, nil, nil) }
}
