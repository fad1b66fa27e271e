// Waiting without a socket: a loop's timers belong to channels, and a channel to a descriptor, so
// an eventfd that nobody rings stands in for one. One clock serves all waits of its owner.
internal import Kernel

/// Calls back at a time, on its loop.
public final class LoopClock: Channel {
  private var descriptor: OwnedFileDescriptor?
  private var id: ChannelID?
  private var waits: [Int: (deadline: Int64, body: () -> Void)] = [:]
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
    let ended = waits.values
    waits = [:]
    for wait in ended { wait.body() }
  }

  /// Calls `body` at `deadline` (monotonic nanoseconds) or soon after; the number is for `forget`.
  public func call(
    at deadline: Int64, on loop: isolated EventLoop, _ body: @escaping () -> Void
  ) -> Int {
    guard let id else {
      body()
      return -1
    }
    next += 1
    waits[next] = (deadline, body)
    loop.schedule(id, at: deadline)
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

  /// Makes the calls that are due; each has a timer of its own.
  public func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? {
    let due = waits.filter { $0.value.deadline <= now }.sorted { $0.key < $1.key }
    for (wait, _) in due { waits[wait] = nil }
    for (_, value) in due { value.body() }
    return nil
  }
}
