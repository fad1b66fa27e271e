internal import Configuration
internal import Kernel
internal import Synchronization
internal import Upstream
internal import Wire

/// Who may call which upstream, over all loops: calls beyond `max_concurrent` wait in line, and one
/// that does not answer is left alone for a while.
final class UpstreamGates: Sendable {
  private struct Line {
    var running = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var circuit = CircuitBreaker()
  }
  private let lines = Mutex<[String: Line]>([:])
  private let log: LogSink
  /// For `/metrics`.
  let counters = UpstreamCounters()
  private let now: @Sendable () -> Int64
  /// A line that is longer says so at once instead.
  ///
  /// Shorter than the number of orders that may run at once (`ServiceLimits.generations`): one
  /// upstream that is slow leaves room for the orders of others.
  static let longestLine = 256

  /// - Parameter now: the monotonic clock, in nanoseconds.
  init(
    log: LogSink, now: @escaping @Sendable () -> Int64 = { SystemClock.monotonicNanoseconds }
  ) {
    self.log = log
    self.now = now
  }

  /// Comes back when it is this call's turn.
  ///
  /// - Throws: at once when the line is full; also after a wait when the upstream does not answer.
  func enter(_ upstream: Settings.Upstream) async throws(Failure) -> UpstreamPass {
    let name = upstream.name
    try refusePaused(name)
    let mayGo = lines.withLock { lines in
      if lines[name, default: Line()].running < upstream.maxConcurrent {
        lines[name, default: Line()].running += 1
        return true as Bool?
      }
      return lines[name, default: Line()].waiting.count < Self.longestLine ? false : nil
    }
    guard let mayGo else { throw .upstreamBusy(name) }
    if !mayGo { await wait(upstream) }
    let pass = UpstreamPass(name, self, enteredAt: now())
    // Those before it may have shown meanwhile that it is of no use.
    if !mayGo { try refusePaused(name) }
    return pass
  }

  private func refusePaused(_ name: String) throws(Failure) {
    let time = now()
    let found = lines.withLock { lines -> (pause: Int64, failures: Int)? in
      guard let circuit = lines[name]?.circuit, let pause = circuit.pause(at: time) else {
        return nil
      }
      return (pause, circuit.failures)
    }
    guard let found else { return }
    throw .upstreamUnavailable(name, failures: found.failures, nanoseconds: found.pause)
  }

  private func wait(_ upstream: Settings.Upstream) async {
    await withCheckedContinuation { continuation in
      let mayGo = lines.withLock { lines in
        // A call may have ended since `enter` looked.
        if lines[upstream.name, default: Line()].running < upstream.maxConcurrent {
          lines[upstream.name, default: Line()].running += 1
          return true
        }
        lines[upstream.name, default: Line()].waiting.append(continuation)
        return false
      }
      if mayGo { continuation.resume() }
    }
  }

  /// The next in line takes the place, or it is free.
  fileprivate func leave(_ name: String) {
    let next = lines.withLock { lines -> CheckedContinuation<Void, Never>? in
      guard lines[name]?.waiting.isEmpty == false else {
        lines[name]?.running -= 1
        return nil
      }
      return lines[name]?.waiting.removeFirst()
    }
    next?.resume()
  }

  fileprivate func answered(_ name: String) {
    guard lines.withLock({ $0[name]?.circuit.answered() }) == true else { return }
    log.event(.info, "an upstream answers again", .init(name: "upstream", value: .string(name)))
  }

  fileprivate func failed(_ name: String, _ failure: UpstreamFailure, enteredAt entry: Int64) {
    let time = now()
    let pause = lines.withLock { $0[name]?.circuit.failed(enteredAt: entry, at: time) }
    guard let pause else { return }
    log.event(
      .warning, "an upstream does not answer and is left alone",
      .init(name: "upstream", value: .string(name)),
      .init(name: "seconds", value: .number(JSONNumber(pause / 1_000_000_000))),
      .init(name: "reason", value: .string("\(failure.kind)")))
  }
}

/// One running call of an upstream; it counts until the last reference to this goes.
final class UpstreamPass: Sendable {
  private let name: String
  private let gates: UpstreamGates
  private let entry: Int64
  private let count: CountedCall

  init(_ name: String, _ gates: UpstreamGates, enteredAt entry: Int64) {
    self.name = name
    self.gates = gates
    self.entry = entry
    count = CountedCall(name, gates.counters)
  }

  /// The whole answer has come.
  func answered() {
    count.end("answered")
    gates.answered(name)
  }

  /// There is no answer, or it says that there is no image.
  func failed(_ failure: UpstreamFailure) {
    count.end("\(failure.kind)")
    if failure.isOutage { return gates.failed(name, failure, enteredAt: entry) }
    if failure.status != nil { gates.answered(name) }
  }

  deinit { gates.leave(name) }
}
