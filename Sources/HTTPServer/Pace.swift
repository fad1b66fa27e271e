/// How fast a peer moves bytes while we wait for it. Time in which we do not wait (a handler is
/// busy elsewhere) is not held against it.
///
/// What is sent counts when the peer has acknowledged it, not when the kernel took it: room is
/// announced only when a third of the send buffer is free (tcp(7), SO_SNDBUF), which is a megabyte
/// and minutes of a slow link.
struct Pace {
  enum Verdict: Equatable {
    case tooSlow
    case lookAgain(at: Int64)
  }
  private var moved: Int64 = 0
  private var waited: Int64 = 0
  private var waitingSince: Int64?
  /// What the peer had not acknowledged at the last look; `nil` as long as it is only read from.
  private var unacknowledged: Int64?
  /// How many bytes the peer is ahead of the slowest pace.
  private var credit: Int64 = 0

  /// Whether `beginSending` was told what is under way.
  var isSending: Bool { unacknowledged != nil }

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

  /// From here on the peer must read what we send; so many bytes are on their way to it. It begins
  /// with all its credit: its kernel is full already, and announces room in large steps.
  mutating func beginSending(unacknowledged count: Int64, credit: Int64) {
    moved = 0
    waited = 0
    self.credit = credit
    unacknowledged = count
  }

  /// Whether each `paceInterval` of all the time that we waited moved `paceBytes`. A reader
  /// begins with `paceCredit` bytes to its credit, and never has more.
  mutating func judge(
    at now: Int64, unacknowledged count: Int64, _ limits: ServerLimits
  ) -> Verdict {
    if waitingSince != nil {
      endWaiting(at: now)
      waitingSince = now
    }
    guard waited >= limits.paceInterval else {
      return .lookAgain(at: now + limits.paceInterval - waited)
    }
    var passed = moved
    if let before = unacknowledged {
      passed += before - count
      unacknowledged = count
    }
    credit += passed - limits.paceBytes
    guard credit >= 0 else { return .tooSlow }
    credit = isSending ? min(credit, limits.paceCredit) : 0
    moved = 0
    waited = 0
    return .lookAgain(at: now + limits.paceInterval)
  }
}
