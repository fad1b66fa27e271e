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
  /// - Parameter migrations: SQL scripts, oldest first; never changed once released.
  public func migrate(_ migrations: [String]) throws(SchemaFailure) {
    let found = try version(upTo: migrations.count)
    for number in found..<migrations.count {
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
