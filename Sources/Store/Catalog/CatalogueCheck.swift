// Damage is looked for at every start: `quick_check` reads the whole catalogue on a thread of its
// own. The start waits a second for it, so that a damaged small catalogue never answers as a good
// one; a large one is read to its end in the background (STORE.md, "Start").
internal import Kernel
internal import SQLite

/// One look through the catalogue.
final class CatalogueCheck: Sendable {
  private let ended: ThreadSignal
  /// Milliseconds that a start waits.
  private static let patience: Int32 = 1000

  /// Begins to look, and waits at most a second for the end.
  init(path: String, health: HealthMonitor) throws(StoreFailure) {
    ended = try kernel(.open) { () throws(Errno) in try ThreadSignal() }
    try kernel(.open) { () throws(Errno) in
      try KernelThread.start(name: "store-check") { [self] in
        CatalogueCheck.look(path, health)
        ended.raise()
      }
    }
    if ended.wait(milliseconds: Self.patience) { ended.raise() }
  }

  /// Waits until all was looked at: what an unread page may hold, no orphan sweep may decide on.
  func wait() {
    ended.wait()
    ended.raise()
  }

  private static func look(_ path: String, _ health: HealthMonitor) {
    do throws(SQLiteFailure) {
      let connection = try Connection(path: path, access: .readOnly, cacheBytes: 2 << 20)
      if let problem = try connection.quickCheck() { health.noteDamage(problem) }
    } catch {
      health.note(error)
    }
  }
}
