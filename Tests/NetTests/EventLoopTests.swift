import Kernel
import Synchronization
import Testing

@testable import Net

/// What a test's channel was told, for other threads to read.
private final class Record: Sendable {
  private let lines = Mutex<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

private final class RecordingChannel: Channel {
  private let record: Record
  private let bell: WakeBell
  private(set) var id: ChannelID?
  /// Whether the next event makes it ask for a turn, and for two deadlines.
  var asksForMore = false
  private var next: Int64?

  init(_ record: Record, on loop: isolated EventLoop) throws {
    self.record = record
    bell = try WakeBell()
    id = try loop.addReadOnly(self, descriptor: bell.number)
  }
  func ring() { bell.ring() }
  func ready(_ readiness: Readiness, on loop: isolated EventLoop) {
    record.add(readiness.isOwnTurn ? "turn" : "ready")
    guard asksForMore, let id else { return }
    asksForMore = false
    next = 1
    loop.yield(id)
    loop.schedule(id, at: loop.now + 1)
  }
  func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? {
    record.add("deadline")
    defer { next = nil }
    return next.map { now + $0 }
  }
  func loopEnded(_ loop: isolated EventLoop) { record.add("ended") }
}

struct EventLoopTests {
  private func until(_ condition: () async throws -> Bool) async throws {
    let end = SystemClock.monotonicNanoseconds + 10_000_000_000
    while try await !condition() {
      try #require(SystemClock.monotonicNanoseconds < end)
      await Task.yield()
    }
  }

  @Test func jobsRunOnTheLoopsThread() async throws {
    let loop = try EventLoop(index: 3)
    try loop.start()
    let here = await loop.run { _ in KernelThread.currentID }
    for _ in 0..<100 {
      let same = await loop.run { loop in
        await Task.yield()
        loop.assertIsolated()
        return KernelThread.currentID
      }
      #expect(same == here)
    }
    loop.stop()
  }

  /// Many threads wake the loop at once: no job is lost in its sleep.
  @Test func everyJobRuns() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let record = Record()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<2000 {
        group.addTask { await loop.run { _ in record.add("job") } }
      }
    }
    #expect(record.all.count == 2000)
    loop.stop()
  }

  @Test func channelsHearEventsTurnsDeadlinesAndTheEnd() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let record = Record()
    try await loop.run { loop in
      let channel = try RecordingChannel(record, on: loop)
      channel.asksForMore = true
      channel.ring()
    }
    try await until { record.all.count >= 4 }
    #expect(record.all == ["ready", "turn", "deadline", "deadline"])
    #expect(await loop.timerCount == 0)
    loop.stop()
    try await until { record.all.last == "ended" }
  }

  /// A removed channel hears nothing more, whoever has its descriptor's number now.
  @Test func removedChannelHearsNothing() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let record = Record()
    try await loop.run { loop in
      let channel = try RecordingChannel(record, on: loop)
      let id = try #require(channel.id)
      loop.yield(id)
      loop.schedule(id, at: loop.now)
      channel.ring()
      loop.remove(id)
    }
    for _ in 0..<3 { await loop.run { _ in } }
    #expect(record.all.isEmpty)
    #expect(await loop.timerCount == 0)
    loop.stop()
  }

  /// Tasks that compute share the loop with its sockets, however many there are.
  @Test func jobsDoNotAddUp() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let record = Record()
    try await loop.run { loop in
      let channel = try RecordingChannel(record, on: loop)
      for index in 0..<20 {
        Task {
          _ = loop
          if index == 0, let id = channel.id { loop.yield(id) }
          let end = SystemClock.monotonicNanoseconds + 2_000_000
          while SystemClock.monotonicNanoseconds < end {}
          record.add("job \(index)")
        }
      }
    }
    try await until { record.all.count == 21 }
    #expect(record.all.prefix(2) == ["job 0", "turn"])
    #expect(record.all.filter { $0 != "turn" } == (0..<20).map { "job \($0)" })
    loop.stop()
  }

  /// What jobs did is flushed before the loop sleeps: nothing else happens on this one.
  @Test func turnEndFollowsJobs() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let record = Record()
    let pending = Record()
    await loop.run { loop in
      loop.atTurnEnd { _ in
        if record.all.count < pending.all.count { record.add("flushed") }
        return nil
      }
    }
    await loop.run { _ in pending.add("line") }
    try await until { record.all == ["flushed"] }
    loop.stop()
  }

  /// Who asks for another turn's end gets it, although nothing happens on the loop.
  @Test func turnEndIsCalledInTime() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let record = Record()
    await loop.run { loop in
      loop.atTurnEnd { now in
        record.add("end")
        return record.all.count < 10 ? now + 1_000_000 : nil
      }
    }
    try await until { record.all.count >= 10 }
    loop.stop()
  }

  /// What jobs took of a turn is no part of the loop's sleep: a deadline that passed meanwhile is
  /// not slept past.
  @Test func theSleepIsCountedFromItsBeginning() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    try await loop.run { loop in
      let id = try #require(try RecordingChannel(Record(), on: loop).id)
      let deadline = loop.now + 20_000_000
      loop.schedule(id, at: deadline)
      while EventLoop.preciseNow < deadline {}
      let (began, patience, other) = (loop.now, loop.patience(), loop.patience(orTo: deadline))
      #expect(began < deadline && patience == 0 && other == 0)
      loop.remove(id)
    }
    loop.stop()
  }

  /// The thread ends and gives the loop's descriptors back.
  @Test func stopEndsTheThread() async throws {
    final class Witness: Sendable {
      let gone: Record
      init(_ gone: Record) { self.gone = gone }
      deinit { gone.add("gone") }
    }
    let record = Record()
    do {
      let loop = try EventLoop(index: 0)
      try loop.start()
      let witness = Witness(record)
      _ = await loop.keep(witness)
      loop.stop()
    }
    try await until { record.all == ["gone"] }
  }
}
