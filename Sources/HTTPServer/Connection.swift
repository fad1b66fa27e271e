// One connection: reads heads, asks the service, sends answers, in order.
//
//            first byte        head complete          .written           sent
//   idle ───────────────► head ─────────────► (answer) ───────► sending ──────► idle
//    ▲  75 s: close        10 s: 408, close       │ .later          │ no pace: close
//    │                                            ▼                 ▼
//    └──────────── sent ◄─────────────── handling (task)        lingering ──► closed
//
// Every method runs on the connection's loop. Each exchange is reported to the service once.
internal import Net
internal import Wire

final class Connection: Channel {
  enum State {
    case idle, head, handling, sending, lingering, closed
  }
  let server: ServerLoop
  let peer: Peer
  private let isExempt: Bool
  var stream: TCPStream?
  private(set) var id: ChannelID?
  var state = State.idle {
    didSet {
      guard (oldValue == .sending) != (state == .sending) else { return }
      server.waitingReaders += state == .sending ? 1 : -1
    }
  }
  /// What was received and not yet used, with the head it begins; `nil` while there is none. With
  /// state `idle` it holds whole requests, which have asked for a turn.
  var backlog: Backlog?
  var outgoing = Outgoing()
  /// Where the handler's task waits, if it does.
  var waiter: CheckedContinuation<Void, Never>?
  var waitsFor = Wait.reading
  var announced = Announced()
  /// Bytes that the handler's task has moved without waiting.
  var burst = 0
  /// When it began to move them.
  var burstBegan: Int64 = 0
  /// The body came too slowly: its reader is told, so that it can say so.
  var isBodyLate = false
  /// The peer ended its half: reading must go on to its end, for which no edge will come.
  private(set) var hasPeerFinished = false
  /// Whether the loop has been asked for a turn: one is enough.
  private var isTurnDue = false

  /// Who waits for the peer to have the last answer, if anyone does and nothing was sent since.
  var delivery: DeliveryWatch?

  private var deadline: Int64
  private var scheduledAt: Int64 = .max
  private var lingerEnd: Int64 = 0
  var pace = Pace()
  /// When the turn began in which the current exchange's head was complete.
  var startedAt: Int64 = 0

  init(_ stream: consuming TCPStream, peer: Peer, isExempt: Bool, server: ServerLoop, now: Int64) {
    self.server = server
    self.peer = peer
    self.isExempt = isExempt
    self.stream = .some(stream)
    deadline = now + server.limits.headerTimeout
  }

  func start(on loop: isolated EventLoop) {
    guard let id = stream?.adopt(self, on: loop) else { return }
    self.id = id
    // Mostly the request is here already: a connection that closes after it is never watched, and
    // leaves no deadline behind.
    ready(.all, on: loop)
    guard state != .closed else { return }
    guard stream?.watch(id, on: loop) == true else { return close(on: loop) }
    setDeadline(deadline, on: loop)
  }

  func ready(_ readiness: Readiness, on loop: isolated EventLoop) {
    if readiness.hasPeerFinished { hasPeerFinished = true }
    if readiness.isOwnTurn {
      isTurnDue = false
    } else if isTurnDue, !readiness.isGone {
      return
    }
    switch state {
    case .idle, .head: resume(on: loop)
    case .sending where outgoing.isFetching: if readiness.isGone { close(on: loop) }
    case .sending: continueSending(on: loop)
    // A reset: the handler's task goes on to its end, the rest is given back now.
    case .handling where readiness.isGone: close(on: loop)
    case .handling: wakeHandler(readiness, on: loop)
    case .lingering: linger(on: loop)
    case .closed: break
    }
  }

  /// Asks to be served again in the next turn, after the others.
  func yieldTurn(on loop: isolated EventLoop) {
    if let id = claimTurn() { loop.yield(id) }
  }

  /// Whom to serve again; `nil` if that is asked for already.
  func claimTurn() -> ChannelID? {
    guard !isTurnDue else { return nil }
    isTurnDue = true
    return id
  }

  // MARK: Ending

  /// Half-closes and reads what is still coming for a while, so that the client reads our answer
  /// instead of a reset (RFC 9112 §9.6).
  func beginLingering(on loop: isolated EventLoop) {
    state = .lingering
    backlog = nil
    stream?.finishWriting()
    lingerEnd = loop.now + server.limits.lingerLimit
    setDeadline(loop.now + server.limits.lingerTimeout, on: loop)
    // Not at once: the loop's buffers may still be lent out.
    yieldTurn(on: loop)
  }

