import Testing

@testable import Store

@Suite struct ClockGuardTests {
  @Test(
    arguments: [
      (0, ClockGuard.Verdict.steady), (-60, .steady), (-61, .jumped(seconds: -61)),
      (86_400, .steady), (86_401, .jumped(seconds: 86_401)),
    ] as [(Int64, ClockGuard.Verdict)])
  func jumpIsToldToTheSecond(drift: Int64, verdict: ClockGuard.Verdict) {
    var clock = ClockGuard()
    #expect(clock.judge(wall: 1_000_000 + drift, mark: 1_000_000, running: 5) == verdict)
  }

  @Test func clockThatStaysIsBelievedAfterAnHour() {
    var clock = ClockGuard()
    let wall: Int64 = 10_000_000
    #expect(clock.judge(wall: wall, mark: 0, running: 100) != .steady)
    #expect(clock.judge(wall: wall + 3599, mark: 0, running: 3699) != .steady)
    #expect(clock.judge(wall: wall + 3600, mark: 0, running: 3700) == .steady)
  }

  @Test func secondJumpBeginsTheHourAgain() {
    var clock = ClockGuard()
    let wall: Int64 = 10_000_000
    #expect(clock.judge(wall: wall, mark: 0, running: 0) != .steady)
    #expect(clock.judge(wall: wall * 2, mark: 0, running: 3600) != .steady)
    #expect(clock.judge(wall: wall * 2 + 3600, mark: 0, running: 7200) == .steady)
  }
}
