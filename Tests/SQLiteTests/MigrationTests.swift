import SQLite
import Testing

@Suite struct MigrationTests {
  let first = "CREATE TABLE a (n INTEGER) STRICT; INSERT INTO a VALUES (1)"
  let second = "ALTER TABLE a ADD COLUMN m INTEGER"

  @Test func runsWhatIsMissingOnce() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    try connection.migrate([first])
    try connection.migrate([first])
    #expect(try connection.userVersion() == 1)
    try connection.migrate([first, second])
    #expect(try connection.userVersion() == 2)
    #expect(try connection.integer("SELECT count(*) FROM a WHERE m IS NULL") == 1)
  }

  @Test func newerSchemaIsRefusedAndUntouched() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    try connection.migrate([first, second])
    #expect(throws: SchemaFailure.newer(found: 2, known: 1)) { try connection.migrate([first]) }
    #expect(try connection.userVersion() == 2)
  }

  @Test func failedMigrationLeavesTheSchemaBeforeIt() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    #expect(throws: SchemaFailure.self) {
      try connection.migrate([first, "CREATE TABLE b (n INTEGER); SELECT nonsense"])
    }
    #expect(try connection.userVersion() == 1)
    #expect(try connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'b'") == 0)
  }
}
