import SQLite
import Testing

@Suite struct StatementTests {
  @Test func valuesComeBackAsTheyWere() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    try connection.execute("CREATE TABLE t (n INTEGER, s TEXT, b BLOB) STRICT")
    let insert = try connection.prepare("INSERT INTO t VALUES (?, ?, ?)")
    let rows: [(Int64?, String?, [UInt8])] = [
      (Int64.min, "", []), (Int64.max, "a\u{0}b", [0, 255, 0]), (nil, nil, [1]),
      (7, "Köln 🎨", [UInt8](repeating: 9, count: 100_000)),
    ]
    for row in rows {
      insert.bind(1, row.0)
      insert.bind(2, row.1)
      insert.bind(3, row.2.span)
      try insert.run()
    }
    let select = try connection.prepare("SELECT n, s, b FROM t ORDER BY rowid")
    for row in rows {
      #expect(try select.step())
      #expect(select.integerIfAny(0) == row.0)
      #expect(select.textIfAny(1) == row.1)
      #expect(select.bytes(2) == row.2)
      #expect(!select.isNull(2), "no bytes are an empty BLOB, not NULL")
    }
    #expect(try !select.step())
  }

  @Test func resetForgetsBindings() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    let echo = try connection.prepare("SELECT ?")
    echo.bind(1, 5)
    #expect(try echo.step())
    #expect(echo.integer(0) == 5)
    echo.reset()
    #expect(try echo.step())
    #expect(echo.isNull(0))
  }

  @Test func failedStepResetsSoThatTheNextUseWorks() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    try connection.execute("CREATE TABLE t (n INTEGER UNIQUE) STRICT")
    let insert = try connection.prepare("INSERT INTO t VALUES (?)")
    for (value, isTaken) in [(1, false), (1, true), (2, false)] as [(Int64, Bool)] {
      insert.bind(1, value)
      do {
        try insert.run()
        #expect(!isTaken)
      } catch {
        #expect(isTaken && error.isConstraint)
      }
    }
  }

  @Test func statementKeepsItsConnectionOpen() throws {
    let folder = try ScratchFolder()
    func prepared() throws -> Statement {
      try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate).prepare(
        "SELECT 1")
    }
    let statement = try prepared()
    #expect(try statement.step())
  }
}
