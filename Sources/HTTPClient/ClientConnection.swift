// One connection to a server; one call uses it at a time.
//
//     start ──▶ busy ──whole answer, keep-alive──▶ idle ──take──▶ busy …
//                │                                  │
//                └── failure, close ──▶ closed ◀────┴── readable, gone, too old
//
// Everything runs on one loop. Who waits is woken by readiness, by the deadline and by the end.
//
// A peer that keeps the socket full must not keep the loop: reads and writes say "would block"
// when the turn's share is used up, and the wait that follows ends with the connection's next turn.
internal import Net
internal import Wire

final class ClientConnection: Channel {
  enum State {
    case busy, idle, closed
  }
  /// The longest head (status line and fields) and some body fit.
  private static let inputBytes = 64 << 10
  /// How often a connection is looked at that nothing happens on.
  private static let lookInterval: Int64 = 5_000_000_000
  /// What one connection may move in one turn of its loop, in bytes and in nanoseconds; the time
  /// that its user takes for them counts.
  private static let turnBytes = 1 << 20
  private static let turnNanoseconds: Int64 = 1_000_000
  /// How long a call's time stands still, in all, while its user is busy: a disk that stalls for a
  /// while must not make an answer late that has come.
  private static let mostPatience: Int64 = 60_000_000_000

  let origin: [UInt8]
  let peer: Peer
  private let idleTimeout: Int64
  private var stream: ByteStream?
  private var loop: EventLoop?
  private var id: ChannelID?
  private(set) var state = State.busy

  /// What has come and is not used.
  var input = ByteBuffer(capacity: inputBytes)
  /// Whether a byte of the current request was taken by the socket or the TLS layer.
  private(set) var hasSent = false
  /// Whether the answer to the current request has begun.
  private(set) var hasReceived = false
  /// Whether the user was told that the current call's time is over.
  private var wasToldLate = false
  private(set) var canWrite = false
  private(set) var isGone = false

  private var deadline: Int64 = .max
  /// When the user went on elsewhere with what had come; `nil` while it wants more.
  private var awaySince: Int64?
  /// How long the user may still be away, in nanoseconds, before that is the call's time.
  private var patience = mostPatience
  private var scheduledAt: Int64 = .max
  private var idleSince: Int64?
  private var waiter: CheckedContinuation<Void, Never>?
  /// Something happened while nobody waited.
  private var hasNews = false
  /// The loop's turn in which the connection last did something (`EventLoop.now`), when it began to
  /// in that turn, and how much it moved.
  private var turn: Int64 = .min
  private var turnBegan: Int64 = 0
  private var moved = 0
  /// Whether the others come first: the next wait is for the connection's own turn.
  private var needsTurn = false

  init(origin: [UInt8], peer: Peer, idleTimeout: Int64) {
    self.origin = origin
    self.peer = peer
    self.idleTimeout = idleTimeout
  }

  // MARK: The socket

  /// Starts to connect; `canWrite` says when that is over, `connectFailure` how it went.
  func start(on loop: isolated EventLoop) -> ClientFailure? {
    do {
      stream = .some(try ByteStream.connect(to: peer))
    } catch {
      switch error {
      case .exhausted(let reason): return .exhausted("\(peer.host): \(reason)")
      case .unreachable(let reason): return .unreachable("\(peer.host): \(reason)")
      }
    }
    self.loop = loop
    id = stream?.register(self, on: loop)
    if id == nil { close() }
    return id == nil ? .exhausted("the loop took no descriptor") : nil
  }

  func connectFailure() -> String? { stream?.connectFailure() }

  func secure(with layer: TLSLayer) { stream?.secure(with: layer) }

  func handshake() -> HandshakeOutcome { stream?.handshake() ?? .failed("closed") }

  func write(_ bytes: Span<UInt8>) -> WriteOutcome {
    if isTurnOver() { return .wouldBlock }
    let outcome = stream?.write(bytes) ?? .gone
    if case .bytes(let count) = outcome, count > 0 {
      hasSent = true
      moved += count
    }
    return outcome
  }

  func flush() -> WriteOutcome { stream?.flush() ?? .gone }

  /// Reads into the free end of `input`; `.bytes(0)` says to try again (`ByteStream.read`).
  func fill() -> ReadOutcome {
    if isTurnOver() { return .wouldBlock }
    let outcome = input.appendInPlace { stream?.read(into: &$0) ?? .gone }
    if case .bytes(let count) = outcome, count > 0 {
      hasReceived = true
      moved += count
    }
    return outcome
  }

  // MARK: What nobody asked for

  /// What a connection says that nothing was asked of.
  enum Silence: Equatable {
    case quiet, spoke, gone
  }

  /// Looks whether anything has come: here, in TLS or in the kernel. It would be taken for the
  /// answer to the next request.
  func listen() -> Silence {
    guard input.isEmpty else { return .spoke }
    // Session tickets may come before anything was asked; each read takes some.
    for _ in 0..<4 {
      switch input.appendInPlace({ stream?.read(into: &$0) ?? .gone }) {
      case .bytes(0): continue
      case .bytes: return .spoke
      case .wouldBlock: return .quiet
      case .end, .gone: return .gone
      }
    }
    return .spoke
  }

