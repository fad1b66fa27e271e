// A catalogue of millions of rows, written past the daemon: hosting them would take hours. There
// are no files; to remove one that is not there is success.
internal import Foundation
internal import Kernel
internal import SQLite

/// The catalogue of a store that no daemon has open.
struct FilledCatalogue {
  let root: URL
  let rows: Int
  let expired: Int
  var owners = Owners.four

  /// Whose the assets are.
  enum Owners: String {
    /// In turn.
    case four = "'owner-' || (n % 4)"
    /// Of everyone who needs no key.
    case local = "'local'"
  }

  /// Which of the assets have expired.
  enum Place {
    /// Here and there: every page of the catalogue has some. Each `turn` is of others.
    case spread(turn: Int)
    /// Those that came first: what a store with one lifetime has.
    case oldest
  }

  /// Writes the rows: one asset on each blob, a third of them from a model.
  func fill() throws {
    let connection = try open()
    let now = SystemClock.wallSeconds
    try connection.execute(
      """
      PRAGMA cache_size = -1000000;
      BEGIN;
      CREATE TEMP TABLE made (n INTEGER PRIMARY KEY, digest BLOB NOT NULL);
      WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers
        WHERE n < \(rows))
        INSERT INTO made SELECT n, randomblob(32) FROM numbers;
      INSERT INTO blobs (digest, tail, bytes, media_type, width, height, stored_at)
        SELECT digest, n, 20480, 'image/png', 1024, 1024, \(now) - 7200 FROM made ORDER BY digest;
      INSERT INTO assets (serial, id, digest, bytes, owner, retention, created_at, expires_at,
          used_at, model)
        SELECT n, randomblob(16), digest, 20480, \(owners.rawValue), 'temporary', \(now) - 7200,
          \(now) + 86400 + n % 86400, \(now) - 7200, iif(n % 3, NULL, 'model') FROM made ORDER BY n;
      COMMIT;
      """)
  }

  /// Lets the next ones expire.
  func expire(_ place: Place) throws {
    let connection = try open()
    let ended = SystemClock.wallSeconds - 3600
    let chosen =
      switch place {
      case .oldest: "SELECT serial FROM assets ORDER BY serial LIMIT \(expired)"
      case .spread(let turn):
        """
        SELECT serial FROM assets WHERE serial % \(max(1, rows / expired)) = \(turn)
          AND serial <= \(rows) LIMIT \(expired)
        """
      }
    try connection.execute(
      """
      UPDATE assets SET expires_at = \(ended) - abs(random() % 3600) WHERE serial IN (\(chosen))
      """)
    guard connection.changes == expired else {
      throw Trouble("There are not \(expired) assets left to expire.")
    }
  }

  private func open() throws -> Connection {
    let connection = try Connection(
      path: root.appending(path: "catalog.sqlite").path, access: .readWrite)
    try connection.execute("PRAGMA synchronous = OFF")
    return connection
  }
}
