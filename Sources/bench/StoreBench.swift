// A large store: what a collection costs whoever hosts images meanwhile, and how fast it is.
internal import Foundation
internal import Kernel
internal import SQLite
internal import Synchronization
internal import Wire

/// `bench store`.
final class StoreBench: Bench {
  private let arguments: Arguments
  private let stage: Stage
  private let report: Report
  /// Clients that host images, each at its own pace.
  private static let clients = 4
  private static let imageBytes = 20 << 10

  init(_ arguments: Arguments, _ stage: Stage, _ report: Report) throws {
    self.arguments = arguments
    self.stage = stage
    self.report = report
    if !stage.hasTwoCores { report.note("One core, or no taskset: figures of nothing but noise.") }
  }

  func measure() throws {
    let root = try stage.makeFolder("large").appending(path: "store")
    try Daemon(on: stage, root: root).stop()
    let rows = arguments.rows ?? 2_000_000
    let filling = FilledCatalogue(root: root, rows: rows, expired: arguments.expired)
    try filling.fill()
    report.note(
      "\(rows) assets of \(Self.imageBytes.bytesText) without files; of them "
        + "\(arguments.expired) expire each time; \(Self.clients) clients host others.")
    try filling.expire(.spread(turn: 0))
    try measureCollection(root, "here and there", beside: true)
    try filling.expire(.spread(turn: 1))
    try measureCollection(root, "nobody beside", beside: false)
    try filling.expire(.oldest)
    try measureCollection(root, "the oldest", beside: true)
  }

  private func measureCollection(_ root: URL, _ what: String, beside isBeside: Bool) throws {
    let daemon = try Daemon(on: stage, cores: .both, root: root)
    defer { daemon.stop() }
    let subject = "expired: \(what)"
    guard isBeside else {
      let rate = try collect(root)
      return report.add(
        Measure(subject: subject, quantity: "assets/s", own: [rate], target: "≥ 10,000"))
    }
    let alone = try HostingProbe.run(
      daemon.port, clients: Self.clients, size: Self.imageBytes,
      whileDoing: {
        Thread.sleep(forTimeInterval: Double(arguments.seconds) * 5)
      }
    ).times
    let (beside, rate) = try HostingProbe.run(
      daemon.port, clients: Self.clients, size: Self.imageBytes, whileDoing: { try collect(root) })
    func add(_ quantity: String, _ target: String, _ value: ([Double]) -> Double) {
      report.add(
        Measure(
          subject: subject, quantity: quantity, own: [value(beside)],
          peers: [Measure.Peer(name: "without", values: [value(alone)])], target: target))
    }
    add("hosting p50 ms", "× ≤ 2") { $0.median }
    add("longest ms", "≤ 50") { $0.max() ?? .nan }
    report.add(Measure(subject: subject, quantity: "assets/s", own: [rate], target: "≥ 10,000"))
  }

  /// One run of the policies; assets per second.
  private func collect(_ root: URL) throws -> Double {
    let program = try Daemon.program("assetctl")
    let output = try stage.run(
      [program.path, "gc", "--policy", "expired", "--storage", root.path, "--json"], cores: .clients
    )
    let last = output.split(separator: "\n").last.map { Array($0.utf8) } ?? []
    let total = try JSONValue.parse(last.span)
    guard let assets = total["assets"]?.int, assets == arguments.expired,
      let seconds = total["seconds"]?.double, seconds > 0
    else { throw Trouble("assetctl gc did not collect what has expired: \(output)") }
    return Double(assets) / seconds
  }
}

/// Clients that host one image after the other while something else goes on.
enum HostingProbe {
  /// Milliseconds of each image, and what `body` gave.
  static func run<Value>(
    _ port: UInt16, clients: Int, size: Int, whileDoing body: () throws -> Value
  ) throws -> (times: [Double], value: Value) {
    let outcome = Outcome(ThreadSignal())
    let image = TestImage(size: size)
    for _ in 0..<clients {
      let own = image.forAnotherClient()
      try KernelThread.start(name: "client") { outcome.host(own, port) }
    }
    let value = Result { try body() }
    outcome.isOver.store(true, ordering: .relaxed)
    for _ in 0..<clients { outcome.signal.wait() }
    if let failure = outcome.failure.withLock({ $0 }) { throw failure }
    return (outcome.times.withLock { $0 }, try value.get())
  }

  private final class Outcome: Sendable {
    let signal: ThreadSignal
    let isOver = Atomic<Bool>(false)
    let times = Mutex<[Double]>([])
    let failure = Mutex<(any Error)?>(nil)

    init(_ signal: consuming ThreadSignal) { self.signal = signal }

    func host(_ image: TestImage, _ port: UInt16) {
      var image = image
      var own: [Double] = []
      do {
        let client = try LoopbackClient(port: port)
        while !isOver.load(ordering: .relaxed) {
          let start = SystemClock.monotonicNanoseconds
          try client.expect(201, "/v1/assets", "image/png", [image.nextHead(), image.rest])
          own.append(Double(SystemClock.monotonicNanoseconds - start) / 1e6)
        }
      } catch { failure.withLock { $0 = error } }
      times.withLock { $0 += own }
      signal.raise()
    }
  }
}
