import SQLite

/// Another program's write lock on a catalogue.
final class ForeignLock {
  private let connection: Connection

  init(_ path: String) throws {
    connection = try Connection(path: path, access: .readWrite)
    try connection.execute("BEGIN IMMEDIATE")
  }

  func release() throws { try connection.execute("COMMIT") }
}
