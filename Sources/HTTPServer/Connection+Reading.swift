// Reading: from the socket into the loop's buffer, from there to the service, in order. Only what
// can not be served now is copied to the connection.
internal import Net
internal import Wire

extension Connection {
  /// Reads into the loop's buffer, which holds nothing else then.
  func readAnew() -> ReadOutcome {
    server.input.removeAll()
    return server.input.appendInPlace { stream?.read(into: &$0) ?? .gone }
  }

  /// Serves what an earlier turn or exchange left behind, then reads on.
  func resume(on loop: isolated EventLoop) {
    if let waiting = backlog, waiting.head == nil {
      server.refill(from: waiting)
      backlog = nil
      serveInput(on: loop)
    }
    // Whole requests that are left have asked for a turn of their own.
    guard state == .head || (state == .idle && backlog == nil) else { return }
    readRequests(on: loop)
  }

  /// Reads once and answers what came.
  private func readRequests(on loop: isolated EventLoop) {
    server.refill(from: backlog)
    let free = server.input.free
    switch server.input.appendInPlace({ stream?.read(into: &$0) ?? .gone }) {
    case .wouldBlock: return
    case .end, .gone: close(on: loop)
    case .bytes(let count):
      backlog = nil
      serveInput(on: loop)
      // Edge-triggered: a short read has drained the socket (epoll(7), question 9), but for the
      // peer's end. Later states come back here by themselves.
      guard count == free || hasPeerFinished, state == .idle || state == .head else { return }
      yieldTurn(on: loop)
    }
  }

  /// Answers the requests in the loop's input buffer, in order; keeps what is left.
  private func serveInput(on loop: isolated EventLoop) {
    server.input.withSpan { input in
      var used = 0
      var served = 0
      while used < input.count, state == .idle || state == .head {
        guard served < server.limits.pipelinedPerTurn else { break }
        served += 1
        let rest = input.extracting(used..<input.count)
        switch server.head.parse(rest, limits: server.requestLimits) {
        case .incomplete:
          if state == .idle { setDeadline(loop.now + server.limits.headerTimeout, on: loop) }
          state = .head
          backlog = Backlog(rest, head: server.head)
          return
        case .reject(let rejection):
          return refuse(rejection.status, rejection.reason, on: loop)
        case .complete(let length):
          used += length
          startedAt = EventLoop.preciseNow
          serve(rest.extracting(0..<length), after: rest.extracting(length..<rest.count), on: loop)
        }
        // A handler took over, and what follows with it.
        if state == .handling { return }
      }
      guard used < input.count, state == .sending || state == .idle else { return }
      backlog = Backlog(input.extracting(used..<input.count), head: nil)
      if state == .idle { yieldTurn(on: loop) }
    }
  }

  /// Answers one request; `rest` is what came behind its head.
  private func serve(_ head: Span<UInt8>, after rest: Span<UInt8>, on loop: isolated EventLoop) {
    let writer = server.writer
    // A body that nobody will read ends the connection: what follows it can not be found. A handler
    // decides anew.
    let hasBody = server.head.body != .none && server.head.body != .length(0)
    writer.reset(
      server.head, head, unreadBody: hasBody, closes: server.isDraining, now: loop.wallSeconds)
    switch server.service.answer(server.head, head, from: peer, into: writer) {
    case .written where !writer.isEnded:
      refuse(500, "The request was not answered.", on: loop)
    case .written:
      send(on: loop)
    case .later:
      state = .handling
      if rest.count > 0 { backlog = Backlog(rest, head: nil) }
      run(makeRequest(head), on: loop)
    }
  }

  /// Answers what can not be served, and closes.
  func refuse(_ status: Int, _ reason: StaticString, on loop: isolated EventLoop) {
    startedAt = EventLoop.preciseNow
    backlog = nil
    server.writer.resetForRefusal(now: loop.wallSeconds)
    server.service.refuse(status, reason, into: server.writer)
    send(on: loop)
  }
}
