internal import Foundation

/// One run of wrk: 64 connections, one thread, off the servers' core.
struct WrkRun {
  let requests: Double
  let seconds: Double
  let p99Seconds: Double
  /// Nanoseconds of wrk itself.
  let processorNanoseconds: Int64

  /// - Throws: `Trouble` when an answer was no success.
  init(_ url: String, fields: [String], seconds: Int, shim: Shim?, on stage: Stage) throws {
    let before = Usage.endedChildrenNanoseconds()
    let words = ["wrk", "-t1", "-c64", "-d\(seconds)s", "--latency"]
    let text = try stage.run(
      words + fields.flatMap { ["-H", $0] } + [url], core: 1, environment: shim?.environment ?? [:])
    processorNanoseconds = Usage.endedChildrenNanoseconds() - before
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    // "  61204 requests in 2.00s, 1.00GB read"
    let total = lines.first { $0.count > 3 && $0[1] == "requests" && $0[2] == "in" }
    let slow = lines.first { $0.first == "99%" }
    guard let total, let slow, slow.count > 1, let requests = Double(total[0]), requests > 0,
      let seconds = Self.seconds(total[3].dropLast()), let p99 = Self.seconds(slow[1])
    else { throw Trouble("wrk's answer can not be read:\n\(text)") }
    if let bad = lines.first(where: { $0.first == "Non-2xx" }) {
      throw Trouble("\(url) answered with errors: \(bad.joined(separator: " "))")
    }
    self.requests = requests
    self.seconds = seconds
    p99Seconds = p99
  }

  /// `3.20us`, `1.02ms`, `2.00s`, `1.10m`.
  private static func seconds(_ text: Substring) -> Double? {
    for (unit, factor) in [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0)]
    where text.hasSuffix(unit) {
      return Double(text.dropLast(unit.count)).map { $0 * factor }
    }
    return nil
  }
}
