// Resolving off the loop, within a deadline: getaddrinfo(3) can not be interrupted, so a late
// answer finds that nobody waits for it.
internal import Kernel

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
  private let workers: Workers
  private let clock: LoopClock

  /// A resolver whose look-ups block threads of `workers`: better not those that write files, since
  /// a silent name server holds one for many seconds.
  public init(workers: Workers, clock: LoopClock) {
    self.workers = workers
    self.clock = clock
  }

  /// The addresses of a host, with `port`. A literal is its own address, at once.
  public func look(
    up host: String, port: UInt16, until deadline: Int64, on loop: isolated EventLoop
  ) async -> HostLookup {
    if let literal = Resolver.literal(host, port: port) { return .found([Peer(literal)]) }
    return await withCheckedContinuation { continuation in
      let race = Race(continuation)
      let alarm = clock.call(at: deadline, on: loop) { race.finish(.late) }
      let (workers, clock) = (workers, clock)
      Task {
        _ = loop
        // Without the preference the task would come back by way of the concurrency runtime's pool.
        let lookup = await withTaskExecutorPreference(loop.executor) {
          await Self.ask(workers, host, port)
        }
        clock.forget(alarm)
        race.finish(lookup)
      }
    }
  }

  private static func ask(_ workers: Workers, _ host: String, _ port: UInt16) async -> HostLookup {
    do {
      let addresses = try await workers.run { try Resolver.addresses(of: host, port: port) }
      return .found(addresses.map { Peer($0) })
    } catch is WorkersBusy {
      return .busy
    } catch {
      return .failed("\(error)")
    }
  }

  /// The first of two answers counts.
  private final class Race {
    private var continuation: CheckedContinuation<HostLookup, Never>?

    init(_ continuation: CheckedContinuation<HostLookup, Never>) {
      self.continuation = continuation
    }

    func finish(_ lookup: HostLookup) {
      continuation?.resume(returning: lookup)
      continuation = nil
    }
  }
}
