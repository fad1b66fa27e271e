// Load on everyone. Runs take turns (ours, signed, plain, ours, …): what changes from minute to
// minute on a shared machine hits all.
internal import Foundation

/// Runs of wrk against all contenders.
struct Turns {
  /// What one run gave.
  private struct Run {
    /// Microseconds of processor time per request.
    let server, client: Double
    let wrk: Wrk.Run
  }
  let arguments: Arguments
  let stage: Stage
  let report: Report

  /// Reports one measure per quantity; `wrk` has an entry per contender.
  func measure(
    _ subject: String, _ all: [Contender], _ wrk: [Wrk], target: Ask.Target = Ask.Target()
  ) throws {
    for (contender, wrk) in zip(all, wrk) { _ = try run(contender, wrk, seconds: 1) }
    var runs = all.map { _ in [Run]() }
    for _ in 0..<arguments.runs {
      for index in all.indices {
        runs[index].append(try run(all[index], wrk[index], seconds: arguments.seconds))
      }
    }
    func add(_ quantity: String, target: String? = nil, _ value: (Run) -> Double) {
      report.add(
        Measure(subject, quantity, all.map(\.name), runs.map { $0.map(value) }, target: target))
    }
    add("server CPU µs/request", target: target.server, \.server)
    add("server + wrk CPU µs/request", target: target.both) { $0.server + $0.client }
    add("requests/s") { $0.wrk.requests / $0.wrk.seconds }
    add("p50 ms", \.wrk.p50)
    add("p99 ms", \.wrk.p99)
    for (contender, runs) in zip(all, runs) {
      let broken = runs.reduce(0) { $0 + $1.wrk.broken }
      if broken > 0 { report.note("  \(contender.name): \(Int(broken)) connections broke.") }
    }
  }

  private func run(_ contender: Contender, _ wrk: Wrk, seconds: Int) throws -> Run {
    let before = try contender.usage.processorNanoseconds()
    let run = try wrk.run(contender.url(contender.path), seconds: seconds, on: stage)
    let spent = try contender.usage.processorNanoseconds() - before
    contender.clearLog()
    return Run(
      server: Double(spent) / run.requests / 1e3,
      client: Double(run.processorNanoseconds) / run.requests / 1e3, wrk: run)
  }
}
