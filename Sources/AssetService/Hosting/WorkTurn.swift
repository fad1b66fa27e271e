internal import Kernel

/// How long a task has worked since it last waited: one connection's bytes must not keep a loop's
/// others waiting, whatever they cost.
final class WorkTurn {
  /// Nanoseconds of a turn.
  static let nanoseconds: Int64 = 1_000_000

  private let now: () -> Int64
  private var began: Int64 = 0
  /// How often it gave way.
  private(set) var count = 0

  /// `now` gives monotonic nanoseconds.
  init(now: @escaping () -> Int64 = { SystemClock.monotonicNanoseconds }) { self.now = now }

  /// The task has just waited, or has new bytes.
  func begin() { began = now() }

  /// Lets others have their turn when this one is over.
  func giveWay() async {
    guard now() - began >= Self.nanoseconds else { return }
    count += 1
    await Task.yield()
    begin()
  }
}