  /// Whether bytes have come behind the answer, so far as this process has them.
  var hasUnread: Bool { !input.isEmpty || stream?.hasUnread ?? false }

  // MARK: Its life

  /// A new call begins; it must be over at `deadline`.
  func begin(until deadline: Int64, on loop: isolated EventLoop) {
    state = .busy
    idleSince = nil
    hasSent = false
    hasReceived = false
    awaySince = nil
    patience = Self.mostPatience
    setDeadline(deadline, on: loop)
  }

  /// The call is over, its answer read; the connection waits for another one.
  func rest() {
    guard state == .busy else { return }
    state = .idle
    idleSince = nil
    deadline = .max
  }

  /// Closes the socket; the loop forgets the channel when it next looks at it.
  func close() {
    guard state != .closed else { return }
    stream?.finish()
    stream = nil
    state = .closed
    isGone = true
    wake()
  }

  // MARK: Waiting

  /// Comes back when something happened since the last wait: readiness, the deadline, the end; or
  /// when the loop's others had their turn, if this one's is over.
  ///
  /// So whoever tries, would block and then waits misses nothing, even when the task gives way
  /// between the two; at worst it tries once for nothing.
  func wait() async {
    let isForTurn = needsTurn && state != .closed
    needsTurn = false
    await withCheckedContinuation { continuation in
      if isForTurn, let id, let loop {
        waiter = continuation
        loop.assumeIsolated { $0.yield(id) }
      } else if hasNews {
        hasNews = false
        continuation.resume()
      } else {
        waiter = continuation
      }
    }
  }

  /// Lets the loop's others have their turn if this one's is over.
  func shareLoop() async { if isTurnOver() { await wait() } }

  /// Whether this turn's share is used up.
  private func isTurnOver() -> Bool {
    guard let loop, state != .closed else { return false }
    let (current, now) = (loop.assumeIsolated { $0.now }, EventLoop.preciseNow)
    if current != turn { (turn, turnBegan, moved) = (current, now, 0) }
    needsTurn = moved >= Self.turnBytes || now - turnBegan >= Self.turnNanoseconds
    return needsTurn
  }

  private func wake() {
    guard let waiting = waiter else {
      hasNews = true
      return
    }
    waiter = nil
    waiting.resume()
  }

  /// The loop ends: whoever waits for the server hears that the connection is gone.
  func loopEnded(_ loop: isolated EventLoop) { close() }

  func ready(_ readiness: Readiness, on loop: isolated EventLoop) {
    // A turn that was asked for says nothing about the socket.
    if readiness.isOwnTurn { return state == .busy ? wake() : () }
    if readiness.mayWrite { canWrite = true }
    if readiness.isGone { isGone = true }
    switch state {
    case .busy: wake()
    // Nothing may come that was not asked for: a farewell, or the start of an attack.
    case .idle: if readiness.mayRead || readiness.isGone { leave(on: loop) }
    case .closed: break
    }
  }

  private func leave(on loop: isolated EventLoop) {
    close()
    if let id { loop.remove(id) }
    id = nil
  }

  // MARK: Time

  /// The user is busy with what has come: the server owes nothing meanwhile.
  func userLeft() { awaySince = EventLoop.preciseNow }

  /// The user wants more: the server has the time that it had before, but for what was over
  /// `mostPatience`.
  func userCame() {
    guard let since = awaySince else { return }
    awaySince = nil
    let now = EventLoop.preciseNow
    let away = min(now - since, patience)
    patience -= away
    if deadline < .max - away { deadline += away }
    if now < deadline { wasToldLate = false }
  }

  private func isUserAway(at now: Int64) -> Bool { awaySince.map { now - $0 < patience } ?? false }

  /// Whether the current call's time is over, at this very moment: data that flows must not put the
  /// deadline off.
  var isLate: Bool { wasToldLate || EventLoop.preciseNow >= deadline }

  func setDeadline(_ deadline: Int64, on loop: isolated EventLoop) {
    self.deadline = deadline
    wasToldLate = false
    look(at: min(deadline, loop.now + Self.lookInterval), on: loop)
  }

  private func look(at time: Int64, on loop: isolated EventLoop) {
    guard time < scheduledAt, let id else { return }
    scheduledAt = time
    loop.schedule(id, at: time)
  }

  func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? {
    // An entry that an earlier one replaced.
    guard now >= scheduledAt else { return nil }
    scheduledAt = .max
    switch state {
    case .closed: leave(on: loop)
    case .idle:
      let since = idleSince ?? now
      idleSince = since
      if now - since >= idleTimeout { leave(on: loop) }
    case .busy where now < deadline || isUserAway(at: now): break
    // Whoever uses it was told and has not come: it is held by nobody, or by one who hangs.
    case .busy where wasToldLate: leave(on: loop)
    case .busy:
      wasToldLate = true
      wake()
    }
    let next = now + Self.lookInterval
    look(at: deadline > now ? min(deadline, next) : next, on: loop)
    return nil
  }
}
