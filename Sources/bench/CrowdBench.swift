// Whether each answer reaches its own client, in the build that is delivered: many clients at once,
// over every route. The same crowd as the tests', which run without optimizations.
internal import Foundation
internal import Kernel
internal import Synchronization
internal import Wire

/// `bench crowd`.
final class CrowdBench: Bench {
  private let arguments: Arguments
  private let stage: Stage
  private let report: Report
  private static let clients = 64
  /// How often each of them goes over all routes in one run.
  private static let rounds = 4
  /// An answer that never comes is a wrong one, after so many milliseconds.
  private static let patience: Int32 = 300_000

  init(_ arguments: Arguments, _ stage: Stage, _ report: Report) {
    self.arguments = arguments
    self.stage = stage
    self.report = report
  }

  func measure() throws {
    let upstream = try LocalServer(Self.answer)
    let daemon = try Daemon(
      on: stage, cores: .both,
      configuration: """
        auth: { mode: "keys" }, limits: { image_bytes: "1MiB" },
        upstreams: [ { name: "crowd", dialect: "openai", max_concurrent: 64,
                       base_url: "http://127.0.0.1:\(upstream.port)/v1" } ],
        models: [ { id: "crowd", upstream: "crowd", expected_bytes: "64KiB" } ]
        """)
    defer { daemon.stop() }
    let keys = try (0..<Self.clients).map { try key("c\($0)", daemon) }
    let members = try keys.enumerated().map {
      try CrowdMember($0.offset, key: $0.element, port: daemon.port)
    }
    let start = SystemClock.monotonicNanoseconds
    let answers = try run(members)
    let seconds = Double(SystemClock.monotonicNanoseconds - start) / 1e9
    report.add(
      Measure(
        subject: "\(Self.clients) clients", quantity: "right answers/s",
        own: [Double(answers) / seconds]))
  }

  /// Lets all of them go; how many answers there were.
  private func run(_ members: [CrowdMember]) throws -> Int {
    let outcome = Outcome(ThreadSignal())
    let rounds = arguments.runs * Self.rounds
    for member in members {
      try KernelThread.start(name: "client", isAwaited: false) {
        outcome.end { try member.run(rounds) }
      }
    }
    for _ in members where !outcome.signal.wait(milliseconds: Self.patience) {
      throw WrongAnswer("An answer did not come, or not all of it.")
    }
    if let failure = outcome.failure.withLock({ $0 }) { throw failure }
    return outcome.answers.load(ordering: .relaxed)
  }

  private func key(_ name: String, _ daemon: Daemon) throws -> String {
    let line = try stage.run(
      [
        try Daemon.program("assetctl").path, "keys", "create", "--name", name, "--json",
        "--storage", daemon.root.path,
      ])
    guard let key = try JSONValue.parse(Array(line.utf8).span)["key"]?.string else {
      throw Trouble("assetctl made no key: \(line)")
    }
    return key
  }

  /// An upstream that answers each order with the images of its prompt.
  @Sendable private static func answer(_ peer: RawConnection) {
    while let order = try? HTTPAnswer.read(from: peer),
      let json = try? JSONValue.parse(order.body.span), let prompt = json["prompt"]?.string,
      let image = CrowdImage.named(prompt)
    {
      let item = "{\"b64_json\":\"\(Base64.encode(image.span))\",\"revised_prompt\":\"\(prompt)\"}"
      let data = Array(repeating: item, count: json["n"]?.int ?? 1).joined(separator: ",")
      let body = "{\"created\":1,\"data\":[\(data)],\"usage\":{\"of\":\"\(prompt)\"}}"
      let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n"
      guard peer.send(head + body) else { return }
    }
  }

  private final class Outcome: Sendable {
    let signal: ThreadSignal
    let answers = Atomic<Int>(0)
    let failure = Mutex<(any Error)?>(nil)

    init(_ signal: consuming ThreadSignal) { self.signal = signal }

    func end(_ body: () throws -> Int) {
      do { answers.wrappingAdd(try body(), ordering: .relaxed) } catch {
        failure.withLock { $0 = $0 ?? error }
      }
      signal.raise()
    }
  }
}

/// An answer that was not its client's, or not whole.
struct WrongAnswer: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
