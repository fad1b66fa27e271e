// GET of images: what one request costs the server, and everyone sends the very same file.
internal import Foundation

/// `bench delivery`.
final class DeliveryBench: Bench {
  private let arguments: Arguments
  private let stage: Stage
  private let report: Report
  /// Gives wrk's sockets one window for all.
  private let window: Shim?
  /// Lets wrk understand answers to HEAD.
  private let bodiless: Shim?

  init(_ arguments: Arguments, _ stage: Stage, _ report: Report) throws {
    self.arguments = arguments
    self.stage = stage
    self.report = report
    if !stage.hasTwoCores { report.note("One core, or no taskset: figures of nothing but noise.") }
    window = try Shim("window", Shim.fixedWindow, on: stage)
    bodiless = try Shim("bodiless", Shim.bodilessAnswers, on: stage)
    if window == nil {
      report.note("There is no C compiler (cc): the client's window grows by itself, so that only")
      report.note("the processor time of both sides can be compared from 256 KB on.")
    }
    if Tool.find("nginx") == nil { report.note("nginx is not installed: our own figures alone.") }
  }

  func measure() throws {
    for series in arguments.series ?? Series.all.filter(\.isQuick) { try measure(series) }
  }

  private func measure(_ series: Series) throws {
    if case .requestCost = series.work {
    } else if Tool.find("wrk") == nil {
      return report.note("\(series.name): wrk is not installed.")
    }
    let shims = series.isUnsynced ? try [Shim("unsynced", Shim.unsynced, on: stage)] : []
    let servers = try Servers(on: stage, cores: series.cores, shims: shims.compactMap { $0 })
    defer { servers.stop() }
    let turns = Turns(arguments: arguments, stage: stage, report: report)
    switch series.work {
    case .loads(let asks, let sizes):
      for size in arguments.sizes ?? sizes {
        let all = try servers.contenders(size: size)
        for ask in asks { try measure(ask, size, all, series.cores, turns) }
      }
    case .manyFiles: try ManyFiles(stage).measure(servers, turns, shims: [window].compactMap { $0 })
    case .coldFile: try ColdFile(arguments, stage, report).measure(servers)
    case .requestCost:
      try RequestCost(stage, report).measure(size: 64 << 10, servers.daemon, servers.nginx)
    }
  }

  private func measure(
    _ ask: Ask, _ size: Int, _ all: [Contender], _ cores: Stage.Cores, _ turns: Turns
  ) throws {
    if ask.method == "HEAD", bodiless == nil {
      return report.note("\(ask.subject(size)): wrk needs a C compiler's help (cc).")
    }
    var wrk = Wrk(connections: ask.connections, method: ask.method)
    wrk.cores = cores == .both ? .both : .clients
    wrk.shims = [window, ask.method == "HEAD" ? bodiless : nil].compactMap { $0 }
    let each = try all.map { contender in
      var own = wrk
      own.fields = try fields(ask, size, contender)
      return own
    }
    try turns.measure(ask.subject(size), all, each, target: ask.target(size))
  }

  /// What is sent to a contender, tried once.
  private func fields(_ ask: Ask, _ size: Int, _ contender: Contender) throws -> [String] {
    let client = try LoopbackClient(port: contender.port)
    var fields = ask.fields(size)
    if ask.revalidates {
      guard let etag = try client.fetch(contender.path, method: "HEAD").etag else {
        throw Trouble("\(contender.name) sends no ETag.")
      }
      fields.append("If-None-Match: \(etag)")
    }
    let lines = fields.map { $0 + "\r\n" }.joined()
    let status = try client.fetch(contender.path, method: ask.method, fields: lines).status
    guard status == ask.status else {
      throw Trouble("\(contender.name) answers \(status), not \(ask.status): \(fields)")
    }
    return fields
  }
}
