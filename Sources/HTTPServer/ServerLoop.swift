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
  // The three below are lent to a connection for the time that it serves what it has read.
  /// What was read last; used within one call, never kept.
  var input: ByteBuffer
  /// The head that is being parsed or answered.
  var head = RequestHead()
  /// The answer that is being written.
  var writer: ResponseWriter
  /// How many answers wait for their readers.
  var waitingReaders = 0
  private(set) var isDraining = false
  private let loop: EventLoop
  private let admission: Admission
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
    writer = ResponseWriter(limits: limits)
    input = ByteBuffer(capacity: limits.readBufferBytes)
  }

  /// Returns the endpoint with its real port.
  func listen(
    at endpoint: Endpoint, joining: Bool, isExempt: @escaping (Peer) -> Bool,
    on loop: isolated EventLoop
  ) throws -> Endpoint {
    let listener = try TCPListener(
      endpoint, joining: joining, admission: admission, isExempt: isExempt, acceptor: self)
    try listener.start(on: loop)
    listeners.append(listener)
    return listener.endpoint
  }

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

  /// Puts the backlog at the input's start and the head where its parsing stopped.
  func refill(from backlog: Backlog?) {
    input.removeAll()
    guard let backlog else { return head.reset() }
    backlog.bytes.withSpan { _ = input.append($0) }
    if let begun = backlog.head { head = begun } else { head.reset() }
  }

  func closed(_ connection: Connection, isExempt: Bool) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    admission.release(connection.peer, isExempt: isExempt)
    endDrainIfEmpty()
  }

  func handlerBegan() { handlers += 1 }

  func handlerEnded() {
    handlers -= 1
    endDrainIfEmpty()
  }

  // MARK: Draining

  /// Accepts no more, closes what is idle, and returns when the last exchange is over, also one
  /// whose client has left.
  func drain(on loop: isolated EventLoop) async {
    isDraining = true
    for listener in listeners { listener.stop(on: loop) }
    listeners = []
    for connection in connections.values { connection.closeIfIdle(on: loop) }
    if !connections.isEmpty || handlers > 0 {
      await withCheckedContinuation { drained.append($0) }
    }
    service.drained()
  }

  /// Closes what is left, and waits for no handler any more.
  func closeAll(on loop: isolated EventLoop) {
    for connection in connections.values { connection.close(on: loop) }
    endDrain()
  }

  private func endDrainIfEmpty() {
    if isDraining, connections.isEmpty, handlers == 0 { endDrain() }
  }

  private func endDrain() {
    for waiter in drained { waiter.resume() }
    drained = []
  }
}
