import Testing

@testable import HTTPServer

/// Who is too slow, and who is not.
struct PaceTests {
  private let limits: ServerLimits = {
    var limits = ServerLimits()
    limits.paceInterval = 10
    limits.paceBytes = 100
    limits.paceCredit = 250
    return limits
  }()

  @Test func bodyMustMoveInEachInterval() {
    var pace = Pace()
    pace.beginWaiting(at: 0)
    pace.move(1000)
    #expect(pace.judge(at: 10, unacknowledged: 0, limits) == .lookAgain(at: 20))
    // What came before is not held to its credit.
    #expect(pace.judge(at: 20, unacknowledged: 0, limits) == .tooSlow)
  }

  @Test func timeInWhichNobodyWaitsDoesNotCount() {
    var pace = Pace()
    pace.beginWaiting(at: 0)
    pace.endWaiting(at: 4)
    #expect(pace.judge(at: 100, unacknowledged: 0, limits) == .lookAgain(at: 106))
  }

  /// The kernel took 1,000 bytes, then nothing more; the peer acknowledges a hundred a look.
  @Test func acknowledgedBytesCount() {
    var pace = Pace()
    pace.beginSending(unacknowledged: 50, credit: 0)
    pace.beginWaiting(at: 0)
    pace.move(1000)
    for look in 1...10 {
      let left = Int64(1050 - 100 * look)
      #expect(
        pace.judge(at: Int64(10 * look), unacknowledged: left, limits)
          == .lookAgain(at: Int64(10 * look + 10)))
    }
    #expect(pace.judge(at: 110, unacknowledged: 50, limits) == .tooSlow)
  }

  @Test func takenButNotAcknowledgedDoesNotCount() {
    var pace = Pace()
    pace.beginSending(unacknowledged: 0, credit: 0)
    pace.beginWaiting(at: 0)
    pace.move(1000)
    #expect(pace.judge(at: 10, unacknowledged: 950, limits) == .tooSlow)
  }

  /// All that the peer's kernel takes may have gone before the first look at it, and a slow reader
  /// makes its kernel announce room only after some intervals.
  @Test func readerBeginsWithCredit() {
    var pace = Pace()
    // What the peer sent before is not what it reads.
    pace.move(100_000)
    pace.beginSending(unacknowledged: 5000, credit: limits.paceCredit)
    pace.beginWaiting(at: 0)
    #expect(pace.judge(at: 10, unacknowledged: 5000, limits) == .lookAgain(at: 20))
    #expect(pace.judge(at: 20, unacknowledged: 5000, limits) == .lookAgain(at: 30))
    #expect(pace.judge(at: 30, unacknowledged: 5000, limits) == .tooSlow)
  }

  /// A peer's kernel announces room in steps; what it took in one lasts for some intervals.
  @Test func readerHasCreditForAWhile() {
    var pace = Pace()
    pace.beginSending(unacknowledged: 0, credit: 0)
    pace.beginWaiting(at: 0)
    pace.move(5000)
    #expect(pace.judge(at: 10, unacknowledged: 0, limits) == .lookAgain(at: 20))
    #expect(pace.judge(at: 20, unacknowledged: 0, limits) == .lookAgain(at: 30))
    #expect(pace.judge(at: 30, unacknowledged: 0, limits) == .lookAgain(at: 40))
    #expect(pace.judge(at: 40, unacknowledged: 0, limits) == .tooSlow)
  }
}
