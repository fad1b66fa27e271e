// What the store's health is made of:
//
//   a call failed ─► counted ─► DiskWatch looks, at once ─┬─ the disk refuses: read-only, until
//                                                         │  a look a second later finds it good
//                                                         └─ it takes files: three of these in a
//                                                            minute are a failing disk, for one
//   a statement failed ─► read-only ─► the writer opens the catalogue again, once a second
//   a call does not come back ─► read-only, until it does
//   damage ─► read-only until the next start
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
  public enum Cause: String, Sendable, Hashable, CaseIterable {
    /// A commit failed with an I/O error; the writer tries to open the catalogue again.
    case commitFailed = "commit_failed"
    /// Another statement did, in the writer or in a reader; healed in the same way.
    case catalogueFailing = "catalogue_failing"
    /// Another program holds the catalogue's lock.
    case catalogueLocked = "catalogue_locked"
    /// A file can not be made, or three could not be made durable within a minute.
    case diskFailing = "disk_failing"
    /// The file system takes no writes.
    case fileSystemReadOnly = "file_system_read_only"
    /// The store's folder, or a part of it, is not where it was.
    case moved = "store_moved"
    /// The disk does not answer: a call has waited for it for ten seconds.
    case diskStalled = "disk_stalled"
    /// The catalogue is damaged; until the next start.
    case damaged = "catalogue_damaged"
  }
}

/// Counts I/O errors and judges (STORE.md, "Failed fsync, close or write").
final class HealthMonitor: Sendable {
  private struct State {
    /// What the writer has to heal.
    var catalogue: StoreHealth.Cause?
    /// What the last look at the disk found.
    var disk: StoreHealth.Cause?
    /// Whether three files could not be made durable within a minute, for no reason that a look at
    /// the disk finds.
    var isFailing = false
    /// Monotonic nanoseconds of the last failures, at most three.
    var failures: [Int64] = []
    /// What could not be read, and when, in monotonic nanoseconds.
    var failedReads: [String: Int64] = [:]
    var total = 0
    var damage: String?
    /// Since when the disk does not answer, in unix seconds.
    var stalledSince: Int64?

    var health: StoreHealth {
      if damage != nil { return .readOnly(.damaged) }
      if stalledSince != nil { return .readOnly(.diskStalled) }
      if let disk { return .readOnly(disk) }
      if isFailing { return .readOnly(.diskFailing) }
      return catalogue.map { .readOnly($0) } ?? .good
    }

    mutating func noteUnexplained(at now: Int64) {
      failures.removeAll { now - $0 > HealthMonitor.window }
      failures.append(now)
      if failures.count > 3 { failures.removeFirst() }
      if failures.count == 3 { isFailing = true }
    }

    /// - Returns: whether nobody else failed to read it within the last minute.
    mutating func noteFailedRead(of path: String, at now: Int64) -> Bool {
      failedReads = failedReads.filter { now - $0.value <= HealthMonitor.window }
      guard failedReads.count < HealthMonitor.mostFailedReads, failedReads[path] == nil else {
        return false
      }
      failedReads[path] = now
      return true
    }
  }
  private let state = Mutex(State())
  private let report: @Sendable (StoreEvent) -> Void
  /// Asks for a look at the disk.
  private let wake = Mutex<(@Sendable () -> Void)?>(nil)

  /// The calls that wait for the disk.
  let waits: DiskWaits

  /// - Parameter stallLimit: `StoreOptions.stallLimit`.
  init(stallLimit: Int64 = .max, report: @escaping @Sendable (StoreEvent) -> Void) {
    waits = DiskWaits(limit: stallLimit)
    self.report = report
  }
  fileprivate static let window: Int64 = 60_000_000_000
  /// More files that can not be read say nothing new of the disk.
  fileprivate static let mostFailedReads = 64

  var health: StoreHealth { state.withLock { $0.health } }

  /// I/O errors since the start.
  var failureCount: Int { state.withLock { $0.total } }

  /// What is wrong with the catalogue, in SQLite's words; `nil` when nothing is known.
  var damage: String? { state.withLock { $0.damage } }

  /// Whether the writer may try to write: also to find out that it can again.
  var writerMayTry: Bool {
    state.withLock { $0.damage == nil && $0.disk == nil && !$0.isFailing }
  }

  /// What the writer has to heal before it writes.
  var catalogueTrouble: StoreHealth.Cause? { state.withLock { $0.catalogue } }

  /// Calls `body` when the disk is to be looked at; it must not block.
  func onFailure(_ body: (@Sendable () -> Void)?) { wake.withLock { $0 = body } }

  /// Throws when nothing may be written.
  func check(_ operation: StoreFailure.Operation) throws(StoreFailure) {
    if case .readOnly(let cause) = health {
      let next = cause == .damaged ? "then start assetd again" : "it is tried again every second"
      throw StoreFailure(
        operation, .readOnly, hint: "\(cause.rawValue): look at the disk and the log; \(next)")
    }
  }

