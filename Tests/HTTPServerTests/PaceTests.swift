import Testing

@testable import HTTPServer

struct PaceTests {
  private let limits = {
    var limits = ServerLimits()
    limits.paceInterval = 10
    limits.paceBytes = 100
    return limits
  }()

  @Test func onlyWaitingCounts() {
    var pace = Pace()
    #expect(pace.judge(at: 50, limits) == .lookAgain(at: 60))
    pace.beginWaiting(at: 60)
    pace.endWaiting(at: 64)
    pace.beginWaiting(at: 70)
    pace.beginWaiting(at: 71)
    #expect(pace.judge(at: 72, limits) == .lookAgain(at: 76))
    #expect(pace.judge(at: 76, limits) == .tooSlow)
  }

  @Test func movedBytesBuyOneInterval() {
    var pace = Pace()
    pace.beginWaiting(at: 0)
    pace.move(60)
    pace.move(40)
    #expect(pace.judge(at: 10, limits) == .lookAgain(at: 20))
    pace.move(99)
    #expect(pace.judge(at: 20, limits) == .tooSlow)
  }

  @Test func clockThatStandsStillIsHarmless() {
    var pace = Pace()
    pace.endWaiting(at: 5)
    pace.beginWaiting(at: 5)
    pace.endWaiting(at: 4)
    #expect(pace.judge(at: 5, limits) == .lookAgain(at: 15))
  }
}
