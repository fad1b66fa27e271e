import Configuration
import Store
import Synchronization
import Testing
import Upstream

@testable import AssetService

/// How many calls ran at once, and how many were let in.
private final class Tally: Sendable {
  private let counts = Mutex((running: 0, most: 0, served: 0))
  var most: Int { counts.withLock { $0.most } }
  var served: Int { counts.withLock { $0.served } }

  func begin() {
    counts.withLock {
      $0.running += 1
      $0.most = max($0.most, $0.running)
    }
  }

  func end(served: Bool) {
    counts.withLock {
      $0.running -= 1
      $0.served += served ? 1 : 0
    }
  }
}

/// `max_concurrent`: calls beyond it wait for their turn, and an upstream that does not answer is
/// left alone.
@Suite struct UpstreamGatesTests {
  private static let log = LogSink.none
  private static let owner = Owner.local

  private static func upstream(
    _ name: String = "one", maxConcurrent: Int = 64
  ) -> Settings.Upstream {
    var upstream = Settings.Upstream(name: name, dialect: .sample)
    upstream.maxConcurrent = maxConcurrent
    return upstream
  }

  @Test func theNextInLineTakesThePlaceThatIsLeft() async throws {
    let gates = UpstreamGates(log: Self.log)
    let upstream = Self.upstream(maxConcurrent: 2)
    let tally = Tally()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          let pass = try? await gates.enter(upstream, for: Self.owner)
          tally.begin()
          await Task.yield()
          // The pass must not go before its end is counted.
          withExtendedLifetime(pass) { tally.end(served: pass != nil) }
        }
      }
    }
    #expect(tally.most == 2)
    #expect(tally.served == 50)
    // All places are free again.
    let passes = [
      try await gates.enter(upstream, for: Self.owner),
      try await gates.enter(upstream, for: Self.owner),
    ]
    #expect(passes.count == 2)
  }

  // MARK: The line's ends

  @Test func anOrderWhoseTimeIsOverLeavesTheLine() async throws {
    let gates = UpstreamGates(log: Self.log)
    let upstream = Self.upstream(maxConcurrent: 1)
    var running: UpstreamPass? = try await gates.enter(upstream, for: Self.owner)
    let late = Task.immediate {
      await refusal(gates, upstream) { _ = $0.finish(.late) }
    }
    let next = Task.immediate { await refusal(gates, upstream) }
    let failure = try #require(await late.value)
    #expect(failure.status == 503 && failure.code == "upstream_busy" && failure.retryAfter == 5)
    running = nil
    #expect(running == nil)
    #expect(await next.value == nil, "the place goes to one who waits still")
    #expect(await refusal(gates, upstream) == nil, "and is free again")
  }

  @Test func aPlaceWhoseTimeIsOverIsPassedOver() async throws {
    let gates = UpstreamGates(log: Self.log)
    let upstream = Self.upstream(maxConcurrent: 1)
    var running: UpstreamPass? = try await gates.enter(upstream, for: Self.owner)
    let place = Mutex<PlaceInLine?>(nil)
    let late = Task.immediate {
      await refusal(gates, upstream) { found in place.withLock { $0 = found } }
    }
    let next = Task.immediate { await refusal(gates, upstream) }
    // Its time is over once there is somebody behind it.
    #expect(place.withLock { $0 }?.finish(.late) == true)
    running = nil
    #expect(running == nil)
    // Ends the wait of whoever was not let in.
    gates.beginDraining()
    #expect(await next.value == nil)
    #expect(await late.value?.code == "upstream_busy")
  }

  @Test func placesWhoseTimeIsOverDoNotFillTheLine() async throws {
    let gates = UpstreamGates(log: Self.log)
    let upstream = Self.upstream(maxConcurrent: 1)
    let running = try await gates.enter(upstream, for: Self.owner)
    for _ in 0..<3 * UpstreamLine.mostOfOneOwner {
      #expect(await refusal(gates, upstream) { _ = $0.finish(.late) }?.retryAfter == 5)
    }
    let places = (0..<UpstreamLine.mostOfOneOwner).map { _ in
      Task.immediate { await refusal(gates, upstream) }
    }
    let full = await refusal(gates, upstream)
    #expect(full?.code == "upstream_busy")
    withExtendedLifetime(running) {}
    gates.beginDraining()
    for place in places { #expect(await place.value?.code == "shutting_down") }
  }

  @Test func theEndOfTheServiceEndsTheLine() async throws {
    let gates = UpstreamGates(log: Self.log)
    let upstream = Self.upstream(maxConcurrent: 1)
    var running: UpstreamPass? = try await gates.enter(upstream, for: Self.owner)
    let waiting = (0..<10).map { _ in Task.immediate { await refusal(gates, upstream) } }
    gates.beginDraining()
    for task in waiting {
      let failure = await task.value
      #expect(failure?.status == 503 && failure?.code == "shutting_down")
      #expect(failure?.shouldRetry == nil, "nothing was sent")
    }
    // Who would have to wait hears it at once.
    #expect(await refusal(gates, upstream) { _ = $0.finish(.late) }?.code == "shutting_down")
    running = nil
    #expect(running == nil)
    #expect(await refusal(gates, upstream) == nil, "an order that need not wait still goes")
  }

  // MARK: Owners

  /// One who has sent a hundred orders before another sent one: they take turns from then on.
  @Test func ownersTakeTurns() throws {
    let owners = try ["a", "b", "c"].map { try #require(Owner($0)) }
    var line = UpstreamLine()
    var names: [ObjectIdentifier: String] = [:]
    func join(_ index: Int) {
      guard let place = line.join(owners[index]) else { return }
      names[ObjectIdentifier(place)] = owners[index].name
    }
    for _ in 0..<100 { join(0) }
    for index in [1, 2, 1] { join(index) }
    var order = ""
    var kept: [PlaceInLine] = []
    while let place = line.next() {
      kept.append(place)
      order += names[ObjectIdentifier(place)] ?? "?"
      if kept.count == 6 { join(2) }
    }
    #expect(order.prefix(12) == "abcabaacaaaa", "\(order)")
    #expect(order.count == 104)
  }

  @Test func oneOwnerDoesNotHaveAllPlaces() async throws {
    let gates = UpstreamGates(log: Self.log)
    let upstream = Self.upstream(maxConcurrent: 1)
    let other = try #require(Owner("other"))
    let running = try await gates.enter(upstream, for: Self.owner)
    let own = (0..<UpstreamLine.mostOfOneOwner).map { _ in
      Task.immediate { await refusal(gates, upstream) }
    }
    #expect(await refusal(gates, upstream)?.code == "upstream_busy")
    let others = (0..<UpstreamLine.longest - own.count).map { _ in
      Task.immediate { await refusal(gates, upstream, for: other) }
    }
    #expect(!others.isEmpty)
    #expect(await refusal(gates, upstream, for: other)?.code == "upstream_busy", "all are taken")
    withExtendedLifetime(running) {}
    gates.beginDraining()
    for task in own + others { #expect(await task.value?.code == "shutting_down") }
  }

  // MARK: The circuit (PROMISES.md, O5)

  private static let dead = UpstreamFailure(.unreachable, "refused")
  private static let second: Int64 = 1_000_000_000

  /// What a call hears that may not go; `nil` when it may.
  private func refusal(
    _ gates: UpstreamGates, _ upstream: Settings.Upstream, for owner: Owner? = nil,
    timer: (PlaceInLine) -> Void = { _ in }
  ) async -> Failure? {
    do throws(Failure) {
      _ = try await gates.enter(upstream, for: owner ?? Self.owner, timer: timer)
      return nil
    } catch {
      return error
    }
  }

  @Test func whoDoesNotAnswerIsLeftAloneForLongerAndLonger() async throws {
    let clock = Atomic<Int64>(0)
    let gates = UpstreamGates(log: Self.log) { clock.load(ordering: .relaxed) }
    let upstream = Self.upstream()
    for _ in 1..<CircuitBreaker.threshold {
      try await gates.enter(upstream, for: Self.owner).failed(Self.dead)
    }
    // The fifth, and two that are under way at that moment.
    let last = try await [
      gates.enter(upstream, for: Self.owner), gates.enter(upstream, for: Self.owner),
      gates.enter(upstream, for: Self.owner),
    ]
    for pass in last { pass.failed(Self.dead) }
    let straggler = last[2]
    for seconds: Int64 in [10, 20, 40, 80, 120, 120] {
      clock.add(1, ordering: .relaxed)
      let failure = try #require(await refusal(gates, upstream))
      #expect(failure.status == 503 && failure.code == "upstream_unavailable")
      #expect(failure.retryAfter == Int(seconds), "rounded up")
      clock.add(seconds * Self.second - 2, ordering: .relaxed)
      #expect(await refusal(gates, upstream)?.retryAfter == 1)
      clock.add(1, ordering: .relaxed)
      straggler.failed(Self.dead)
      #expect(await refusal(gates, upstream) == nil, "nothing newer has failed")
      try await gates.enter(upstream, for: Self.owner).failed(Self.dead)
    }
    // Another upstream has a circuit of its own.
    #expect(await refusal(gates, Self.upstream("two")) == nil)
    clock.add(120 * Self.second, ordering: .relaxed)
    try await gates.enter(upstream, for: Self.owner).answered()
    for _ in 1..<CircuitBreaker.threshold {
      try await gates.enter(upstream, for: Self.owner).failed(Self.dead)
    }
    #expect(await refusal(gates, upstream) == nil, "all is forgotten")
  }

  @Test func ourOwnShortageSaysNothingOfIt() async throws {
    let gates = UpstreamGates(log: Self.log)
    for _ in 0..<20 {
      try await gates.enter(Self.upstream(), for: Self.owner).failed(
        UpstreamFailure(.exhausted, "no descriptor"))
    }
    #expect(await refusal(gates, Self.upstream()) == nil)
  }

  @Test func anErrorIsAnAnswerToo() async throws {
    let gates = UpstreamGates(log: Self.log)
    let upstream = Self.upstream()
    var refused = UpstreamFailure(.contentPolicy, "no")
    refused.status = 400
    for _ in 0..<3 {
      for _ in 1..<CircuitBreaker.threshold {
        try await gates.enter(upstream, for: Self.owner).failed(Self.dead)
      }
      try await gates.enter(upstream, for: Self.owner).failed(refused)
    }
    #expect(await refusal(gates, upstream) == nil)
  }

  @Test func whoWaitsInLineIsRefusedThen() async throws {
    // The pause must not end before the last of them looks.
    let gates = UpstreamGates(log: Self.log) { 0 }
    let upstream = Self.upstream(maxConcurrent: 1)
    var running: UpstreamPass? = try await gates.enter(upstream, for: Self.owner)
    // Each runs on this thread up to its place in the line.
    let waiting = (0..<10).map { _ in Task.immediate { await refusal(gates, upstream) } }
    for _ in 0..<CircuitBreaker.threshold { running?.failed(Self.dead) }
    running = nil
    for task in waiting { #expect(await task.value?.code == "upstream_unavailable") }
  }
}
