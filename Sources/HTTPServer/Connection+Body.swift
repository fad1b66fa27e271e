// What a handler's task sees of its connection through `BodyReader` and `BodyWriter`: it takes what
// has come, sends what there is room for, and waits for more.
internal import Net
internal import Wire

extension Connection {
  /// What the handler's task waits for.
  enum Wait {
    case reading, writing, turn
  }

  /// What was announced since the handler's task last tried. A concurrent closure may be suspended
  /// between its try and its waiting: an edge in that gap must not be lost.
  struct Announced {
    var reading = false
    var writing = false

    func has(_ wait: Wait) -> Bool {
      switch wait {
      case .reading: reading
      case .writing: writing
      case .turn: false
      }
    }
  }

  /// Whether the handler's answer would find a reader.
  var isClientThere: Bool { state == .handling && !hasPeerFinished }

  /// Offers what has come to `take`, which says how many bytes it used; the rest is kept. After a
  /// throw the bytes are lost, and with them the place in the body.
  func receive(_ take: (Span<UInt8>) throws -> Int) throws -> ReadOutcome {
    guard state == .handling else { return .gone }
    guard !isBodyLate else { throw BodyFailure.tooSlow }
    announced.reading = false
    if let waiting = backlog {
      let used = try waiting.bytes.withSpan(take)
      waiting.bytes.removeFirst(used)
      if waiting.bytes.isEmpty { backlog = nil }
      return .bytes(used)
    }
    return try server.lend { scratch in
      let outcome = scratch.read(from: stream)
      guard case .bytes(let count) = outcome else { return outcome }
      pace.move(count)
      burst += count
      try scratch.input.withSpan { bytes in
        let used = try take(bytes)
        if used < count { backlog = Backlog(bytes.extracting(used..<count), head: nil) }
      }
      return outcome
    }
  }

  /// Sends bytes as the socket takes them.
  func write(_ bytes: Span<UInt8>) async throws {
    var rest: Backlog?
    switch try attempt(bytes) {
    case bytes.count: break
    case let sent: rest = Backlog(bytes.extracting(sent..<bytes.count), head: nil)
    }
    while let unsent = rest, !unsent.bytes.isEmpty {
      await wait(for: .writing)
      unsent.bytes.removeFirst(try unsent.bytes.withSpan { try attempt($0) })
    }
    await shareLoop()
  }

  /// Sends what there is room for.
  private func attempt(_ bytes: Span<UInt8>) throws -> Int {
    guard state == .handling else { throw BodyFailure.disconnected }
    announced.writing = false
    switch stream?.write(bytes) ?? .gone {
    case .gone: throw BodyFailure.disconnected
    case .wouldBlock: return 0
    case .bytes(let count):
      pace.move(count)
      burst += count
      return count
    }
  }

  /// Lets the loop's others have their turn if the task has moved much without waiting.
  func shareLoop() async {
    guard burst > 0 else { return }
    let isLong = EventLoop.preciseNow - burstBegan >= server.limits.turnTime
    guard isLong || burst >= server.limits.sendFileBytesPerTurn else { return }
    await wait(for: .turn)
  }

  /// Waits until trying again makes sense, also because the connection is gone.
  func wait(for wait: Wait) async {
    if wait == .writing { noteBlocked() }
    burst = 0
    await withCheckedContinuation { waiter in
      guard state == .handling, !announced.has(wait) else { return waiter.resume() }
      precondition(self.waiter == nil, "a body is read or written by two tasks")
      self.waiter = waiter
      waitsFor = wait
      if wait != .turn {
        pace.beginWaiting(at: server.now)
      } else if let id = claimTurn() {
        server.yield(id)
      }
    }
    burstBegan = EventLoop.preciseNow
  }

  /// Lets the handler's task try again.
  func wakeHandler(_ readiness: Readiness, on loop: isolated EventLoop) {
    if readiness.mayRead { announced.reading = true }
    if readiness.mayWrite { announced.writing = true }
    guard announced.has(waitsFor) || readiness.isOwnTurn, let waiter = waiter.take() else {
      return
    }
    pace.endWaiting(at: loop.now)
    waiter.resume()
  }
}

extension Array where Element == UInt8 {
  /// A copy of a span's bytes.
  init(copying span: Span<UInt8>) {
    self.init(capacity: span.count) { output in
      for index in span.indices { output.append(span[index]) }
    }
  }
}
