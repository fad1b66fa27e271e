// The one connection that writes and checkpoints, on a thread of its own (Debian 12's SQLite 3.40.1
// has the WAL-reset bug of two writers; one writer also never waits for a lock).
//
// Group commit: whatever waits when the thread comes round becomes one transaction, each piece of
// it in a savepoint, so that one that fails takes nobody with it. One fsync serves all of them, and
// nobody is told before it. A long piece gets a transaction of its own, without a savepoint: within
// one, SQLite's list of saved pages is walked after every statement, and time grows with its square
// (2,000 inserts: 2.3 s instead of 0.06).
//
// What is committed is in the log. The thread brings it home after it has told everyone, when
// nobody waits or the log has become long: a checkpoint writes and syncs for tens of milliseconds,
// and within a COMMIT all of its jobs would wait for it.
//
//     waiting ─► BEGIN IMMEDIATE ─► (SAVEPOINT, run, RELEASE | ROLLBACK TO)… ─► COMMIT ─► tell all
//                                                                     │
//                                     I/O error: outcome not known ◄──┘ read-only; open again,
//                                     bring the log home, commit once more; then go on
internal import Kernel
internal import SQLite
internal import Synchronization

/// One piece of work for the writer.
struct WriteJob: Sendable {
  /// Whether it runs many statements.
  let isLong: Bool
  /// Runs inside the transaction, on the writer's thread.
  let run: @Sendable (CatalogSession) throws(StoreFailure) -> Void
  /// Runs after the commit or the failure, on the writer's thread: short, never blocking. Hears how
  /// many nanoseconds passed from BEGIN to the end of COMMIT.
  let finish: @Sendable (StoreFailure?, Int64) -> Void
}

/// The writer's thread and its queue.
final class Writer: Sendable {
  private struct Queue {
    var jobs = WaitingLine<WriteJob>()
    var isRunning = false
    var isClosing = false
  }

  /// Jobs that may wait; more are refused with `.busy`.
  static let maxWaiting = 16_384
  /// Jobs in one transaction.
  static let maxBatch = 256
  /// Pages of the catalogue that are kept in memory, in bytes; more while a collection runs.
  static let cacheBytes = 32 << 20

  private let path: String
  private let health: HealthMonitor
  private let ledger: SpaceLedger
  private let stuck: StuckFiles
  private let unlinker: Unlinker
  private let check: CatalogueCheck
  private let epochs: ChangeEpochs
  private let queue = Mutex(Queue())
  private let wake: ThreadSignal
  private let ended: ThreadSignal
  /// Transactions committed, and jobs in them.
  private let commits = Atomic<Int>(0)
  private let committedJobs = Atomic<Int>(0)
  private let thread = Atomic<Int32>(0)

  init(
    path: String, files: StoreFiles, unlinker: Unlinker, check: CatalogueCheck,
    epochs: ChangeEpochs
  ) throws(Errno) {
    self.path = path
    self.check = check
    health = files.health
    ledger = files.ledger
    stuck = files.stuck
    self.unlinker = unlinker
    self.epochs = epochs
    wake = ThreadSignal()
    ended = ThreadSignal()
    try KernelThread.start(name: "store-writer") { [self] in run() }
  }

  /// Transactions committed and jobs in them: group commit is at work when the second is larger.
  var statistics: (commits: Int, jobs: Int) {
    (commits.load(ordering: .relaxed), committedJobs.load(ordering: .relaxed))
  }

  /// Jobs that wait for a transaction. For tests.
  var waiting: Int { queue.withLock { $0.jobs.count } }

  /// The thread's kernel id; 0 before it runs. For tests.
  var threadID: Int32 { thread.load(ordering: .relaxed) }

  /// Queues a job; its `finish` is called once, here when it is refused.
  func submit(_ job: WriteJob) {
    let refusal = queue.withLock { queue -> StoreFailure.Kind? in
      if queue.isClosing { return .closed }
      if queue.jobs.count >= Writer.maxWaiting { return .busy }
      queue.jobs.append(job)
      if !queue.isRunning {
        queue.isRunning = true
        wake.raise()
      }
      return nil
    }
    if let refusal { job.finish(StoreFailure(.publish, refusal), 0) }
  }

  /// Commits what is queued and ends the thread.
  func stop() {
    let isFirst = queue.withLock { queue in
      defer { queue.isClosing = true }
      return !queue.isClosing
    }
    guard isFirst else { return }
    wake.raise()
    // The last reference to the store may go on this very thread.
    if thread.load(ordering: .relaxed) != KernelThread.currentID { ended.wait() }
  }

