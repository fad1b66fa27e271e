// An event loop is an actor whose executor is one thread: whatever it isolates (connections,
// timers, caches) is touched by that thread only, and the compiler proves it.
public import Kernel

/// What a channel became ready for.
public struct Readiness: Sendable {
  /// Whether a read would say something new: bytes, a connection, or the peer's end.
  public let mayRead: Bool
  /// Whether there is room to write.
  public let mayWrite: Bool
  /// Whether the peer ended its half: a read says so once what came before is read.
  public let hasPeerFinished: Bool
  /// Whether the connection is gone in both directions.
  public let isGone: Bool
  /// Whether this is the turn that the channel asked for with `EventLoop.yield`.
  public let isOwnTurn: Bool

  /// Everything may be tried: for a channel that is woken by its owner.
  public static let all = Readiness(isOwnTurn: false)
  static let ownTurn = Readiness(isOwnTurn: true)

  private init(isOwnTurn: Bool) {
    mayRead = true
    mayWrite = true
    hasPeerFinished = false
    isGone = false
    self.isOwnTurn = isOwnTurn
  }

  init(_ polled: PollReadiness) {
    mayRead = !polled.isDisjoint(with: .readable)
    mayWrite = !polled.isDisjoint(with: .writable)
    hasPeerFinished = !polled.isDisjoint(with: .peerFinished)
    isGone = !polled.isDisjoint(with: .gone)
    isOwnTurn = false
  }
}

/// What a loop calls when one of its descriptors is ready. Channels live on their loop's thread.
public protocol Channel: AnyObject {
  /// The descriptor became ready. Edge-triggered: read or write until would-block.
  func ready(_ readiness: Readiness, on loop: isolated EventLoop)

  /// The deadline passed that was set with `EventLoop.schedule`; say when to look again, if at all.
  func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64?

  /// The loop ends and calls no more: let go of descriptors and of whoever waits.
  func loopEnded(_ loop: isolated EventLoop)
}

extension Channel {
  /// Nothing to let go of.
  public func loopEnded(_ loop: isolated EventLoop) {}
}

/// Names an object that lives on a loop.
public struct ResidentID: Sendable {
  let index: Int
}

