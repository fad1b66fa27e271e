import Foundation
import Testing

@testable import Kernel

struct SystemInfoTests {
  /// Resident memory in KiB.
  private func resident() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(Int(line.filter(\.isNumber)))
  }

  /// What is left of a peak, among small blocks that live on, goes back.
  @Test func freeMemoryGoesBack() throws {
    var peak: [[UInt8]] = []
    var small: [[UInt8]] = []
    for index in 0..<2000 {
      peak.append([UInt8](repeating: 1, count: 65_536))
      small.append([UInt8](repeating: UInt8(index % 256), count: 64))
    }
    let before = try resident()
    peak = []
    SystemInfo.giveBackFreeMemory()
    // Of 128,000; tests that run beside this one take some meanwhile.
    #expect(try resident() < before - 80_000)
    #expect(peak.isEmpty && small.count == 2000)
  }
}