  /// A call on a file failed: one that should make it, write it, make it durable, close, read or
  /// remove it. That a descriptor is missing says nothing of the disk, and a full one heals.
  func noteFailure(_ errno: Errno, at now: Int64 = SystemClock.monotonicNanoseconds) {
    change { state in
      state.total += 1
      guard !errno.isNoSpace, !errno.isNoDescriptor else { return }
      state.noteUnexplained(at: now)
    }
    if !errno.isNoDescriptor { wake.withLock { $0 }?() }
  }

  /// What a look at the disk found; `nil` when it takes files. Failures before it are explained by
  /// what it found.
  func noteLook(_ cause: StoreHealth.Cause?, at now: Int64 = SystemClock.monotonicNanoseconds) {
    change { state in
      state.disk = cause
      if cause != nil { state.failures = [] }
      state.failures.removeAll { now - $0 > HealthMonitor.window }
      if state.failures.isEmpty { state.isFailing = false }
    }
  }

  /// A file could not be removed. Only an I/O error, or a file system that takes no writes, speaks
  /// of the disk: a file may be immutable, or its folder another user's, and the store goes on.
  func noteFailedRemoval(_ errno: Errno) {
    if errno.isInputOutput || errno.isReadOnly { return noteFailure(errno) }
    state.withLock { $0.total += 1 }
  }

  /// Whether the disk takes files is to be found out again.
  var hasDiskTrouble: Bool { state.withLock { $0.disk != nil || $0.isFailing } }

  /// A file could not be read, or is not what was written, and nobody opens it any more: that is
  /// counted, and no reason to write nothing.
  func noteUnreadable() {
    state.withLock { $0.total += 1 }
    askForLook()
  }

  /// A file or folder of the store could not be opened or read. However many ask for it, one bad
  /// place is no failing disk: it counts once a minute, and only if it is the device's fault.
  ///
  /// - Parameter path: from the store's folder.
  func noteFailedRead(
    _ errno: Errno, of path: String, at now: Int64 = SystemClock.monotonicNanoseconds
  ) {
    guard !errno.isNoDescriptor else { return noteFailure(errno, at: now) }
    var isNew = false
    change { state in
      state.total += 1
      isNew = state.noteFailedRead(of: path, at: now)
      if isNew, errno.isOfDevice { state.noteUnexplained(at: now) }
    }
    if isNew { report(.unreadable(path, problem: "\(errno)")) }
    askForLook()
  }

  /// Runs `body`: one call that may wait for the disk, or few.
  func waiting<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let wait = waits.begin()
    defer { endWait(wait) }
    return try body()
  }

  /// The call of `waits.begin` came back: if it had waited for too long, whoever waited with it
  /// finds the store well.
  func endWait(_ wait: Int) {
    if waits.end(wait) { noteStall(since: nil) }
  }

  /// Since when the disk does not answer, in unix seconds; `nil` when it does.
  func noteStall(since seconds: Int64?) {
    // What was told once stays as it was told.
    change { $0.stalledSince = seconds == nil ? nil : $0.stalledSince ?? seconds }
  }

  /// Since when the disk does not answer, in unix seconds.
  var stalledSince: Int64? { state.withLock { $0.stalledSince } }

  /// Something looks odd: whether it is the disk is to be found out.
  func askForLook() { wake.withLock { $0 }?() }

  /// A commit's outcome is not known.
  func noteFailedCommit() {
    change { state in
      state.total += 1
      state.catalogue = .commitFailed
    }
  }

  /// The catalogue is damaged: nothing is written to it, and nothing is collected by it, as a row
  /// that can not be found would make an orphan of its file.
  func noteDamage(_ what: String) {
    let isNew = state.withLock { state in
      state.total += 1
      defer { if state.damage == nil { state.damage = what } }
      return state.damage == nil
    }
    if isNew { report(.damagedCatalogue(what)) }
  }

  /// A statement failed: it is damage, a failing disk, or a lock of another program.
  func note(_ failure: SQLiteFailure, at now: Int64 = SystemClock.monotonicNanoseconds) {
    if failure.isDamage { return noteDamage("\(failure)") }
    if failure.isBusy {
      return change { state in state.catalogue = state.catalogue ?? .catalogueLocked }
    }
    guard failure.isOfDisk || failure.isFull else { return }
    change { state in
      state.total += 1
      guard failure.isOfDisk else { return }
      // One fault meets many statements; each relapse counts.
      if state.catalogue == nil { state.noteUnexplained(at: now) }
      if state.catalogue != .commitFailed { state.catalogue = .catalogueFailing }
    }
    wake.withLock { $0 }?()
  }

  /// A reader could not open the catalogue. A lock passes: that reader opens it again.
  func noteFailedOpening(_ failure: SQLiteFailure) {
    if !failure.isBusy { note(failure) }
  }

  /// The catalogue was opened again and takes commits.
  func noteRecovery() { change { $0.catalogue = nil } }

  /// Changes the state, and tells of a new health.
  private func change(_ body: (inout State) -> Void) {
    let (before, after) = state.withLock { state in
      let before = state.health
      body(&state)
      return (before, state.health)
    }
    guard before != after else { return }
    if case .readOnly(let cause) = after { return report(.readOnly(cause)) }
    report(.writable)
  }
}