  private func run() {
    thread.store(KernelThread.currentID, ordering: .relaxed)
    var session: CatalogSession?
    // If this fails, the first job tries again and hears why.
    _ = try? ready(&session)
    while true {
      // What has failed, here or in a reader, is tried again every second, whether anyone wants to
      // write or not.
      if !wake.wait(milliseconds: 1000) {
        if health.catalogueTrouble != nil { _ = try? ready(&session) }
        continue
      }
      while let jobs = next() {
        let wait = health.waits.begin()
        commit(jobs, &session)
        health.endWait(wait)
        let isBusy = queue.withLock { !$0.jobs.isEmpty }
        if let pages = session?.bringLogHome(isBusy: isBusy) { check.note(logPages: pages) }
      }
      if queue.withLock({ $0.isClosing && $0.jobs.isEmpty }) { break }
    }
    session?.emptyLog()
    session = nil
    ended.raise()
  }

  private func next() -> [WriteJob]? {
    queue.withLock { queue in
      guard let first = queue.jobs.takeFirst() else {
        queue.isRunning = false
        return nil
      }
      var batch = [first]
      while !first.isLong, batch.count < Writer.maxBatch, queue.jobs.first?.isLong == false,
        let job = queue.jobs.takeFirst()
      {
        batch.append(job)
      }
      return batch
    }
  }

  // MARK: - One transaction

  private func commit(_ jobs: [WriteJob], _ session: inout CatalogSession?) {
    let current: CatalogSession
    do {
      current = try ready(&session)
    } catch {
      for job in jobs { job.finish(error, 0) }
      return
    }
    let start = SystemClock.monotonicNanoseconds
    current.freed = []
    let changes = current.connection.totalChanges
    var results: [StoreFailure?] = []
    do {
      try current.connection.execute("BEGIN IMMEDIATE")
      if jobs.count == 1 {
        results = [try runAlone(jobs[0], current)]
      } else {
        for job in jobs { results.append(try run(job, current)) }
      }
      if current.connection.totalChanges != changes { try current.noteUse() }
    } catch {
      // Nothing was committed: SQLite rolled the transaction back, or it never began.
      health.note(error)
      current.connection.rollBack()
      if error.isFull { current.makeRoomInLog() }
      if error.isOfDisk { session = nil }
      for job in jobs { job.finish(StoreFailure(.publish, error), 0) }
      return
    }
    do {
      try current.connection.execute("COMMIT")
    } catch {
      failed(error, jobs, results, &session)
      return
    }
    commits.wrappingAdd(1, ordering: .relaxed)
    committedJobs.wrappingAdd(jobs.count, ordering: .relaxed)
    let nanoseconds = SystemClock.monotonicNanoseconds - start
    for (job, failure) in zip(jobs, results) { job.finish(failure, nanoseconds) }
  }

  /// Runs the only job of a transaction; what it leaves when it fails is committed as nothing.
  private func runAlone(
    _ job: WriteJob, _ session: CatalogSession
  ) throws(SQLiteFailure) -> StoreFailure? {
    do throws(StoreFailure) {
      try job.run(session)
      return nil
    } catch {
      session.connection.rollBack()
      try session.connection.execute("BEGIN IMMEDIATE")
      return error
    }
  }

  /// Runs a job in its savepoint.
  ///
  /// - Returns: its own failure, which changed nothing.
  /// - Throws: when the whole transaction is gone.
  private func run(
    _ job: WriteJob, _ session: CatalogSession
  ) throws(SQLiteFailure) -> StoreFailure? {
    try session.connection.execute("SAVEPOINT job")
    do throws(StoreFailure) {
      try job.run(session)
    } catch {
      guard session.connection.isInTransaction else {
        if case .sqlite(let failure) = error.kind { throw failure }
        throw SQLiteFailure.rolledBack
      }
      try session.connection.execute("ROLLBACK TO job")
      try session.connection.execute("RELEASE job")
      return error
    }
    try session.connection.execute("RELEASE job")
    return nil
  }

  /// A COMMIT failed. Without room it certainly did not take place; for any other reason that is
  /// not known, and the connection is not trusted any more.
  private func failed(
    _ failure: SQLiteFailure, _ jobs: [WriteJob], _ results: [StoreFailure?],
    _ session: inout CatalogSession?
  ) {
    session?.connection.rollBack()
    if failure.isFull {
      health.note(failure)
      session?.makeRoomInLog()
      for job in jobs { job.finish(StoreFailure(.publish, failure), 0) }
      return
    }
    if failure.isDamage { health.noteDamage("\(failure)") } else { health.noteFailedCommit() }
    // Their rows may be gone.
    for blob in session?.freed ?? [] { stuck.keep(.blobs(blob.name), blob.diskBytes) }
    session = nil
    // Whatever these jobs changed may have changed: caches look again (invariant 9).
    epochs.bumpAll()
    for (job, own) in zip(jobs, results) {
      job.finish(own ?? StoreFailure(.publish, .outcomeUnknown, hint: "\(failure)"), 0)
    }
    // Reopen, look, then go on; if that fails, the next job tries again.
    _ = try? ready(&session)
  }

  // MARK: - The connection

