import Foundation
import Kernel
import Testing

@testable import Store

/// Keeps the writer's thread busy with a job of its own: what is asked of it meanwhile stands in
/// one transaction, in the order in which it came.
struct HeldWriter {
  private let store: Store
  private let gate: ThreadSignal

  init(_ store: Store) async throws {
    self.store = store
    let gate = ThreadSignal()
    self.gate = gate
    await withCheckedContinuation { running in
      store.writer.submit { (_) throws(StoreFailure) in
        running.resume()
        gate.wait()
      } then: { _ in
      }
    }
  }

  /// Waits until so many jobs wait behind this one.
  func untilWaiting(_ count: Int) async throws {
    do {
      try await until("\(count) jobs wait") { store.writer.waiting >= count }
    } catch {
      letGo()
      throw error
    }
  }

  /// Lets the writer go on.
  func letGo() { gate.raise() }
}

/// Waits for what another thread brings about.
func until(_ what: Comment, _ condition: () throws -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(60)
  while try !condition() {
    try #require(ContinuousClock.now < end, what)
    await Task.yield()
  }
}

/// Runs `body` on a thread of its own, which may wait for as long as it likes. It stays the test's
/// task, which its failures belong to.
func onThread<Value: Sendable>(_ body: @Sendable () throws -> Value) async throws -> Value {
  try await withTaskExecutorPreference(OwnThread()) { try body() }
}

private final class OwnThread: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    Thread.detachNewThread { [self] in
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
