// What one warm GET does, counted and not timed: system calls by strace, allocations by a shim that
// is loaded before the C library's own.
internal import Foundation

/// Counts the work of one warm GET at a time on one connection.
struct RequestCost {
  private let stage: Stage
  private let report: Report
  private static let warmUp = 200
  private static let requests = 1000

  init(_ stage: Stage, _ report: Report) {
    self.stage = stage
    self.report = report
  }

  func measure(size: Int, _ daemon: Daemon, _ nginx: Nginx?) throws {
    var image = TestImage(size: size)
    if Tool.find("strace") != nil {
      let hosted = try daemon.host(&image)
      let own = try calls(daemon.usage.pid, daemon.port, hosted.path)
      var peers: [Measure.Peer] = []
      var names = "assetd: \(own.names)"
      if let nginx, let worker = nginx.usage.children().first {
        let peer = try calls(worker, nginx.port, try nginx.host(hosted.file).signed)
        peers = [Measure.Peer(name: "secure_link", values: [peer.perRequest])]
        names += "; nginx: \(peer.names)"
      }
      report.add(
        Measure(
          subject: "\(size.bytesText), one by one", quantity: "system calls/request",
          own: [own.perRequest], peers: peers))
      report.note("  \(names)")
    } else {
      report.note("strace is not installed: system calls are not counted.")
    }
    try measureAllocations(&image)
  }

  // MARK: System calls

  private func calls(
    _ pid: Int32, _ port: UInt16, _ path: String
  ) throws -> (perRequest: Double, names: String) {
    let client = try LoopbackClient(port: port)
    try get(client, path, Self.warmUp)
    let table = stage.folder.appending(path: "strace")
    let log = stage.folder.appending(path: "strace.err")
    let tracer = try stage.start(
      ["strace", "-c", "-f", "-o", table.path, "-p", "\(pid)"], log: log)
    // It says so when it holds every thread.
    for _ in 0..<100 where !said(log).contains("attached") { usleep(20_000) }
    usleep(100_000)
    try get(client, path, Self.requests)
    kill(tracer.pid, SIGINT)
    _ = stage.wait(for: tracer)
    var counts: [(name: String, perRequest: Double)] = []
    // "% time  seconds  usecs/call  calls  [errors]  syscall"
    for line in said(table).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 5, let name = words.last, name != "total", let calls = Double(words[3])
      else { continue }
      counts.append((String(name), calls / Double(Self.requests)))
    }
    guard !counts.isEmpty else { throw Trouble("strace counted nothing: \(said(log))") }
    counts.sort { $0.perRequest > $1.perRequest }
    let names = counts.filter { $0.perRequest >= 0.01 }.map {
      "\($0.name) \(String(format: "%.2f", $0.perRequest))"
    }
    return (counts.reduce(0) { $0 + $1.perRequest }, names.joined(separator: ", "))
  }

  private func said(_ file: URL) -> String {
    (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }

  private func get(_ client: LoopbackClient, _ path: String, _ count: Int) throws {
    for _ in 0..<count {
      let status = try client.fetch(path).status
      guard status == 200 else { throw Trouble("A server answered \(status) to \(path).") }
    }
  }

  // MARK: Allocations

  /// A second daemon under the shim: counting would slow the first.
  private func measureAllocations(_ image: inout TestImage) throws {
    guard let shim = try Shim("allocations", Shim.allocations, on: stage) else {
      return report.note("There is no C compiler (cc): allocations are not counted.")
    }
    let counter = stage.folder.appending(path: "counter")
    try Data(count: 8).write(to: counter)
    let daemon = try Daemon(
      on: stage, environment: shim.environment.merging(["BENCH_COUNTER": counter.path]) { $1 })
    defer { daemon.stop() }
    let hosted = try daemon.host(&image)
    let client = try LoopbackClient(port: daemon.port)
    try get(client, hosted.path, Self.warmUp)
    let before = try count(counter)
    guard before > 0 else { throw Trouble("The allocation counter does not count.") }
    try get(client, hosted.path, Self.requests)
    let spent = try count(counter) - before
    report.add(
      Measure(
        subject: "\(image.size.bytesText), one by one", quantity: "allocations/request",
        own: [Double(spent) / Double(Self.requests)], target: "0.00"))
  }

  private func count(_ counter: URL) throws -> UInt64 {
    try Data(contentsOf: counter).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
