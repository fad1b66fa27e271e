// What others wait while one peer is hostile: each shape is sent by two clients at a time, and a
// probe asks for something small on new connections, so that every loop is met.
internal import Foundation
internal import Kernel
internal import Synchronization

/// `bench waiting`.
final class WaitingBench: Bench {
  private let arguments: Arguments
  private let stage: Stage
  private let report: Report
  private static let attackers = 2
  private static let assets = 2000
  /// Rows of the catalogue, for what lists look at.
  private static let rows = 200_000

  init(_ arguments: Arguments, _ stage: Stage, _ report: Report) {
    self.arguments = arguments
    self.stage = stage
    self.report = report
    if !stage.hasTwoCores { report.note("One core, or no taskset: figures of nothing but noise.") }
    report.note("A probe's waiting in ms; attackers and probe share a core with one of two loops.")
  }

  func measure() throws {
    let upstream = try HostileUpstream.start()
    let overTLS = try HostileTLS(stage)
    let root = try stage.makeFolder("filled").appending(path: "store")
    try Daemon(on: stage, root: root).stop()
    let rows = arguments.rows ?? Self.rows
    try FilledCatalogue(root: root, rows: rows, expired: 0, owners: .local).fill()
    report.note("\(rows) assets without files are there for lists.")
    let daemon = try Daemon(
      on: stage, cores: .both, environment: ["SSL_CERT_FILE": overTLS.certificate.path],
      configuration: """
        upstreams: [ { name: "hostile", dialect: "openai", max_concurrent: 64,
                       base_url: "http://127.0.0.1:\(upstream.port)/v1" },
                     { name: "hostile-tls", dialect: "openai", max_concurrent: 64,
                       base_url: "https://127.0.0.1:\(overTLS.port)/v1" } ],
        models: [ { id: "hostile", upstream: "hostile", timeout: "20s" },
                  { id: "hostile-tls", upstream: "hostile-tls", timeout: "20s" } ]
        """, root: root)
    defer { daemon.stop() }
    _ = try Crowd(clients: 8, each: Self.assets / 8).run(daemon.port, TestImage(size: 4096))
    try measure("nobody", daemon.port) { _ in usleep(10_000) }
    for shape in HostileShape.all { try measure(shape.name, daemon.port, shape.attack) }
  }

  private func measure(
    _ subject: String, _ port: UInt16, _ attack: @escaping @Sendable (UInt16) throws -> Void
  ) throws {
    var waits: [Double] = []
    for _ in 0..<arguments.runs {
      let attackers = try Attackers(Self.attackers, port, attack)
      waits += try probe(port)
      attackers.stop()
    }
    waits.sort()
    let name = String(subject.prefix(30))
    report.add(Measure(subject: name, quantity: "p50", own: [waits[waits.count / 2]]))
    report.add(
      Measure(subject: name, quantity: "p99", own: [waits[waits.count * 99 / 100]], target: "≤ 20"))
    report.add(
      Measure(subject: name, quantity: "longest", own: [waits[waits.count - 1]], target: "≤ 100"))
  }

  /// Milliseconds of each small request for the seconds of a run.
  private func probe(_ port: UInt16) throws -> [Double] {
    var waits: [Double] = []
    let end = SystemClock.monotonicNanoseconds + Int64(arguments.seconds) * 1_000_000_000
    while SystemClock.monotonicNanoseconds < end {
      let start = SystemClock.monotonicNanoseconds
      let answer = try LoopbackClient(port: port).fetch("/healthz")
      guard answer.status == 200 else { throw Trouble("/healthz answered \(answer.status).") }
      waits.append(Double(SystemClock.monotonicNanoseconds - start) / 1e6)
      usleep(1000)
    }
    return waits
  }

  /// Clients that repeat an attack until they are stopped.
  private final class Attackers: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let ended: ThreadSignal
    private let count: Int

    init(
      _ count: Int, _ port: UInt16, _ attack: @escaping @Sendable (UInt16) throws -> Void
    ) throws {
      self.count = count
      ended = ThreadSignal()
      for _ in 0..<count {
        try KernelThread.start(name: "attacker") { [self] in
          while !isStopped.load(ordering: .relaxed) {
            // One that is turned away begins anew: it is the probe that is measured.
            do { try attack(port) } catch { usleep(1000) }
          }
          ended.raise()
        }
      }
    }

    func stop() {
      isStopped.store(true, ordering: .relaxed)
      for _ in 0..<count { ended.wait() }
    }
  }
}
