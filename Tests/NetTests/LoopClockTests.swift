import Kernel
import Synchronization
import Testing

@testable import Net

struct LoopClockTests {
  /// What a test's waits did, in order.
  private final class Calls: Sendable {
    private let calls = Mutex<[Int]>([])
    func add(_ call: Int) { calls.withLock { $0.append(call) } }
    var all: [Int] { calls.withLock { $0 } }
  }

  private func until(_ condition: () async throws -> Bool) async throws {
    let end = SystemClock.monotonicNanoseconds + 60_000_000_000
    while try await !condition() {
      try #require(SystemClock.monotonicNanoseconds < end)
      await Task.yield()
    }
  }

  /// A thousand waits are one timer of the loop: each of its calls looks at what is due, not at all
  /// that waits.
  @Test func manyWaitsAreOneTimer() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    try await loop.run { loop in
      let clock = try LoopClock(on: loop)
      let first = loop.now + 600_000_000_000
      let waits = (0..<1000).map { index in
        clock.call(at: first + Int64(index), on: loop) {}
      }
      let (count, timers) = (clock.waitCount, loop.timerCount)
      #expect(count == 1000 && timers == 1)
      for wait in waits { clock.forget(wait) }
      let (left, next) = (clock.waitCount, clock.deadlinePassed(at: first, on: loop))
      #expect(left == 0 && next == nil)
      clock.close(on: loop)
    }
    loop.stop()
  }

  /// Earlier ones come later, some are forgotten, some are due together.
  @Test func waitsEndInTheirOrder() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let calls = Calls()
    let resident = try await loop.run { loop in
      let clock = try LoopClock(on: loop)
      let start = loop.now
      for (index, milliseconds) in [40, 20, 30, 10, 20, 50].enumerated() {
        let wait = clock.call(at: start + Int64(milliseconds) * 1_000_000, on: loop) {
          calls.add(index)
        }
        if index == 2 { clock.forget(wait) }
      }
      return loop.keep(clock)
    }
    try await until { calls.all.count == 5 }
    #expect(calls.all == [3, 1, 4, 0, 5])
    await loop.run { loop in
      let clock: LoopClock? = loop.resident(resident)
      let left = clock?.waitCount
      #expect(left == 0)
      clock?.close(on: loop)
    }
    loop.stop()
  }

  /// The timers that a clock has of its loop do not add up, however earlier and later waits mix.
  @Test func timersDoNotAddUp() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    try await loop.run { loop in
      let clock = try LoopClock(on: loop)
      var asked = 0
      let start = loop.now + 600_000_000_000
      for round in 0..<100 {
        // The loop's part: it calls at each moment that it was asked for.
        for step in stride(from: 50, through: 10, by: -10) {
          _ = clock.call(at: start + Int64(round * 100 + step), on: loop) {}
        }
        let before = loop.timerCount
        for step in stride(from: 10, through: 60, by: 10) {
          if clock.deadlinePassed(at: start + Int64(round * 100 + step), on: loop) != nil {
            asked += 1
          }
        }
        let (left, after) = (clock.waitCount, loop.timerCount)
        #expect(left == 0 && after == before)
      }
      #expect(asked == 400, "one for each wait but the first, which has its timer")
      clock.close(on: loop)
    }
    loop.stop()
  }

  @Test func theEndEndsAllWaits() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let calls = Calls()
    try await loop.run { loop in
      let clock = try LoopClock(on: loop)
      for index in 0..<5 {
        _ = clock.call(at: loop.now + 600_000_000_000 - Int64(index), on: loop) { calls.add(index) }
      }
      clock.close(on: loop)
      #expect(calls.all == [0, 1, 2, 3, 4])
      _ = clock.call(at: .max, on: loop) { calls.add(5) }
      #expect(calls.all.last == 5)
    }
    loop.stop()
  }
}
