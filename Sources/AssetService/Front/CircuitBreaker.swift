/// Whether an upstream is asked at all: after some calls in a row that it did not answer it is left
/// alone for a while, so that orders fail at once, or go to the next upstream, instead of waiting
/// for nothing (PROMISES.md, O5).
///
/// When the pause is over all calls may go again; one more failure begins the next pause, twice as
/// long. A single probe instead would block all others for as long as it takes to draw an image.
struct CircuitBreaker {
  /// Calls in a row without an answer.
  private(set) var failures = 0
  private var pauses = 0
  private var pausedUntil = Int64.min

  /// So many failures in a row begin a pause.
  static let threshold = 5
  /// The first pause and the longest one, in nanoseconds.
  static let pauseBounds: ClosedRange<Int64> = 10_000_000_000...120_000_000_000

  /// How much of a pause is left, in nanoseconds; `nil` when calls may go.
  ///
  /// - Parameter now: monotonic nanoseconds, here as below.
  func pause(at now: Int64) -> Int64? { pausedUntil > now ? pausedUntil - now : nil }

  /// A call was answered; an error is an answer, too.
  ///
  /// - Returns: whether that ends a row of failures that led to pauses.
  mutating func answered() -> Bool {
    defer { self = CircuitBreaker() }
    return pauses > 0
  }

  /// A call that began at `entry` was not answered. One from before the end of the last pause says
  /// nothing new.
  ///
  /// - Returns: the pause that begins now, in nanoseconds.
  mutating func failed(enteredAt entry: Int64, at now: Int64) -> Int64? {
    guard entry >= pausedUntil else { return nil }
    failures += 1
    guard failures >= Self.threshold else { return nil }
    let bounds = Self.pauseBounds
    let length = min(bounds.upperBound, bounds.lowerBound << min(pauses, 16))
    pauses += 1
    pausedUntil = now + length
    return length
  }
}
