internal import Synchronization

/// One order's place in the line of an upstream. It ends once: with its turn, with its time, or
/// with the service; what comes later changes nothing.
final class PlaceInLine: Sendable {
  /// How the wait ended.
  enum End {
    /// It is this order's turn: it has a place among the running calls.
    case turn
    /// The order's time was over before its turn came.
    case late
    /// The service ends: what was not sent is not sent any more.
    case draining
  }
  private struct State {
    var end: End?
    var waiter: CheckedContinuation<End, Never>?
  }
  private let state = Mutex(State())

  /// Whether it waits still.
  var isWaiting: Bool { state.withLock { $0.end == nil } }

  /// Ends the wait.
  ///
  /// - Returns: `false` when it had ended before.
  func finish(_ end: End) -> Bool {
    let (isFirst, waiter) = state.withLock { state in
      guard state.end == nil else { return (false, nil as CheckedContinuation<End, Never>?) }
      state.end = end
      return (true, state.waiter.take())
    }
    waiter?.resume(returning: end)
    return isFirst
  }

  /// Comes back when the wait has ended.
  func wait() async -> End {
    await withCheckedContinuation { continuation in
      let end = state.withLock { state in
        if state.end == nil { state.waiter = continuation }
        return state.end
      }
      if let end { continuation.resume(returning: end) }
    }
  }
}