  private func linger(on loop: isolated EventLoop) {
    for _ in 0..<Self.readsPerTurn {
      switch server.lend({ $0.read(from: stream) }) {
      case .bytes:
        setDeadline(min(lingerEnd, loop.now + server.limits.lingerTimeout), on: loop)
      case .wouldBlock: return
      case .end, .gone: return close(on: loop)
      }
    }
    yieldTurn(on: loop)
  }

  private static let readsPerTurn = 16

  /// Ends an idle connection, after a last look at what may have come.
  func closeIfIdle(on loop: isolated EventLoop) {
    if state == .idle { resume(on: loop) }
    if state == .idle, backlog == nil { close(on: loop) }
  }

  /// Gives everything back, reports an answer that was under way, wakes the handler's task.
  func close(on loop: isolated EventLoop) {
    guard state != .closed else { return }
    state = .closed
    endDelivery()
    if let note = outgoing.note { report(note.bytes, isAborted: true) }
    outgoing = Outgoing()
    if let id { loop.remove(id) }
    id = nil
    stream = nil
    backlog = nil
    server.closed(self, isExempt: isExempt)
    waiter.take()?.resume()
  }

  func loopEnded(_ loop: isolated EventLoop) { close(on: loop) }

  // MARK: Time

  func setDeadline(_ deadline: Int64, on loop: isolated EventLoop) {
    self.deadline = deadline
    guard deadline < scheduledAt, let id else { return }
    scheduledAt = deadline
    loop.schedule(id, at: deadline)
  }

  /// The peer, or the handler, has until the pace is looked at.
  func startPace(isWaiting: Bool, on loop: isolated EventLoop) {
    pace = Pace()
    isBodyLate = false
    if isWaiting { pace.beginWaiting(at: loop.now) }
    setDeadline(loop.now + server.limits.paceInterval, on: loop)
  }

  /// Room may be there, and never be announced (`Outgoing.mayHaveEnded`): looks once more, soon.
  func lookForEnd(on loop: isolated EventLoop) {
    setDeadline(min(deadline, loop.now + server.limits.fileEndTime), on: loop)
  }

  /// What the peer has not acknowledged of all that we sent.
  private var unacknowledged: Int64 { Int64(stream?.unacknowledgedBytes ?? 0) }

  /// The peer has to make room: from here on its pace is that of what it acknowledges.
  func noteBlocked() {
    guard !pace.isSending else { return }
    pace.beginSending(unacknowledged: unacknowledged, credit: server.limits.paceCredit)
  }

  func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? {
    if let next = delivery?.nextLook, now >= next { lookAtDelivery(at: now, on: loop) }
    // An entry of a deadline that an earlier one replaced.
    guard now >= scheduledAt else { return nil }
    scheduledAt = .max
    if now < deadline {
      setDeadline(deadline, on: loop)
      return nil
    }
    switch state {
    // Whole requests that wait for their turn are no silence.
    case .idle where backlog != nil: setDeadline(now + server.limits.idleTimeout, on: loop)
    case .idle, .lingering: close(on: loop)
    case .head: refuse(408, "The request's head took too long to arrive.", on: loop)
    case .sending, .handling:
      if state == .sending, outgoing.mayHaveEnded, !outgoing.isFetching {
        outgoing.mayHaveEnded = false
        continueSending(on: loop)
        guard state == .sending else { return nil }
      }
      let left = pace.isSending ? unacknowledged : 0
      switch pace.judge(at: now, unacknowledged: left, server.limits) {
      case .tooSlow: giveUp(on: loop)
      case .lookAgain(let next): setDeadline(next, on: loop)
      }
    case .closed: break
    }
    return nil
  }

  /// The peer is too slow. A body's reader is told, which answers 408 (RFC 9110 §15.5.9); nobody
  /// reads more from one that does not take its answer.
  private func giveUp(on loop: isolated EventLoop) {
    guard state == .handling, !pace.isSending, !isBodyLate else {
      stream?.forgetWhenClosed()
      return close(on: loop)
    }
    startPace(isWaiting: false, on: loop)
    isBodyLate = true
    if waitsFor == .reading { waiter.take()?.resume() }
  }
}
