import Glibc
import Kernel
import Testing

@testable import Store

@Suite struct StoreHealthTests {
  private let failure = Errno(.fsync, code: EIO)

  @Test func threeFailuresInAMinuteAreAFailingDisk() {
    let monitor = HealthMonitor { _ in }
    for time: Int64 in [0, 1, 61_000_000_000, 62_000_000_000] {
      monitor.noteFailure(failure, at: time)
    }
    #expect(monitor.health == .good)
    monitor.noteFailure(failure, at: 63_000_000_000)
    #expect(monitor.health == .readOnly(.diskFailing))
  }

  /// Nothing that comes later hides that the catalogue is damaged.
  @Test func damageStaysTheReason() {
    let monitor = HealthMonitor { _ in }
    monitor.noteDamage("a page")
    for _ in 0..<4 { monitor.noteFailure(failure, at: 0) }
    monitor.noteFailedCommit()
    monitor.noteRecovery()
    #expect(monitor.health == .readOnly(.damaged))
    #expect(monitor.failureCount == 6)
    #expect(monitor.damage == "a page")
  }
}
