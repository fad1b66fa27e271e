// Waiting without a socket: a loop's timers belong to channels, and a channel to a descriptor, so
// an eventfd that nobody rings stands in for one. One clock serves all waits of its owner.
internal import Kernel

/// Calls back at a time, on its loop.
public final class LoopClock: Channel {
  private var descriptor: OwnedFileDescriptor?
  private var id: ChannelID?
  private var waits: [Int: () -> Void] = [:]
  /// Of those that were forgotten, too, until they are the earliest.
  private var deadlines = TimerHeap<Int>()
  /// When the loop calls the next time, as far as it was asked: one timer is enough for all waits.
  private var called = Int64.max
  private var next = 0

  /// A clock of `loop`; needs one descriptor.
  public init(on loop: isolated EventLoop) throws {
    let descriptor = try WakeBell().intoDescriptor()
    let number = descriptor.number
    self.descriptor = .some(descriptor)
    id = try loop.addReadOnly(self, descriptor: number)
  }

  /// Gives the descriptor back; waits that are under way end now.
  public func close(on loop: isolated EventLoop) {
    if let id { loop.remove(id) }
    id = nil
    descriptor = nil
    let ended = waits.sorted { $0.key < $1.key }
    waits = [:]
    for (_, body) in ended { body() }
  }

  /// How many calls are to be made.
  public var waitCount: Int { waits.count }

  /// Calls `body` at `deadline` (monotonic nanoseconds) or soon after; the number is for `forget`.
  public func call(
    at deadline: Int64, on loop: isolated EventLoop, _ body: @escaping () -> Void
  ) -> Int {
    guard let id else {
      body()
      return -1
    }
    next += 1
    waits[next] = body
    deadlines.insert(.init(deadline: deadline, id: next))
    if deadline < called {
      called = deadline
      loop.schedule(id, at: deadline)
    }
    return next
  }

  /// Takes back a call that was not made.
  public func forget(_ wait: Int) { waits[wait] = nil }

  /// Comes back at `deadline` (monotonic nanoseconds) or soon after.
  public func sleep(until deadline: Int64, on loop: isolated EventLoop) async {
    await withCheckedContinuation { waiter in
      _ = call(at: deadline, on: loop) { waiter.resume() }
    }
  }

  /// The loop ends: so does waiting.
  public func loopEnded(_ loop: isolated EventLoop) { close(on: loop) }

  /// Nobody rings.
  public func ready(_ readiness: Readiness, on loop: isolated EventLoop) {}

  /// Makes the calls that are due; those of one moment in the order in which they were asked for.
  public func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? {
    if called <= now { called = .max }
    var due: [TimerHeap<Int>.Entry] = []
    while let wait = deadlines.popDue(at: now) { due.append(wait) }
    due.sort { ($0.deadline, $0.id) < ($1.deadline, $1.id) }
    for wait in due { waits.removeValue(forKey: wait.id)?() }
    while let first = deadlines.first, waits[first.id] == nil { deadlines.removeFirst() }
    // An earlier one, or this one, may have its timer already.
    guard let first = deadlines.first, first.deadline < called else { return nil }
    called = first.deadline
    return called
  }
}