/// A thread with an epoll instance, timers and the channels that it serves.
public actor EventLoop {
  /// Where the loop's jobs run: its own thread.
  public nonisolated let executor: LoopExecutor
  /// The actor's executor is the loop's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }
  /// The loop's place among its siblings, from 0.
  public nonisolated let index: Int

  /// CLOCK_MONOTONIC nanoseconds when the current turn began; cheap to read, at most a turn old.
  public private(set) var now: Int64 = SystemClock.monotonicNanoseconds
  /// CLOCK_MONOTONIC nanoseconds at this very moment, where a turn's resolution is too coarse.
  public nonisolated static var preciseNow: Int64 { SystemClock.monotonicNanoseconds }
  /// CLOCK_REALTIME seconds when the current turn began.
  public private(set) var wallSeconds: Int64 = SystemClock.wallSeconds
  private var residents: [AnyObject] = []
  /// Called when a turn's work is done: batched work such as a log.
  private var turnEnds: [(Int64) -> Int64?] = []
  private var poller: Poller
  private var slots = ChannelSlots()
  private var timers = TimerHeap<ChannelID>()
  /// Channels that gave up their turn with work left.
  private var again: [ChannelID] = []
  private var turning: [ChannelID] = []

  /// A loop that does not run yet.
  public init(index: Int) throws(Errno) {
    self.index = index
    executor = try LoopExecutor()
    poller = try Poller()
    // Token 0 is no channel's: generations start at 1.
    try poller.addReadOnly(executor.bellNumber, token: 0)
  }

  /// Starts the loop's thread.
  public nonisolated func start() throws(Errno) {
    let executor = self.executor
    try KernelThread.start(name: "loop-\(index)", stackBytes: 8 << 20) { [self] in
      executor.run(self)
    }
  }

  /// Ends the loop and its thread after its current turn; its channels are told.
  ///
  /// A task that waits for something else then (such as `Workers`) never goes on: whoever stops a
  /// loop drains what it serves first.
  public nonisolated func stop() { executor.stop() }

  /// Runs `body` on the loop's thread.
  public func run<R: Sendable>(
    _ body: @Sendable (isolated EventLoop) async throws -> R
  ) async rethrows -> R {
    // Without the preference, what `body` waits for would resume through the global pool.
    try await withTaskExecutorPreference(executor) { try await body(self) }
  }

  // MARK: Residents

  /// Keeps an object that only this loop may reach; the id may travel.
  public func keep(_ resident: AnyObject) -> ResidentID {
    residents.append(resident)
    return ResidentID(index: residents.count - 1)
  }

  /// The object that `keep` took.
  public func resident<T>(_ id: ResidentID) -> T? {
    id.index < residents.count ? residents[id.index] as? T : nil
  }

  // MARK: Channels

  /// Serves a connected descriptor: both directions, edge-triggered.
  public func add(_ channel: any Channel, descriptor: Int32) throws(Errno) -> ChannelID {
    let id = adopt(channel, descriptor: descriptor)
    do throws(Errno) { try watch(id, descriptor: descriptor) } catch {
      slots.remove(id)
      throw error
    }
    return id
  }

  /// Makes a channel known; until `watch` nothing of its descriptor is told.
  public func adopt(_ channel: any Channel, descriptor: Int32) -> ChannelID {
    slots.insert(channel, at: descriptor)
  }

  /// Begins to tell an adopted channel about its descriptor, first what is already so.
  public func watch(_ id: ChannelID, descriptor: Int32) throws(Errno) {
    try poller.add(descriptor, token: id.token)
  }

  /// Serves a listener or another descriptor that is only read.
  public func addReadOnly(_ channel: any Channel, descriptor: Int32) throws(Errno) -> ChannelID {
    let id = slots.insert(channel, at: descriptor)
    do throws(Errno) { try poller.addReadOnly(descriptor, token: id.token) } catch {
      slots.remove(id)
      throw error
    }
    return id
  }

  /// Lets go of a channel; its descriptor must be closed by its owner in the same turn.
  public func remove(_ id: ChannelID) { slots.remove(id) }

  /// Serves the channel again in the next turn, without waiting for an edge.
  public func yield(_ id: ChannelID) { again.append(id) }

  // MARK: Time

  /// Calls the channel's `deadlinePassed` at `deadline` (monotonic nanoseconds) or soon after.
  ///
  /// A later deadline needs no call: the channel says so when it is asked.
  public func schedule(_ id: ChannelID, at deadline: Int64) {
    timers.insert(TimerHeap<ChannelID>.Entry(deadline: deadline, id: id))
  }

  /// Calls `body` with `now` after every turn and the jobs that it left, before the loop may sleep;
  /// it says by when it wants to be called again, if nothing else happens until then.
  public func atTurnEnd(_ body: @escaping (Int64) -> Int64?) { turnEnds.append(body) }

  // MARK: The turn

  /// Tells the channels that this is the end.
  func endChannels() {
    for channel in slots.all { channel.loopEnded(self) }
  }

  /// The end of the loop's life, after its last job.
  func end() {
    for end in turnEnds { _ = end(now) }
    slots.removeAll()
    residents.removeAll()
    turnEnds.removeAll()
  }

  /// How many entries the timers hold; for tests and metrics.
  public var timerCount: Int { timers.count }

  func turnUntilJobs() {
    repeat { turn() } while !executor.hasWork
  }

  private func turn() {
    // Here and not below: what jobs did since the last turn must not wait for the next event.
    var due: Int64?
    for end in turnEnds {
      if let wanted = end(now) { due = min(wanted, due ?? .max) }
    }
    let events = wait(until: due)
    readClocks()
    for index in 0..<events {
      let event = poller.event(index)
      guard let channel = slots.channel(token: event.token) else { continue }
      channel.ready(Readiness(event.readiness), on: self)
    }
    serveYielded()
    fireTimers()
  }

  /// How long the poller may wait, in milliseconds. Counted from this moment: the turn began before
  /// its events and the jobs behind it, which may have taken long.
  func patience(orTo due: Int64? = nil) -> Int32 {
    timers.milliseconds(from: Self.preciseNow, orTo: due)
  }

  private func wait(until due: Int64?) -> Int {
    var timeout: Int32 = 0
    if again.isEmpty, executor.maySleep() { timeout = patience(orTo: due) }
    defer { executor.awoke() }
    do throws(Errno) { return try poller.wait(milliseconds: timeout) } catch {
      // epoll_wait(2) fails only for a bad descriptor, buffer or size: a bug, not a condition.
      preconditionFailure("\(error)")
    }
  }

  private func readClocks() {
    now = SystemClock.monotonicNanoseconds
    wallSeconds = SystemClock.wallSeconds
  }

  private func serveYielded() {
    guard !again.isEmpty else { return }
    swap(&again, &turning)
    for id in turning { slots.channel(token: id.token)?.ready(.ownTurn, on: self) }
    turning.removeAll(keepingCapacity: true)
  }

  private func fireTimers() {
    while let entry = timers.popDue(at: now) {
      guard let channel = slots.channel(token: entry.id.token) else { continue }
      if let next = channel.deadlinePassed(at: now, on: self) {
        timers.insert(TimerHeap<ChannelID>.Entry(deadline: next, id: entry.id))
      }
    }
  }
}
