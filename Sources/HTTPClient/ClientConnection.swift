// One connection to a server; one call uses it at a time.
//
//     start ──▶ busy ──whole answer, keep-alive──▶ idle ──take──▶ busy …
//                │                                  │
//                └── failure, close ──▶ closed ◀────┴── readable, gone, too old
//
// Everything runs on one loop. Who waits is woken by readiness, by the deadline and by the end.
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

  let origin: [UInt8]
  let peer: Peer
  private let idleTimeout: Int64
  private var stream: ByteStream?
  private var id: ChannelID?
  private(set) var state = State.busy

  /// What has come and is not used.
  var input = ByteBuffer(capacity: inputBytes)
  /// Whether a byte of the current request was taken by the socket or the TLS layer.
  private(set) var hasSent = false
  /// Whether the answer to the current request has begun.
  private(set) var hasReceived = false
  /// Whether the current call's time is over.
  private(set) var isLate = false
  private(set) var canWrite = false
  private(set) var isGone = false

  private var deadline: Int64 = .max
  private var scheduledAt: Int64 = .max
  private var idleSince: Int64?
  private var waiter: CheckedContinuation<Void, Never>?
  /// Something happened while nobody waited.
  private var hasNews = false

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
    id = stream?.register(self, on: loop)
    if id == nil { close() }
    return id == nil ? .exhausted("the loop took no descriptor") : nil
  }

  func connectFailure() -> String? { stream?.connectFailure() }

  func secure(with layer: TLSLayer) { stream?.secure(with: layer) }

  func handshake() -> HandshakeOutcome { stream?.handshake() ?? .failed("closed") }

  func write(_ bytes: Span<UInt8>) -> WriteOutcome {
    let outcome = stream?.write(bytes) ?? .gone
    if case .bytes(let count) = outcome, count > 0 { hasSent = true }
    return outcome
  }

  func flush() -> WriteOutcome { stream?.flush() ?? .gone }

  /// Reads into the free end of `input`.
  func fill() -> ReadOutcome {
    let outcome = input.appendInPlace { stream?.read(into: &$0) ?? .gone }
    if case .bytes = outcome { hasReceived = true }
    return outcome
  }

  // MARK: Its life

  /// A new call begins; it must be over at `deadline`.
  func begin(until deadline: Int64, on loop: isolated EventLoop) {
    state = .busy
    idleSince = nil
    hasSent = false
    hasReceived = false
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

  /// Comes back when something happened since the last wait: readiness, the deadline, the end.
  ///
  /// So whoever tries, would block and then waits misses nothing, even when the task gives way
  /// between the two; at worst it tries once for nothing.
  func wait() async {
    await withCheckedContinuation { continuation in
      if hasNews {
        hasNews = false
        continuation.resume()
      } else {
        waiter = continuation
      }
    }
  }

  private func wake() {
    guard let waiting = waiter else {
      hasNews = true
      return
    }
    waiter = nil
    waiting.resume()
  }

  func ready(_ readiness: Readiness, on loop: isolated EventLoop) {
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

  func setDeadline(_ deadline: Int64, on loop: isolated EventLoop) {
    self.deadline = deadline
    isLate = false
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
    case .busy where now < deadline: break
    // Whoever uses it was told and has not come: it is held by nobody, or by one who hangs.
    case .busy where isLate: leave(on: loop)
    case .busy:
      isLate = true
      wake()
    }
    look(at: isLate ? now + Self.lookInterval : min(deadline, now + Self.lookInterval), on: loop)
    return nil
  }
}
