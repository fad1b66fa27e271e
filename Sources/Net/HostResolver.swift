// Resolving off the loop, within a deadline: getaddrinfo(3) can not be interrupted, so a late
// answer finds that nobody waits for it.
internal import Kernel
internal import Synchronization

/// What looking up a host came to.
public enum HostLookup: Sendable {
  /// Its addresses, in the order in which to try them; never none.
  case found([Peer])
  /// There are none, or nobody could say; for an operator.
  case failed(String)
  /// Too many others wait for an answer.
  case busy
  /// No answer before the deadline.
  case late
}

/// Looks up hosts for one loop.
public final class HostResolver {
  private let lookups: HostLookups
  private let clock: LoopClock

  /// A resolver that asks `lookups`.
  public init(lookups: HostLookups, clock: LoopClock) {
    self.lookups = lookups
    self.clock = clock
  }

  /// The addresses of a host, with `port`. A literal is its own address, at once.
  public func look(
    up host: String, port: UInt16, until deadline: Int64, on loop: isolated EventLoop
  ) async -> HostLookup {
    if let literal = Resolver.literal(host, port: port) { return .found([Peer(literal)]) }
    let race = Race()
    let alarm = clock.call(at: deadline, on: loop) { race.finish(.late) }
    let ticket = lookups.ask(host) { answer in
      switch answer {
      case .success(let found): race.finish(.found(found.map { Peer($0.with(port: port)) }))
      case .failure(let failure): race.finish(.failed("\(failure)"))
      case nil: race.finish(.busy)
      }
    }
    let lookup = await race.end()
    clock.forget(alarm)
    lookups.forget(ticket)
    return lookup
  }

  /// The first of two answers counts.
  private final class Race: Sendable {
    private struct State {
      var lookup: HostLookup?
      var waiter: CheckedContinuation<HostLookup, Never>?
    }
    private let state = Mutex(State())

    func finish(_ lookup: HostLookup) {
      let waiter = state.withLock { state -> CheckedContinuation<HostLookup, Never>? in
        guard state.lookup == nil else { return nil }
        state.lookup = lookup
        return state.waiter.take()
      }
      waiter?.resume(returning: lookup)
    }

    func end() async -> HostLookup {
      await withCheckedContinuation { continuation in
        let lookup = state.withLock { state in
          if state.lookup == nil { state.waiter = continuation }
          return state.lookup
        }
        if let lookup { continuation.resume(returning: lookup) }
      }
    }
  }
}
