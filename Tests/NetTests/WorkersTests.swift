import Dispatch
import Kernel
import Testing

@testable import Net

struct WorkersTests {
  private struct Wrong: Error {}

  @Test func resultComesBackOnTheLoop() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let workers = try Workers(threads: 1, queueLimit: 4)
    let (before, during, after) = try await loop.run { _ in
      let before = KernelThread.currentID
      let during = try await workers.run { KernelThread.currentID }
      return (before, during, KernelThread.currentID)
    }
    #expect(before == after)
    #expect(before != during)
    await #expect(throws: Wrong.self) { try await workers.run { throw Wrong() } }
    workers.stop()
    loop.stop()
  }

  /// Threads plus queue, and not one more; a place is free again as soon as its work is done.
  @Test func fullPoolRefusesAtOnce() async throws {
    let workers = try Workers(threads: 2, queueLimit: 3)
    let gate = DispatchSemaphore(value: 0)
    let held = (0..<5).map { _ in
      Task {
        try await workers.run { gate.wait() }
      }
    }
    while workers.pending < 5 { await Task.yield() }
    await #expect(throws: WorkersBusy.self) { try await workers.run {} }
    for _ in 0..<5 { gate.signal() }
    for task in held { try await task.value }
    #expect(workers.pending == 0)
    for _ in 0..<100 { try await workers.run {} }
    workers.stop()
    await #expect(throws: WorkersBusy.self) { try await workers.run {} }
  }

  /// What is owed waits behind a full queue; not when the pool ends.
  @Test func whatIsOwedIsNotRefused() async throws {
    let workers = try Workers(threads: 1, queueLimit: 1)
    let gate = DispatchSemaphore(value: 0)
    let held = (0..<2).map { _ in
      Task {
        try await workers.run { gate.wait() }
      }
    }
    while workers.pending < 2 { await Task.yield() }
    await #expect(throws: WorkersBusy.self) { try await workers.run {} }
    let owed = Task { try await workers.run(isOwed: true) { true } }
    while workers.pending < 3 { await Task.yield() }
    for _ in 0..<2 { gate.signal() }
    for task in held { try await task.value }
    #expect(try await owed.value)
    workers.stop()
    await #expect(throws: WorkersBusy.self) { try await workers.run(isOwed: true) {} }
  }

  /// What was taken on before `stop` is still done.
  @Test func stopFinishesTheQueue() async throws {
    let workers = try Workers(threads: 1, queueLimit: 10)
    let gate = DispatchSemaphore(value: 0)
    let all = (0..<5).map { _ in
      Task {
        try await workers.run {
          gate.wait()
          return true
        }
      }
    }
    while workers.pending < 5 { await Task.yield() }
    workers.stop()
    for _ in 0..<5 { gate.signal() }
    for task in all { #expect(try await task.value) }
  }
}
