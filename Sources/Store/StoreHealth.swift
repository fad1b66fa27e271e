internal import Kernel
internal import SQLite
internal import Synchronization

/// Whether the store can write.
public enum StoreHealth: Sendable, Hashable {
  /// It can.
  case good
  /// It can not; reads go on.
  case readOnly(Cause)

  /// Why it is read-only.
  public enum Cause: String, Sendable, Hashable {
    /// A commit failed with an I/O error; the writer tries to open the catalogue again.
    case commitFailed = "commit_failed"
    /// Three files could not be made durable within a minute; until the next start.
    case diskFailing = "disk_failing"
    /// The catalogue is damaged; until the next start.
    case damaged = "catalogue_damaged"
  }
}

/// Counts I/O errors and judges (STORE.md, "Failed fsync, close or write").
final class HealthMonitor: Sendable {
  private struct State {
    var health = StoreHealth.good
    /// Monotonic nanoseconds of the last failures, at most three.
    var failures: [Int64] = []
    var total = 0
    var damage: String?
  }
  private let state = Mutex(State())
  private let report: @Sendable (StoreEvent) -> Void

  init(report: @escaping @Sendable (StoreEvent) -> Void) {
    self.report = report
  }
  private static let window: Int64 = 60_000_000_000

  var health: StoreHealth { state.withLock { $0.health } }

  /// I/O errors since the start.
  var failureCount: Int { state.withLock { $0.total } }

  /// What is wrong with the catalogue, in SQLite's words; `nil` when nothing is known.
  var damage: String? { state.withLock { $0.damage } }

  /// Throws when nothing may be written.
  func check(_ operation: StoreFailure.Operation) throws(StoreFailure) {
    if health != .good {
      throw StoreFailure(
        operation, .readOnly, hint: "look at the disk and the log, then start assetd again")
    }
  }

  /// A file could not be written, made durable or closed. A full disk does not count: that heals.
  func noteFailure(_ errno: Errno, at now: Int64 = SystemClock.monotonicNanoseconds) {
    state.withLock {
      $0.total += 1
      guard !errno.isNoSpace, !errno.isNoDescriptor else { return }
      $0.failures.removeAll { now - $0 > HealthMonitor.window }
      $0.failures.append(now)
      // A damaged catalogue stays one: that is what an operator must know.
      guard $0.failures.count >= 3, $0.health != .readOnly(.damaged) else { return }
      $0.health = .readOnly(.diskFailing)
    }
  }

  /// A commit's outcome is not known.
  func noteFailedCommit() {
    state.withLock {
      $0.total += 1
      if $0.health == .good { $0.health = .readOnly(.commitFailed) }
    }
  }

  /// The catalogue is damaged: nothing is written to it, and nothing is collected by it, as a row
  /// that can not be found would make an orphan of its file.
  func noteDamage(_ what: String) {
    let isNew = state.withLock { state in
      state.total += 1
      state.health = .readOnly(.damaged)
      defer { if state.damage == nil { state.damage = what } }
      return state.damage == nil
    }
    if isNew { report(.damagedCatalogue(what)) }
  }

  /// A statement failed: damage makes the store read-only.
  func note(_ failure: SQLiteFailure) {
    if failure.isDamage { noteDamage("\(failure)") }
  }

  /// The catalogue was opened again and takes commits.
  func noteRecovery() {
    state.withLock { if $0.health == .readOnly(.commitFailed) { $0.health = .good } }
  }
}
