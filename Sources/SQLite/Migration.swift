// The schema's version is PRAGMA user_version: the number of migrations that have run. A migration
// and its new number commit together, so a crash leaves the schema before it or after it.

/// Why a database can not be used as it is.
public enum SchemaFailure: Error, Hashable, Sendable {
  /// A newer program wrote it: version `found`, and this program knows up to `known`.
  case newer(found: Int, known: Int)
  /// SQLite failed.
  case sqlite(SQLiteFailure)
}

extension Connection {
  /// Brings the schema up to `migrations.count` by running those it has not seen, each in its own
  /// transaction.
  ///
  /// - Parameters:
  ///   - migrations: SQL scripts, oldest first; never changed once released.
  ///   - starting: hears of each change of a schema that is there already, before it begins.
  public func migrate(
    _ migrations: [String], starting: (_ from: Int, _ to: Int) -> Void = { _, _ in }
  ) throws(SchemaFailure) {
    let found = try version(upTo: migrations.count)
    guard found < migrations.count else { return }
    // An index over millions of rows is sorted in files: memory would have to hold all of it.
    do { try execute("PRAGMA temp_store = FILE") } catch { throw .sqlite(error) }
    defer { try? execute("PRAGMA temp_store = MEMORY") }
    for number in found..<migrations.count {
      if found > 0 { starting(number, number + 1) }
      do {
        try immediately { () throws(SQLiteFailure) in
          try execute(migrations[number])
          try execute("PRAGMA user_version = \(number + 1)")
        }
      } catch {
        throw .sqlite(error)
      }
    }
  }

  /// The schema's version, at most `known`.
  @discardableResult
  public func version(upTo known: Int) throws(SchemaFailure) -> Int {
    let found: Int
    do {
      found = try userVersion()
    } catch {
      throw .sqlite(error)
    }
    guard found >= 0, found <= known else { throw .newer(found: found, known: known) }
    return found
  }
}
