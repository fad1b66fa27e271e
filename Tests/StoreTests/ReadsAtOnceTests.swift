import Foundation
import Glibc
import Kernel
import SQLite
import Testing

@testable import Store

/// A loop's statements fail where they would wait for the disk, and nobody takes that for a fault.
@Suite struct ReadsAtOnceTests {
  /// A catalogue on a real disk, none of whose pages is in memory; `nil` where that can not be had.
  private func coldCatalogue() throws -> String? {
    let path = FileManager.default.currentDirectoryPath + "/.build/cold-\(UUID().uuidString)"
    do {
      let writer = try Connection(path: path, access: .readWriteOrCreate)
      try writer.execute("CREATE TABLE t (a TEXT)")
      try writer.execute("INSERT INTO t VALUES (hex(zeroblob(2000)))")
      for _ in 0..<8 { try writer.execute("INSERT INTO t SELECT a FROM t") }
      _ = try writer.checkpoint(.truncate)
    }
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    let file = File(OwnedFileDescriptor(owning: number))
    guard DiskWaiting(file) == .told, fsync(number) == 0,
      posix_fadvise(number, 0, 0, 4 /* POSIX_FADV_DONTNEED */) == 0
    else { return nil }
    return path
  }

  @Test func whatIsNotInMemoryIsNotWaitedFor() throws {
    guard let path = try coldCatalogue() else { return }
    defer {
      for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
    }
    let reader = try Connection(path: path, access: .readOnly, cacheBytes: 1 << 16)
    let sum = "SELECT sum(length(a)) FROM t"
    let first = try ReadsAtOnce.attempt { () throws(SQLiteFailure) in try reader.integer(sum) }
    #expect(first == nil, "its pages are on the disk")
    #expect(!ReadsAtOnce.hadToWait)
    let whole = try reader.integer(sum)
    #expect(whole == Int64(1_024_000))
    // The kernel is free to drop a page again at once; not every time.
    var again: Int64??
    for _ in 0..<20 where again == nil {
      _ = try reader.integer(sum)
      again = try ReadsAtOnce.attempt { () throws(SQLiteFailure) in try reader.integer(sum) }
    }
    #expect(again == whole)
  }

  /// What fails for another reason still says so.
  @Test func aFaultIsNoWait() throws {
    let scratch = try ScratchStore()
    let reader = try Connection(path: scratch.path + "/catalog.sqlite", access: .readOnly)
    #expect(throws: SQLiteFailure.self) {
      _ = try ReadsAtOnce.attempt { () throws(SQLiteFailure) in try reader.integer("SELECT x") }
    }
  }
}
