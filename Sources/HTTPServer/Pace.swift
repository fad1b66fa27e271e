/// How fast a peer moves bytes while we wait for it. Time in which we do not wait (a handler is
/// busy elsewhere) is not held against it.
struct Pace {
  enum Verdict: Equatable {
    case tooSlow
    case lookAgain(at: Int64)
  }
  private var moved: Int64 = 0
  private var waited: Int64 = 0
  private var waitingSince: Int64?

  /// Notes that so many bytes went through.
  mutating func move(_ count: Int) { moved += Int64(count) }

  /// From here on it is the peer's turn.
  mutating func beginWaiting(at now: Int64) {
    if waitingSince == nil { waitingSince = now }
  }

  /// From here on it is ours.
  mutating func endWaiting(at now: Int64) {
    guard let since = waitingSince else { return }
    waited += max(0, now - since)
    waitingSince = nil
  }

  /// Whether, of all the time that we waited, each `paceInterval` moved `paceBytes`.
  mutating func judge(at now: Int64, _ limits: ServerLimits) -> Verdict {
    if waitingSince != nil {
      endWaiting(at: now)
      waitingSince = now
    }
    guard waited >= limits.paceInterval else {
      return .lookAgain(at: now + limits.paceInterval - waited)
    }
    guard moved >= limits.paceBytes else { return .tooSlow }
    moved = 0
    waited = 0
    return .lookAgain(at: now + limits.paceInterval)
  }
}
