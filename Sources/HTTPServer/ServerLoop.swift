// What the connections of one loop share: buffers, limits, the service. Nothing here is shared
// between loops.
internal import Net
internal import Wire

final class ServerLoop: TCPAcceptor {
  let limits: ServerLimits
  let requestLimits = RequestLimits()
  let service: any HTTPService
  /// Threads that bring cold files into memory; without them the loop waits for the disk itself.
  let coldReaders: ColdReaders?
  private var scratch: LoopScratch
  /// How many answers wait for their readers.
  var waitingReaders = 0
  private(set) var isDraining = false
  private var isAbandoned = false
  private let loop: EventLoop
  private let admission: Admission
  private let operators = Admission(limit: 64, limitPerAddress: 64)
  private var connections: [ObjectIdentifier: Connection] = [:]
  private var listeners: [TCPListener] = []
  /// Handlers that have not answered; one may outlive its connection, and a paid image with it.
  private var handlers = 0
  private var drained: [CheckedContinuation<Void, Never>] = []

  init(
    limits: ServerLimits, admission: Admission, service: any HTTPService,
    coldReaders: ColdReaders?, on loop: isolated EventLoop
  ) {
    var limits = limits
    limits.readBufferBytes = max(limits.readBufferBytes, requestLimits.longestHead + 1)
    limits.pipelinedPerTurn = max(limits.pipelinedPerTurn, 1)
    self.limits = limits
    self.loop = loop
    self.admission = admission
    self.service = service
    self.coldReaders = coldReaders
    scratch = LoopScratch(limits: limits)
  }

  /// Lends the shared buffers to `body`, which can not wait: whatever it does not copy is gone when
  /// it returns.
  func lend<Result, Failure: Error>(
    _ body: (inout LoopScratch) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { scratch.writer.forget() }
    return try body(&scratch)
  }

  /// Returns the endpoint with its real port.
  func listen(
    at endpoint: Endpoint, joining: Bool, isExempt: @escaping (Peer) -> Bool,
    on loop: isolated EventLoop
  ) throws -> Endpoint {
    let listener = try TCPListener(
      endpoint, joining: joining, admission: admission(of: !TCPListener.canShare(endpoint)),
      isExempt: isExempt, acceptor: self)
    try listener.start(on: loop)
    listeners.append(listener)
    return listener.endpoint
  }

  /// The operator's socket has connections of its own: it must answer when all others are taken.
  private func admission(of isLocal: Bool) -> Admission { isLocal ? operators : admission }

  func accepted(
    _ stream: consuming TCPStream, from peer: Peer, isExempt: Bool, on loop: isolated EventLoop
  ) {
    let connection = Connection(
      stream, peer: peer, isExempt: isExempt, server: self, now: loop.now)
    connections[ObjectIdentifier(connection)] = connection
    connection.start(on: loop)
  }

  /// `EventLoop.now` for the handlers' tasks, which run on the loop without saying so everywhere.
  var now: Int64 { loop.assumeIsolated { $0.now } }

  /// `EventLoop.yield` for the handlers' tasks.
  func yield(_ id: ChannelID) { loop.assumeIsolated { $0.yield(id) } }

  func closed(_ connection: Connection, isExempt: Bool) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    admission(of: connection.peer.isLocalSocket).release(connection.peer, isExempt: isExempt)
    endDrainIfEmpty()
  }

  func handlerBegan() { handlers += 1 }

  func handlerEnded() {
    handlers -= 1
    endDrainIfEmpty()
  }

  // MARK: Draining, see ServerLoop+Draining.swift

  /// Accepts no more, serves what has come, and closes what is idle.
  func beginDraining(on loop: isolated EventLoop) {
    isDraining = true
    for listener in listeners { listener.drain(on: loop) }
    listeners = []
    for connection in connections.values { connection.closeIfIdle(on: loop) }
  }

  /// Whether nothing runs any more: no connection, and no handler that outlived its own.
  var isDrained: Bool { isDraining && connections.isEmpty && handlers == 0 }

  /// Adds one who is resumed when nothing runs any more, or at once.
  func whenDrained(_ waiter: CheckedContinuation<Void, Never>) {
    if isDrained || isAbandoned { waiter.resume() } else { drained.append(waiter) }
  }

  /// Closes the connections; handlers go on to their end, with what they have paid for.
  func closeConnections(on loop: isolated EventLoop) {
    for connection in connections.values { connection.close(on: loop) }
  }

  /// Waits for nothing any more, also if the drain has yet to begin here.
  func abandon() {
    isAbandoned = true
    endDrain()
  }

  private func endDrainIfEmpty() {
    if isDrained { endDrain() }
  }

  private func endDrain() {
    for waiter in drained { waiter.resume() }
    drained = []
  }
}
