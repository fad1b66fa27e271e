// What is short with us at the moment (a descriptor, the catalogue's lock, a place in a queue, a
// disk that refused once) comes back, and an image that was paid for waits for it: for some
// seconds, then its answer says what is wrong.
internal import Kernel
internal import Net
internal import Store

/// Tries again for those who have paid; one per loop.
final class Patience {
  private let clock: LoopClock
  private let shelf: AssetShelf
  /// The first pause, in nanoseconds; each is twice the one before it.
  private static let firstPause: Int64 = 10_000_000

  init(_ clock: LoopClock, _ shelf: AssetShelf) {
    self.clock = clock
    self.shelf = shelf
  }

  /// Runs `body` until it goes well, or has failed too often, or with what will not pass.
  func attempt<Value>(
    on loop: isolated EventLoop, _ body: () async throws -> Value
  ) async throws -> Value {
    var tries = 0
    while true {
      do { return try await body() } catch let failure as StoreFailure {
        guard await waits(after: failure, &tries, on: loop) else { throw failure }
      }
    }
  }

  /// Waits until another try makes sense; `false` when none does.
  func waits(
    after failure: StoreFailure, _ tries: inout Int, on loop: isolated EventLoop
  ) async -> Bool {
    guard tries < failure.worthTries else { return false }
    tries += 1
    // What is kept open only to be quick must not keep a paid image from being read.
    if failure.isNoDescriptor, shelf.closeIdle() { return true }
    await clock.sleep(until: EventLoop.preciseNow + Self.firstPause << (tries - 1), on: loop)
    return true
  }
}

extension StoreFailure {
  /// How often it is tried again: 20 s for what comes back as others end. A disk gets one more
  /// chance: three failures in a minute make the store read-only.
  fileprivate var worthTries: Int {
    switch kind {
    case .busy: 11
    case .io(let errno): errno.isNoDescriptor ? 11 : 1
    default: 0
    }
  }
}