  private func ready(_ session: inout CatalogSession?) throws(StoreFailure) -> CatalogSession {
    if !health.writerMayTry { try health.check(.publish) }
    let trouble = health.catalogueTrouble
    if let session, trouble == nil { return session }
    do {
      // A lock of another program is no reason to trust the connection less.
      let opened = try trouble == .catalogueLocked ? session ?? open() : open()
      if trouble != .catalogueLocked { session = nil }
      switch trouble {
      case nil: break
      case .catalogueLocked: try seeUnlocked(opened)
      default: try check.makingWay { try recover(opened) }
      }
      session = opened
      return opened
    } catch let error as SQLiteFailure where error.isBusy {
      throw StoreFailure(.publish, error)
    } catch let error as SQLiteFailure where error.isFull {
      throw StoreFailure(.publish, error)
    } catch let error as SQLiteFailure where error.isDamage {
      health.note(error)
      throw StoreFailure(.publish, error, subject: path)
    } catch {
      throw StoreFailure(.publish, .readOnly, subject: path, hint: "\(error)")
    }
  }

  private func open() throws -> CatalogSession {
    let connection = try Connection(path: path, access: .readWrite, cacheBytes: Writer.cacheBytes)
    connection.checkpointByHand()
    return try CatalogSession.writing(connection, health: health)
  }

  /// Whether the other program's lock is gone; waits for it no longer than the first job did.
  private func seeUnlocked(_ session: CatalogSession) throws {
    session.connection.setPatience(0)
    defer { session.connection.setPatience(Connection.usualPatience) }
    try session.connection.immediately { () throws(SQLiteFailure) in }
    health.noteRecovery()
  }

  /// After a failed fsync the pages of the log may be in memory and not on the disk, and be
  /// believed to be there: later commits would hang on them. Copying the whole log into the
  /// database, with its own fsync, and beginning the log anew ends that.
  private func recover(_ session: CatalogSession) throws {
    guard try session.connection.checkpoint(.truncate) else { throw SQLiteFailure.rolledBack }
    let stored = try session.totals().diskBytes
    try session.connection.immediately { () throws(SQLiteFailure) in
      try session.note(.recovered, 1)
    }
    ledger.setStored(stored)
    try unlinker.clearUp(session)
    // What was read between the failure and now may be of before a commit that took place.
    epochs.bumpAll()
    health.noteRecovery()
  }
}

// MARK: - Asking the writer

/// Carries a job's result from its run to its finish.
private final class Outcome<Value: Sendable>: Sendable {
  let value = Mutex<Value?>(nil)
}

extension Writer {
  /// Runs `body` in the next transaction. `then` hears the result after the commit, on the
  /// writer's thread: what the rest of the program must know before the caller does happens there.
  func submit<Value: Sendable>(
    isLong: Bool = false,
    _ body: @escaping @Sendable (CatalogSession) throws(StoreFailure) -> Value,
    then: @escaping @Sendable (Result<Value, StoreFailure>) -> Void
  ) {
    submit(isLong: isLong, body, timed: { result, _ in then(result) })
  }

  private func submit<Value: Sendable>(
    isLong: Bool, _ body: @escaping @Sendable (CatalogSession) throws(StoreFailure) -> Value,
    timed then: @escaping @Sendable (Result<Value, StoreFailure>, Int64) -> Void
  ) {
    let outcome = Outcome<Value>()
    submit(
      WriteJob(
        isLong: isLong,
        run: { (session) throws(StoreFailure) in
          let value = try body(session)
          outcome.value.withLock { $0 = value }
        },
        finish: { failure, nanoseconds in
          if let failure { return then(.failure(failure), nanoseconds) }
          guard let value = outcome.value.withLock({ $0 }) else {
            preconditionFailure("a job that did not fail has a value")
          }
          then(.success(value), nanoseconds)
        }))
  }

  /// The same for long work, from a thread that may wait. Says how many nanoseconds the writer was
  /// busy with it, the commit included.
  func wait<Value: Sendable>(
    _ body: @escaping @Sendable (CatalogSession) throws(StoreFailure) -> Value,
    then: @escaping @Sendable (Value) -> Void = { _ in }
  ) throws(StoreFailure) -> (value: Value, nanoseconds: Int64) {
    let outcome = Outcome<(result: Result<Value, StoreFailure>, nanoseconds: Int64)>()
    let done = ThreadSignal()
    submit(
      isLong: true, body,
      timed: { result, nanoseconds in
        if case .success(let value) = result { then(value) }
        outcome.value.withLock { $0 = (result, nanoseconds) }
        done.raise()
      })
    done.wait()
    guard let (result, nanoseconds) = outcome.value.withLock({ $0 }) else {
      preconditionFailure("the signal comes after the result")
    }
    return (try result.get(), nanoseconds)
  }
}

extension SQLiteFailure {
  /// A transaction that ended without our asking.
  static let rolledBack = SQLiteFailure(
    extendedCode: 4, operation: "transaction", message: "it was rolled back")
}
