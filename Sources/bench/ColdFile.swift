internal import Foundation

/// How long a warm small file waits while its server reads a large one from the disk. On one core
/// that is how long the loop, or the worker, stands still.
struct ColdFile {
  private let arguments: Arguments
  private let stage: Stage
  private let report: Report
  private static let size = 32 << 20

  init(_ arguments: Arguments, _ stage: Stage, _ report: Report) {
    self.arguments = arguments
    self.stage = stage
    self.report = report
  }

  /// What one run gave.
  private struct Run {
    let small: Wrk.Run
    /// Of the large file: MB per second, and MB from the disk for each MB sent.
    let rate, read: Double
  }

  func measure(_ servers: Servers) throws {
    let small = try servers.contenders(size: 4 << 10)
    var image = TestImage(size: Self.size)
    let hosted = try servers.daemon.host(&image)
    let large = try servers.contenders([hosted], size: Self.size)
    for isCold in [false, true] {
      var runs = small.map { _ in [Run]() }
      for _ in 0..<arguments.runs {
        for index in small.indices {
          runs[index].append(try run(small[index], large[index], isCold ? hosted.file : nil))
        }
      }
      add(isCold ? "cold" : "warm", small.map(\.name), runs)
      if isCold, runs.contains(where: { $0.contains { $0.read < 0.5 } }) {
        report.note("  The large file stayed in memory: TMPDIR must be on a disk.")
      }
    }
  }

  private func add(_ kind: String, _ names: [String], _ runs: [[Run]]) {
    func add(_ quantity: String, _ value: (Run) -> Double) {
      let subject = "4 KB by \(kind) \(Self.size.bytesText)"
      report.add(Measure(subject, quantity, names, runs.map { $0.map(value) }))
    }
    add("p50 ms", \.small.p50)
    add("p99 ms", \.small.p99)
    add("longest ms", \.small.longest)
    add("MB/s of the large file", \.rate)
  }

  private func run(_ small: Contender, _ large: Contender, _ dropped: URL?) throws -> Run {
    let diskBefore = large.usage.diskBytes
    let reader = try SteadyReader(port: large.port, path: large.path, cold: dropped)
    let run = Result {
      try Wrk(connections: 1).run(small.url(small.path), seconds: arguments.seconds, on: stage)
    }
    let (bytes, rate) = try reader.stop()
    small.clearLog()
    let read = Double(large.usage.diskBytes - diskBefore) / Double(bytes)
    return Run(small: try run.get(), rate: rate, read: read)
  }
}
