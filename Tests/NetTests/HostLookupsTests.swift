import Dispatch
import Kernel
import Synchronization
import Testing

@testable import Net

/// Look-ups whose name server is silent until a test says more.
@Suite struct HostLookupsTests {
  /// Blocks its threads, which are none of the pool's, until `open`.
  private final class Names: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let asked = Mutex<[String]>([])
    var all: [String] { asked.withLock { $0 } }

    func find(_ host: String) throws(ResolveFailure) -> [SocketAddress] {
      asked.withLock { $0.append(host) }
      if host.hasPrefix("silent") { gate.wait() }
      return [SocketAddress(.v4(0x7F00_0001, port: 0))]
    }

    func open(_ count: Int = 1) { for _ in 0..<count { gate.signal() } }
  }

  private final class Answers: Sendable {
    private let state = Mutex<[Int: Bool]>([:])
    var count: Int { state.withLock { $0.count } }
    var areGood: Bool { state.withLock { $0.values.allSatisfy { $0 } } }

    func take(_ index: Int) -> @Sendable (HostLookups.Answer) -> Void {
      { [self] answer in
        let isGood = if case .success = answer { true } else { false }
        state.withLock { $0[index] = isGood }
      }
    }
  }

  private func until(
    _ place: SourceLocation = #_sourceLocation, _ condition: () -> Bool
  ) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while !condition() {
      try #require(ContinuousClock.now < end, sourceLocation: place)
      await Task.yield()
    }
  }

  private func lookups(_ names: Names, threads: Int) throws -> HostLookups {
    try HostLookups(threads: threads, queueLimit: 8) { (host) throws(ResolveFailure) in
      try names.find(host)
    }
  }

  /// Also after a failure, when threads are still with the silent server.
  private func end(_ lookups: HostLookups, _ names: Names) {
    lookups.stop()
    names.open(1000)
  }

  @Test func aHostHasOneThread() async throws {
    let names = Names()
    let lookups = try lookups(names, threads: 2)
    defer { end(lookups, names) }
    let (answers, others) = (Answers(), Answers())
    for index in 0..<100 { _ = lookups.ask("silent", answers.take(index)) }
    _ = lookups.ask("other", others.take(0))
    try await until { others.count == 1 }
    #expect(others.areGood && answers.count == 0)
    names.open()
    try await until { answers.count == 100 }
    #expect(answers.areGood)
    #expect(names.all.sorted() == ["other", "silent"], "one look-up for all")
    _ = lookups.ask("silent", others.take(1))
    try await until { names.all.count == 3 }
    names.open()
    try await until { others.count == 2 }
  }

  @Test func whatNobodyWaitsForIsSkipped() async throws {
    let names = Names()
    let lookups = try lookups(names, threads: 1)
    defer { end(lookups, names) }
    let answers = Answers()
    _ = lookups.ask("silent", answers.take(0))
    try await until { names.all.count == 1 }
    for index in 1...5 { lookups.forget(lookups.ask("silent\(index)", answers.take(index))) }
    _ = lookups.ask("other", answers.take(6))
    names.open()
    try await until { answers.count == 2 }
    #expect(names.all == ["silent", "other"])
    // A place that was given up can be taken again.
    _ = lookups.ask("silent1", answers.take(7))
    try await until { names.all.count == 3 }
    names.open()
    try await until { answers.count == 3 }
    #expect(answers.areGood)
  }

  @Test func aFullQueueSaysSo() async throws {
    let names = Names()
    let lookups = try lookups(names, threads: 1)
    defer { end(lookups, names) }
    let (answers, refused) = (Answers(), Answers())
    for index in 0..<9 { _ = lookups.ask("silent\(index)", answers.take(index)) }
    _ = lookups.ask("silent9", refused.take(0))
    #expect(refused.count == 1 && !refused.areGood)
    names.open(9)
    try await until { answers.count == 9 }
    #expect(answers.areGood)
  }
}
