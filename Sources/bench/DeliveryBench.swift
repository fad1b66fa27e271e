// GET of images: what one request costs the server. Runs take turns (ours, signed, plain, ours, …),
// and everyone sends the very same file.
internal import Foundation

/// `bench delivery`.
final class DeliveryBench: Bench {
  /// One server and one way to ask it.
  private struct Contender {
    let name: String
    let port: UInt16
    let usage: Usage
    let path: String
    let clearLog: () -> Void
  }
  /// What one run gave.
  private struct Run {
    let server: Double
    let client: Double
    let rate: Double
    let p99: Double
  }
  private let arguments: Arguments
  private let stage: Stage
  private let report: Report
  private let daemon: Daemon
  private let nginx: Nginx?
  /// Gives wrk's sockets one window for all.
  private let window: Shim?
  private static let sizes = [4 << 10, 64 << 10, 256 << 10, 1536 << 10, 8 << 20]

  init(_ arguments: Arguments, _ stage: Stage, _ report: Report) throws {
    self.arguments = arguments
    self.stage = stage
    self.report = report
    if !stage.hasTwoCores { report.note("One core, or no taskset: figures of nothing but noise.") }
    daemon = try Daemon(on: stage)
    window = try Shim("window", Shim.fixedWindow, on: stage)
    if window == nil {
      report.note("There is no C compiler (cc): the client's window grows by itself, so that only")
      report.note("the processor time of both sides can be compared from 256 KB on.")
    }
    let missing = Tool.missing(["nginx", "md5sum"])
    nginx = missing.isEmpty ? try Nginx(on: stage) : nil
    if !missing.isEmpty {
      report.note("\(missing.joined(separator: ", ")) is not installed: our own figures alone.")
    }
  }

  func measure() throws {
    defer {
      daemon.stop()
      nginx?.stop()
    }
    let sizes = arguments.sizes ?? Self.sizes
    if Tool.find("wrk") != nil {
      for size in sizes { try measure(size) }
      try measureExtras(sizes.min() ?? 4 << 10)
    } else {
      report.note("wrk is not installed: no load, only what one request does.")
    }
    try RequestCost(stage, report).measure(size: 64 << 10, daemon, nginx)
  }

  private func contenders(_ size: Int) throws -> [Contender] {
    var image = TestImage(size: size)
    let hosted = try daemon.host(&image)
    var all = [
      Contender(
        name: "assetd", port: daemon.port, usage: daemon.usage, path: hosted.path,
        clearLog: daemon.clearLog)
    ]
    if let nginx {
      let paths = try nginx.host(hosted.file)
      for (name, path) in [("secure_link", paths.signed), ("nginx", paths.plain)] {
        all.append(
          Contender(
            name: name, port: nginx.port, usage: nginx.usage, path: path, clearLog: nginx.clearLog))
      }
    }
    for contender in all {
      let answer = try LoopbackClient(port: contender.port).fetch(contender.path)
      guard answer.status == 200, answer.body.count == size else {
        throw Trouble("\(contender.name) answered \(answer.status) to \(contender.path).")
      }
    }
    return all
  }

  private func measure(_ size: Int) throws {
    let target =
      switch size {
      case ...8192: "≤ 0.80"
      case ...131_072: "≤ 0.75"
      case ...524_288: "≤ 0.65"
      default: nil as String?
      }
    let bothTarget = size > 524_288 ? "≤ 1.00" : nil
    try measure(
      size.bytesText, try contenders(size), target: target, bothTarget: bothTarget
    ) { _ in [] }
  }

  private func measureExtras(_ size: Int) throws {
    let all = try contenders(size)
    try measure("\(size.bytesText), close", all, target: "≤ 1.00") { _ in ["Connection: close"] }
    try measure("\(size.bytesText), 304", all) { contender in
      let answer = try LoopbackClient(port: contender.port).fetch(contender.path, method: "HEAD")
      guard let etag = answer.etag else { throw Trouble("\(contender.name) sends no ETag.") }
      return ["If-None-Match: \(etag)"]
    }
  }

  private func measure(
    _ subject: String, _ all: [Contender], target: String? = nil, bothTarget: String? = nil,
    fields: (Contender) throws -> [String]
  ) throws {
    let asked = try all.map(fields)
    for (contender, fields) in zip(all, asked) { _ = try run(contender, fields, seconds: 1) }
    var runs = all.map { _ in [Run]() }
    for _ in 0..<arguments.runs {
      for index in all.indices {
        runs[index].append(try run(all[index], asked[index], seconds: arguments.seconds))
      }
    }
    func add(_ quantity: String, target: String? = nil, _ value: (Run) -> Double) {
      let peers = all.indices.dropFirst().map { index in
        Measure.Peer(name: all[index].name, values: runs[index].map(value))
      }
      report.add(
        Measure(
          subject: subject, quantity: quantity, own: runs[0].map(value), peers: peers,
          target: peers.isEmpty ? nil : target))
    }
    add("server CPU µs/request", target: target, \.server)
    add("server + wrk CPU µs/request", target: bothTarget) { $0.server + $0.client }
    add("requests/s", \.rate)
    add("p99 ms", \.p99)
  }

  private func run(_ contender: Contender, _ fields: [String], seconds: Int) throws -> Run {
    let before = try contender.usage.processorNanoseconds()
    let wrk = try WrkRun(
      "http://127.0.0.1:\(contender.port)\(contender.path)", fields: fields, seconds: seconds,
      shim: window, on: stage)
    let spent = try contender.usage.processorNanoseconds() - before
    contender.clearLog()
    return Run(
      server: Double(spent) / wrk.requests / 1e3,
      client: Double(wrk.processorNanoseconds) / wrk.requests / 1e3,
      rate: wrk.requests / wrk.seconds, p99: wrk.p99Seconds * 1e3)
  }
}
