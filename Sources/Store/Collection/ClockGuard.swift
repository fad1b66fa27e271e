// A clock that jumps must not delete: a machine that wakes up ten years in the future would see
// every temporary asset expired. Serving goes on; collection waits (STORE.md, "Retention").
//
//     steady ──back > 60 s, or forward > 24 h, against the stored mark──► suspended
//        ▲                                                                   │
//        └── back in range, or an hour of running time without another jump ─┘

/// Judges the wall clock before each collection. Pure: the times come in.
struct ClockGuard: Sendable {
  static let maxBack: Int64 = 60
  static let maxForward: Int64 = 24 * 3600
  /// Seconds of running time after which a clock that jumped once is believed.
  static let patience: Int64 = 3600

  enum Verdict: Sendable, Hashable {
    case steady
    /// It jumped by this many seconds against the mark.
    case jumped(seconds: Int64)
  }

  /// When a jump was first seen: wall and running time, in seconds.
  private var jump: (wall: Int64, running: Int64)?

  /// - Parameters:
  ///   - wall: unix seconds now.
  ///   - mark: the latest unix seconds that the store has seen.
  ///   - running: seconds of a clock that never jumps.
  mutating func judge(wall: Int64, mark: Int64, running: Int64) -> Verdict {
    let drift = wall - mark
    if drift >= -ClockGuard.maxBack, drift <= ClockGuard.maxForward {
      jump = nil
      return .steady
    }
    guard let jump, abs((wall - jump.wall) - (running - jump.running)) <= ClockGuard.maxBack else {
      jump = (wall, running)
      return .jumped(seconds: drift)
    }
    if running - jump.running >= ClockGuard.patience {
      self.jump = nil
      return .steady
    }
    return .jumped(seconds: drift)
  }
}
