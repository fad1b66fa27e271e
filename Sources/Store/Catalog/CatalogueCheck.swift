// Damage is looked for at every start: `quick_check` reads the whole catalogue on a thread of its
// own. The start waits a second for it, so that a damaged small catalogue never answers as a good
// one; a large one is read to its end in the background (STORE.md, "Start").
//
// While it reads, the log can not begin again, and grows with what is written. So it is interrupted
// when the log has become long, to look again from the start; each time it may last until the log
// is twice as long, so that it comes to its end. It is also interrupted when a failed commit needs
// all of the log at home, and by the end of the store.
//
// A look that fails for another reason than damage (the disk, a lock, no descriptor) has found
// nothing, and not that all is well: it is tried again, and nothing is collected until then.
//
//     looking ──log too long, a commit failed──► making way ──► looking ──► ended
//        │ └──it failed──► failed: collections say so ──► looking                │
//        └──────────────────── the store ends ───────────────────────────────►┘
internal import Kernel
internal import SQLite
internal import Synchronization

/// One look through the catalogue.
final class CatalogueCheck: Sendable {
  /// How it looks; tests change it.
  struct Manner: Sendable {
    /// What is wrong; `nil` when nothing is.
    var look: @Sendable (Connection) throws(SQLiteFailure) -> String? = {
      (connection) throws(SQLiteFailure) in try connection.quickCheck()
    }
    /// Pages of the log that may wait for the first look: 64 MiB.
    var logPages = 16_384
  }

  private struct State {
    /// Of the look that is under way.
    var interruption: Interruption?
    var isInterrupted = false
    /// Whether somebody needs the log without readers.
    var isHeld = false
    var isEnding = false
    /// Why the last look failed.
    var failure: SQLiteFailure?
    var logPages: Int
  }

  private let state: Mutex<State>
  private let ended: ThreadSignal
  private let turn: ThreadSignal
  /// Milliseconds that a start waits, and that lie between two looks.
  private static let patience: Int32 = 1000
  /// The same at most, after looks that failed: each may read all there is before the place that
  /// can not be read.
  private static let mostPatience: Int32 = 60_000
  /// Milliseconds between two looks whether there is something to wait for.
  private static let tick: Int32 = 100

  /// Begins to look, and waits at most a second for the end.
  init(
    path: String, health: HealthMonitor, _ manner: Manner = Manner()
  ) throws(StoreFailure) {
    state = Mutex(State(logPages: manner.logPages))
    ended = ThreadSignal()
    turn = ThreadSignal()
    try kernel(.open) { () throws(Errno) in
      try KernelThread.start(name: "store-check") { [self] in
        var pause = Self.patience
        while !look(path, health, manner) {
          _ = turn.wait(milliseconds: pause)
          let hasFailed = state.withLock { $0.failure != nil }
          pause = hasFailed ? min(2 * pause, Self.mostPatience) : Self.patience
        }
        ended.raise()
      }
    }
    if ended.wait(milliseconds: Self.patience) { ended.raise() }
  }

  /// Waits until all was looked at, or the store ends: what an unread page may hold, no orphan
  /// sweep may decide on.
  ///
  /// - Throws: why it can not be looked at now; that may last for ever.
  func wait() throws(SQLiteFailure) {
    while !ended.wait(milliseconds: Self.tick) {
      let (isEnding, failure) = state.withLock { ($0.isEnding, $0.failure) }
      if isEnding { return }
      if let failure { throw failure }
    }
    ended.raise()
  }

  /// - Returns: whether it came to its end; else it is to be tried again.
  private func look(_ path: String, _ health: HealthMonitor, _ manner: Manner) -> Bool {
    if let isOver = state.withLock({ $0.isEnding ? true : $0.isHeld ? false : nil }) {
      return isOver
    }
    do throws(SQLiteFailure) {
      let connection = try Connection(path: path, access: .readOnly, cacheBytes: 2 << 20)
      begin(connection.interruption)
      let problem = try manner.look(connection)
      // What was interrupted may find pages that nothing uses, and the like.
      guard end() else { return false }
      if let problem { health.noteDamage(problem) }
      return true
    } catch {
      guard end() else { return false }
      return note(error, health)
    }
  }

  /// - Returns: whether that is what was looked for.
  private func note(_ failure: SQLiteFailure, _ health: HealthMonitor) -> Bool {
    let isFirst = state.withLock { state in
      defer { state.failure = failure }
      return state.failure == nil
    }
    // One place that can not be read is one failure, however often it is met: each makes the store
    // read-only for a moment.
    if isFirst || failure.isDamage { health.note(failure) }
    return failure.isDamage
  }

  private func begin(_ interruption: Interruption) {
    state.withLock { state in
      state.interruption = interruption
      // What came before the first statement had nothing to end.
      state.isInterrupted = state.isHeld || state.isEnding
    }
  }

  /// - Returns: whether nobody has interrupted it.
  private func end() -> Bool {
    state.withLock { state in
      state.interruption = nil
      defer { state.isInterrupted = false }
      return !state.isInterrupted
    }
  }
}

// MARK: - Making way

extension CatalogueCheck {
  /// The log has so many pages, and not all of them could be brought home.
  func note(logPages: Int) {
    state.withLock { state in
      guard let interruption = state.interruption, logPages > state.logPages else { return }
      state.logPages = 2 * logPages
      state.isInterrupted = true
      interruption.interrupt()
    }
  }

  /// Runs `body` while no look is under way. It may be one that only begins: to be tried again
  /// then, as anything that may meet a reader.
  func makingWay<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) {
    state.withLock { state in
      state.isHeld = true
      state.isInterrupted = true
      state.interruption?.interrupt()
    }
    defer {
      state.withLock { $0.isHeld = false }
      turn.raise()
    }
    try body()
  }

  /// Nobody needs the result any more. Does not wait for the thread.
  func giveUp() {
    state.withLock { state in
      state.isEnding = true
      state.isInterrupted = true
      state.interruption?.interrupt()
    }
    turn.raise()
  }

  /// The same, and waits for the thread: afterwards it reads nothing.
  func stop() {
    repeat { giveUp() } while !ended.wait(milliseconds: Self.tick)
    ended.raise()
  }
}
