// One thread that is a Swift executor. What awaits on a loop goes on, on the loop's thread:
// handlers never hop, and what a loop owns needs no lock.
//
//   run():   ┌─► turn (epoll_wait, events, timers) ─► jobs that tasks left ─┐
//            └──────────────────────────────────────────────────────────────┘
internal import Kernel
internal import Synchronization

/// The executor of one `EventLoop`: a queue of jobs that its thread runs between turns.
public final class LoopExecutor: SerialExecutor, TaskExecutor {
  private struct Queue {
    var jobs: [UnownedJob] = []
    var isStopped = false
  }
  private let queue = Mutex(Queue())
  private let bell: WakeBell
  /// Set while the thread may sleep: only then must who enqueues ring the bell.
  private let isAsleep = Atomic<Bool>(false)
  /// The thread's kernel id; `pthread_self()` was folded across an await in release builds.
  private let thread = Atomic<Int32>(0)

  init() throws(Errno) { bell = try WakeBell() }

  var bellNumber: Int32 { bell.number }

  /// Called by the concurrency runtime, from any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    queue.withLock { $0.jobs.append(unowned) }
    wake()
  }

  /// Wakes the thread if it sleeps.
  func wake() {
    // A loop that enqueues for itself is awake by definition.
    guard thread.load(ordering: .relaxed) != KernelThread.currentID else { return }
    if isAsleep.exchange(false, ordering: .acquiringAndReleasing) { bell.ring() }
  }

  /// Announces sleep; `false` when there is work, and the thread must not sleep.
  func maySleep() -> Bool {
    isAsleep.store(true, ordering: .sequentiallyConsistent)
    guard !hasWork else {
      isAsleep.store(false, ordering: .relaxed)
      return false
    }
    return true
  }

  func awoke() { isAsleep.store(false, ordering: .relaxed) }

  /// Ends `run` after the current turn.
  func stop() {
    queue.withLock { $0.isStopped = true }
    wake()
  }

  /// The thread's life: turns and jobs, until stopped.
  func run(_ loop: EventLoop) {
    thread.store(KernelThread.currentID, ordering: .sequentiallyConsistent)
    while !queue.withLock({ $0.isStopped && $0.jobs.isEmpty }) {
      // assumeIsolated allocates its closure: many turns pass inside one call.
      loop.assumeIsolated { $0.turnUntilJobs() }
      runJobs()
    }
    loop.assumeIsolated { $0.endChannels() }
    // Whom the channels woke comes to its end, unless it goes on waking itself.
    for _ in 0..<Self.lastRounds where hasJobs { runJobs() }
    loop.assumeIsolated { $0.end() }
  }

  private static let lastRounds = 1000
  private var hasJobs: Bool { queue.withLock { !$0.jobs.isEmpty } }

  /// Whether tasks left jobs, or the end was asked for.
  var hasWork: Bool { queue.withLock { !$0.jobs.isEmpty || $0.isStopped } }

  private func runJobs() {
    // What these jobs enqueue waits for the next turn, so that tasks can not starve sockets.
    var batch: [UnownedJob] = []
    queue.withLock { swap(&batch, &$0.jobs) }
    let end = SystemClock.monotonicNanoseconds + Self.jobNanoseconds
    for (index, job) in batch.enumerated() {
      unsafe job.runSynchronously(
        isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      // Many tasks that compute must not add up either: the others of the batch come first in the
      // next turn.
      guard index + 1 < batch.count, SystemClock.monotonicNanoseconds >= end else { continue }
      return queue.withLock { $0.jobs.insert(contentsOf: batch[(index + 1)...], at: 0) }
    }
  }

  /// How long jobs may keep the sockets waiting; one job may take longer.
  private static let jobNanoseconds: Int64 = 1_000_000

  /// For `assumeIsolated`: whether the caller is on this loop's thread.
  public func isIsolatingCurrentContext() -> Bool? {
    thread.load(ordering: .relaxed) == KernelThread.currentID
  }

  /// Traps off this loop's thread.
  public func checkIsolated() {
    precondition(isIsolatingCurrentContext() == true, "not on this event loop's thread")
  }
}
