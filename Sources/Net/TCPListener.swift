// Accepting connections within limits. What is over the limit waits in the kernel's queue; what is
// over one address's share is closed at once; without a descriptor left, one is kept back to say
// so.
public import Kernel
internal import Synchronization

/// How many connections there may be, in all and from one address; shared by all loops.
public final class Admission: Sendable {
  private let limit: Int
  private let limitPerAddress: Int
  private let count = Atomic<Int>(0)
  private let perAddress = Mutex<[UInt64: Int]>([:])

  /// At most `limit` connections, `limitPerAddress` of one address.
  public init(limit: Int, limitPerAddress: Int) {
    self.limit = limit
    self.limitPerAddress = limitPerAddress
  }

  /// Connections now.
  public var current: Int { count.load(ordering: .relaxed) }
  var isFull: Bool { current >= limit }

  /// Admits one connection, or not; `isExempt` passes the share of one address.
  func admit(_ peer: Peer, isExempt: Bool) -> Bool {
    // Two loops may have seen the same last place: the second connection is one too many.
    guard count.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
      count.wrappingSubtract(1, ordering: .relaxed)
      return false
    }
    if !isExempt {
      let fits = perAddress.withLock { all in
        guard all[peer.key, default: 0] < limitPerAddress else { return false }
        all[peer.key, default: 0] += 1
        return true
      }
      guard fits else {
        count.wrappingSubtract(1, ordering: .relaxed)
        return false
      }
    }
    return true
  }

  /// Gives back what `admit` took.
  public func release(_ peer: Peer, isExempt: Bool) {
    count.wrappingSubtract(1, ordering: .relaxed)
    guard !isExempt else { return }
    perAddress.withLock { all in
      let left = all[peer.key, default: 1] - 1
      all[peer.key] = left > 0 ? left : nil
    }
  }
}

/// Where a listener is bound.
public typealias Endpoint = SocketAddress

/// Takes over accepted connections, on the loop that accepted them.
public protocol TCPAcceptor: AnyObject {
  /// A connection came; `isExempt` is what `Admission.release` must be told when it ends.
  func accepted(
    _ stream: consuming TCPStream, from peer: Peer, isExempt: Bool, on loop: isolated EventLoop)
}

/// Accepts on one loop.
public final class TCPListener: Channel {
  private static let retryNanoseconds: Int64 = 50_000_000
  /// So many connections may wait to be accepted.
  private static let backlog = 4096
  /// One turn accepts at most so many, so that a burst does not hold up the connected.
  private static let acceptsPerTurn = 64

  /// Where it listens, with the real port when 0 was asked.
  public let endpoint: Endpoint
  private var socket: StreamSocket?
  private var id: ChannelID?
  private var spare: OwnedFileDescriptor?
  private let admission: Admission
  private let isExempt: (Peer) -> Bool
  private var acceptor: (any TCPAcceptor)?
  /// Whether a look after a pause is due: edges in the meantime must not add looks of their own.
  private var isPaused = false
  /// Whether the loop has been asked for a turn: one is enough.
  private var isTurnDue = false

  /// Clears a path of what an ended daemon left there; one that is listened on is EADDRINUSE, and
  /// other endpoints have no name to clear.
  public static func clearStaleName(of endpoint: Endpoint) throws(Errno) {
    try StreamSocket.clearStaleName(of: endpoint)
  }

  /// Whether several loops can listen there.
  public static func canShare(_ endpoint: Endpoint) -> Bool {
    if case .path = endpoint.form { false } else { true }
  }

  /// Binds and listens; `joining` says that another loop's listener of ours opened the port. It
  /// asks `admission`; peers that `isExempt` names pass the share of one address.
  public init(
    _ endpoint: Endpoint, joining: Bool = false, admission: Admission,
    isExempt: @escaping (Peer) -> Bool, acceptor: any TCPAcceptor
  ) throws(Errno) {
    let canShare = Self.canShare(endpoint)
    let socket = try StreamSocket.listen(
      on: endpoint, sharing: canShare ? joining ? .further : .first : .none)
    self.endpoint = canShare ? try socket.localAddress() : endpoint
    self.socket = .some(socket)
    self.admission = admission
    self.isExempt = isExempt
    self.acceptor = acceptor
  }

  /// Begins to accept.
  public func start(on loop: isolated EventLoop) throws(Errno) {
    spare = try? WakeBell().intoDescriptor()
    guard let number = socket?.number else { return }
    id = try loop.addReadOnly(self, descriptor: number)
  }

  /// Accepts what the kernel has already taken in, then stops: closing the socket would reset those
  /// connections (listen(2), the queue of completed ones).
  public func drain(on loop: isolated EventLoop) {
    var left = Self.backlog
    while left > 0, acceptOne(on: loop) { left -= 1 }
    stop(on: loop)
  }

  /// Closes the socket: the kernel refuses what comes from now on.
  public func stop(on loop: isolated EventLoop) {
    if let id { loop.remove(id) }
    id = nil
    socket = nil
    spare = nil
    acceptor = nil
  }

  /// The loop ends: so does listening.
  public func loopEnded(_ loop: isolated EventLoop) { stop(on: loop) }

  /// Accepts what waits.
  public func ready(_ readiness: Readiness, on loop: isolated EventLoop) {
    // An edge while a turn is due adds none: the turns of a flood would add up.
    if readiness.isOwnTurn { isTurnDue = false } else if isTurnDue { return }
    guard let id, !isPaused else { return }
    for _ in 0..<Self.acceptsPerTurn {
      guard acceptOne(on: loop) else { return }
    }
    isTurnDue = true
    loop.yield(id)
  }

  /// Accepts one connection; `false` when none waits, or none may be accepted now.
  private func acceptOne(on loop: isolated EventLoop) -> Bool {
    guard !admission.isFull else {
      pause(on: loop)
      return false
    }
    var address = SocketAddress(.path(""))
    do throws(Errno) {
      guard let accepted = try socket?.accept(&address) else { return false }
      take(TCPStream(accepted), Peer(address), on: loop)
    } catch {
      if error.isNoDescriptor { shedOne() }
      if error.isOfOneConnection { return true }
      pause(on: loop)
      return false
    }
    return true
  }

  private func pause(on loop: isolated EventLoop) {
    guard let id else { return }
    isPaused = true
    loop.schedule(id, at: loop.now + Self.retryNanoseconds)
  }

  /// Looks again after a pause.
  public func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? {
    isPaused = false
    ready(.all, on: loop)
    return nil
  }

  private func take(_ stream: consuming TCPStream, _ peer: Peer, on loop: isolated EventLoop) {
    let exempt = isExempt(peer)
    guard let acceptor, admission.admit(peer, isExempt: exempt) else { return }
    acceptor.accepted(stream, from: peer, isExempt: exempt, on: loop)
  }

  /// Without a descriptor to accept with, a waiting client would hang: the spare one is given up to
  /// accept and close it.
  private func shedOne() {
    spare = nil
    var address = SocketAddress(.path(""))
    do throws(Errno) { _ = try socket?.accept(&address) } catch { /* it left by itself */  }
    spare = try? WakeBell().intoDescriptor()
  }
}
