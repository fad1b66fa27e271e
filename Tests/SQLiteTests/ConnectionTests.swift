import Foundation
import Glibc
import SQLite
import Testing

/// A folder of one test, removed with it.
struct ScratchFolder: ~Copyable {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "assetd-sqlite-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct ConnectionTests {
  @Test func writerHasTheSettingsThatDurabilityNeeds() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    #expect(try connection.text("PRAGMA journal_mode") == "wal")
    #expect(try connection.integer("PRAGMA synchronous") == 2)
    #expect(try connection.integer("PRAGMA foreign_keys") == 1)
    #expect(try connection.integer("PRAGMA mmap_size") ?? 0 == 0)
    #expect(try connection.integer("PRAGMA busy_timeout") == 2000)
  }

  @Test func readerCanNotWriteAndNeedsAFile() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.sqlite"
    let missing = #expect(throws: SQLiteFailure.self) {
      try Connection(path: path, access: .readOnly)
    }
    #expect(missing?.isCannotOpen == true)
    let writer = try Connection(path: path, access: .readWriteOrCreate)
    try writer.execute("CREATE TABLE t (a INTEGER) STRICT")
    let reader = try Connection(path: path, access: .readOnly)
    #expect(try reader.integer("SELECT count(*) FROM t") == 0)
    let refused = #expect(throws: SQLiteFailure.self) {
      try reader.execute("INSERT INTO t VALUES (1)")
    }
    #expect(refused?.isReadOnly == true)
    #expect(refused?.operation == "INSERT INTO t")
  }

  @Test func transactionKeepsAllOrNothing() throws {
    let folder = try ScratchFolder()
    let connection = try Connection(path: folder.path + "/a.sqlite", access: .readWriteOrCreate)
    try connection.execute("CREATE TABLE t (a INTEGER NOT NULL) STRICT")
    let failure = #expect(throws: SQLiteFailure.self) {
      try connection.immediately { () throws(SQLiteFailure) in
        try connection.execute("INSERT INTO t VALUES (1)")
        #expect(connection.isInTransaction)
        try connection.execute("INSERT INTO t VALUES (NULL)")
      }
    }
    #expect(failure?.isConstraint == true)
    #expect(!connection.isInTransaction)
    #expect(try connection.integer("SELECT count(*) FROM t") == 0)
    try connection.immediately { () throws(SQLiteFailure) in
      try connection.execute("INSERT INTO t VALUES (2)")
    }
    #expect(try connection.integer("SELECT a FROM t") == 2)
  }

  @Test func damagedFileIsAnErrorOfItsOwn() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.sqlite"
    try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: path))
    let failure = #expect(throws: SQLiteFailure.self) {
      try Connection(path: path, access: .readWriteOrCreate)
    }
    #expect(failure?.isDamage == true)
  }

  @Test func forcedWriteErrorFailsTheCommitAndKeepsNothing() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.sqlite"
    let connection = try Connection(path: path, access: .readWriteOrCreate)
    try connection.execute("CREATE TABLE t (a INTEGER) STRICT")
    try connection.execute("BEGIN IMMEDIATE")
    try connection.execute("INSERT INTO t VALUES (1)")
    WriteFaults.fail(nth: 1, code: EIO)
    let failure = #expect(throws: SQLiteFailure.self) { try connection.execute("COMMIT") }
    #expect(failure?.isInputOutput == true)
    connection.rollBack()
    let reader = try Connection(path: path, access: .readOnly)
    #expect(try reader.integer("SELECT count(*) FROM t") == 0)
  }

  @Test func checkpointBringsTheLogHome() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.sqlite"
    let connection = try Connection(path: path, access: .readWriteOrCreate)
    try connection.execute("CREATE TABLE t (a INTEGER) STRICT")
    #expect(try connection.checkpoint(.truncate))
    let log = try FileManager.default.attributesOfItem(atPath: path + "-wal")
    #expect(log[.size] as? Int == 0)
  }

  /// The counter of pages begins again at 0 after 2^31.
  @Test func pagesAreCountedAcrossTheEndOfTheCounter() {
    #expect(Connection.pages(from: 0, to: 1000) == 1000)
    #expect(Connection.pages(from: .max, to: 0) == 1)
    #expect(Connection.pages(from: .max - 9, to: 990) == 1000)
    #expect(Connection.pages(from: 5, to: 5) == 0)
    // SQLite's own mask may go: then it becomes negative.
    #expect(Connection.pages(from: .max, to: .min) == 1)
    #expect(Connection.pages(from: -1, to: 0) == 1)
  }
}
