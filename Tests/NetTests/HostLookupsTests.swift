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

  private func until(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
  }

  private func lookups(_ names: Names, threads: Int) throws -> HostLookups {
    try HostLookups(threads: threads, queueLimit: 8) { (host) throws(ResolveFailure) in
      try names.find(host)
    }
  }

  @Test(.timeLimit(.minutes(2))) func aHostHasOneThread() async throws {
    let names = Names()
    let lookups = try lookups(names, threads: 2)
    let (answers, others) = (Answers(), Answers())
    for index in 0..<100 { _ = lookups.ask("silent", answers.take(index)) }
    _ = lookups.ask("other", others.take(0))
    await until { others.count == 1 }
    #expect(others.areGood && answers.count == 0)
    names.open()
    await until { answers.count == 100 }
    #expect(answers.areGood)
    #expect(names.all.sorted() == ["other", "silent"], "one look-up for all")
    _ = lookups.ask("silent", others.take(1))
    await until { names.all.count == 3 }
    names.open()
    await until { others.count == 2 }
    lookups.stop()
  }

  @Test(.timeLimit(.minutes(2))) func whatNobodyWaitsForIsSkipped() async throws {
    let names = Names()
    let lookups = try lookups(names, threads: 1)
    let answers = Answers()
    _ = lookups.ask("silent", answers.take(0))
    await until { names.all.count == 1 }
    for index in 1...5 { lookups.forget(lookups.ask("silent\(index)", answers.take(index))) }
    _ = lookups.ask("other", answers.take(6))
    names.open()
    await until { answers.count == 2 }
    #expect(names.all == ["silent", "other"])
    // A place that was given up can be taken again.
    _ = lookups.ask("silent1", answers.take(7))
    await until { names.all.count == 3 }
    names.open()
    await until { answers.count == 3 }
    #expect(answers.areGood)
    lookups.stop()
  }

  @Test(.timeLimit(.minutes(2))) func aFullQueueSaysSo() async throws {
    let names = Names()
    let lookups = try lookups(names, threads: 1)
    let (answers, refused) = (Answers(), Answers())
    for index in 0..<9 { _ = lookups.ask("silent\(index)", answers.take(index)) }
    _ = lookups.ask("silent9", refused.take(0))
    #expect(refused.count == 1 && !refused.areGood)
    names.open(9)
    await until { answers.count == 9 }
    #expect(answers.areGood)
    lookups.stop()
  }
}
