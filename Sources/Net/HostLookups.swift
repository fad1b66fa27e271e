// getaddrinfo(3) can not be interrupted, and a silent name server holds its thread for many
// seconds: so a host has one thread at most, and none for what nobody waits for any more.
public import Kernel
internal import Synchronization

/// Look-ups of hosts on threads of their own, over all loops. Who asks for a host that is being
/// looked up gets that answer.
public final class HostLookups: Sendable {
  /// Finds the addresses of a host, whatever their ports; blocks.
  public typealias Find = @Sendable (String) throws(ResolveFailure) -> [SocketAddress]

  /// What a look-up came to; `nil` when it could not even be begun.
  typealias Answer = Result<[SocketAddress], ResolveFailure>?

  /// One who waits.
  struct Ticket: Hashable, Sendable {
    fileprivate let host: String
    fileprivate let number: Int
  }

  private struct State {
    /// Who waits, by the host; a host is here until its look-up is over, also when nobody waits.
    var inquiries: [String: [Int: @Sendable (Answer) -> Void]] = [:]
    var next = 0
  }
  private let state = Mutex(State())
  private let workers: Workers
  private let find: Find

  /// Starts `threads` threads; at most `queueLimit` hosts wait for one.
  public init(
    threads: Int, queueLimit: Int,
    find: @escaping Find = { (host) throws(ResolveFailure) in
      try Resolver.addresses(of: host, port: 0)
    }
  ) throws(Errno) {
    workers = try Workers(threads: threads, queueLimit: queueLimit)
    self.find = find
  }

  /// Lets the threads end; what is asked later can not be begun.
  public func stop() { workers.stop() }

  /// Tells `answer` the addresses of a host, on any thread, unless it is forgotten before.
  func ask(_ host: String, _ answer: @escaping @Sendable (Answer) -> Void) -> Ticket {
    let (ticket, isFirst) = state.withLock { state in
      state.next += 1
      let isFirst = state.inquiries[host] == nil
      state.inquiries[host, default: [:]][state.next] = answer
      return (Ticket(host: host, number: state.next), isFirst)
    }
    if isFirst, !workers.start({ [self] in lookUp(host) }) { tell(nil, host) }
    return ticket
  }

  /// Nobody waits for that answer any more.
  func forget(_ ticket: Ticket) {
    state.withLock { $0.inquiries[ticket.host]?[ticket.number] = nil }
  }

  private func lookUp(_ host: String) {
    let isWanted = state.withLock { state in
      if state.inquiries[host]?.isEmpty == false { return true }
      state.inquiries[host] = nil
      return false
    }
    guard isWanted else { return }
    let answer: Result<[SocketAddress], ResolveFailure>
    do throws(ResolveFailure) { answer = .success(try find(host)) } catch {
      answer = .failure(error)
    }
    tell(answer, host)
  }

  private func tell(_ answer: Answer, _ host: String) {
    let waiting = state.withLock { $0.inquiries.removeValue(forKey: host) }
    for tell in (waiting ?? [:]).values { tell(answer) }
  }
}
