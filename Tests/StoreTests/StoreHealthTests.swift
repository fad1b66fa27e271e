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

  /// A file counts once a minute, and only with what its device does.
  @Test func threeFilesInAMinuteAreAFailingDisk() {
    let monitor = HealthMonitor { _ in }
    let second: Int64 = 1_000_000_000
    func read(_ path: String, _ time: Int64, _ code: Int32 = EIO) {
      monitor.noteFailedRead(Errno(.pread, code: code), of: path, at: time * second)
    }
    for time: Int64 in 0..<9 { read("a", time) }
    for path in ["x", "y", "z"] { read(path, 9, EACCES) }
    for path in ["u", "v", "w"] { read(path, 9, EMFILE) }
    read("b", 10)
    // The first one is forgotten by now.
    read("c", 61)
    #expect(monitor.health == .good && monitor.failureCount == 17)
    read("a", 62)
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
