internal import Configuration
internal import Kernel
internal import Store
internal import Synchronization
internal import Upstream
internal import Wire

/// Who may call which upstream, over all loops: calls beyond `max_concurrent` wait in line, and one
/// that does not answer is left alone for a while.
///
///     enter ──► running ──► leave             the next in line that still waits takes the place
///       └─────► in line ──► running
///                  └──► its time is over, or the service ends: nothing is sent
final class UpstreamGates: Sendable {
  private struct Line {
    var running = 0
    var waiting = UpstreamLine()
    var circuit = CircuitBreaker()
  }
  private struct State {
    var lines: [String: Line] = [:]
    /// Nobody gets a place in line any more.
    var isDraining = false
  }
  /// What `enter` found.
  private enum Entry {
    case mayGo
    case mustWait(PlaceInLine)
    case isFull
    case isDraining
  }
  private let state = Mutex(State())
  private let log: LogSink
  /// For `/metrics`.
  let counters = UpstreamCounters()
  private let now: @Sendable () -> Int64

  /// - Parameter now: the monotonic clock, in nanoseconds.
  init(
    log: LogSink, now: @escaping @Sendable () -> Int64 = { SystemClock.monotonicNanoseconds }
  ) {
    self.log = log
    self.now = now
  }

  /// Comes back when it is this call's turn.
  ///
  /// - Parameters:
  ///   - owner: whose order it is; owners that wait take turns.
  ///   - timer: gets the place in line if there is one to wait in; it ends the wait with `.late`
  ///     when the order's time is over.
  /// - Throws: at once when the line is full; also after a wait when the upstream does not answer,
  ///   when the time is over, and when the service ends.
  func enter(
    _ upstream: Settings.Upstream, for owner: Owner,
    timer: (PlaceInLine) -> Void = { _ in }
  ) async throws(Failure) -> UpstreamPass {
    let name = upstream.name
    try refusePaused(name)
    switch entry(upstream, owner) {
    case .mayGo: return UpstreamPass(name, self, enteredAt: now())
    case .isFull: throw .upstreamBusy(name)
    case .isDraining: throw .ending
    case .mustWait(let place):
      timer(place)
      let end = await place.wait()
      switch end {
      case .turn: break
      case .late: throw .lateInLine(name)
      case .draining: throw .ending
      }
      let pass = UpstreamPass(name, self, enteredAt: now())
      // Those before it may have shown meanwhile that it is of no use.
      try refusePaused(name)
      return pass
    }
  }

  private func entry(_ upstream: Settings.Upstream, _ owner: Owner) -> Entry {
    state.withLock { state in
      var line = state.lines[upstream.name, default: Line()]
      defer { state.lines[upstream.name] = line }
      if line.running < upstream.maxConcurrent {
        line.running += 1
        return .mayGo
      }
      if state.isDraining { return .isDraining }
      return line.waiting.join(owner).map { .mustWait($0) } ?? .isFull
    }
  }

  /// Whether the service ends.
  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// The service ends: orders in line are not sent any more, nor are those that would have to wait.
  func beginDraining() {
    let waiting = state.withLock { state in
      state.isDraining = true
      return state.lines.keys.flatMap { state.lines[$0]?.waiting.removeAll() ?? [] }
    }
    for place in waiting { _ = place.finish(.draining) }
  }

  private func refusePaused(_ name: String) throws(Failure) {
    let time = now()
    let found = state.withLock { state -> (pause: Int64, failures: Int)? in
      guard let circuit = state.lines[name]?.circuit, let pause = circuit.pause(at: time) else {
        return nil
      }
      return (pause, circuit.failures)
    }
    guard let found else { return }
    throw .upstreamUnavailable(name, failures: found.failures, nanoseconds: found.pause)
  }

  /// The next in line takes the place, or it is free.
  fileprivate func leave(_ name: String) {
    while true {
      let next = state.withLock { state -> PlaceInLine? in
        if let place = state.lines[name]?.waiting.next() { return place }
        state.lines[name]?.running -= 1
        return nil
      }
      guard let next else { return }
      // One whose time was over meanwhile does not take it.
      if next.finish(.turn) { return }
    }
  }

  fileprivate func answered(_ name: String) {
    guard state.withLock({ $0.lines[name]?.circuit.answered() }) == true else { return }
    log.event(.info, "an upstream answers again", .init(name: "upstream", value: .string(name)))
  }

  fileprivate func failed(_ name: String, _ failure: UpstreamFailure, enteredAt entry: Int64) {
    let time = now()
    let pause = state.withLock {
      $0.lines[name]?.circuit.failed(enteredAt: entry, at: time)
    }
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
