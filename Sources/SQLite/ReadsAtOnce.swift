// A loop may read what is in memory, and nothing else: a page that would have to come from the disk
// fails the statement, which then runs on another thread.
internal import CSQLite

/// Statements that must not wait for a disk. What they never wait for, whatever the thread, is
/// memory: SQLite's own pages, and those of the kernel.
public enum ReadsAtOnce {
  /// Whether SQLite reads in a way that can be told from waiting.
  private static let isOffered = csqlite_replace_read() == SQLITE_OK

  /// Runs `body` on this thread; statements in it fail where they would wait for the disk.
  ///
  /// - Returns: `nil` when one did, whatever `body` made of it.
  public static func attempt<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value? {
    guard isOffered else { return nil }
    csqlite_begin_at_once()
    defer { csqlite_end_at_once() }
    do {
      let value = try body()
      return csqlite_had_to_wait() != 0 ? nil : value
    } catch {
      if csqlite_had_to_wait() != 0 { return nil }
      throw error
    }
  }

  /// Whether a statement of this thread has just failed because it would have waited: no fault.
  public static var hadToWait: Bool { csqlite_had_to_wait() != 0 }
}
