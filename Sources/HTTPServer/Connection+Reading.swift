// Reading: from the socket into the loop's buffer, from there to the service, in order. Only what
// can not be served now is copied to the connection.
internal import Net
internal import Wire

extension Connection {
  /// Serves what an earlier turn or exchange left behind, then reads on.
  func resume(on loop: isolated EventLoop) {
    if let waiting = backlog, waiting.head == nil {
      server.lend { scratch in
        scratch.refill(from: waiting)
        backlog = nil
        serveInput(of: &scratch, on: loop)
      }
    }
    // Whole requests that are left have asked for a turn of their own.
    guard state == .head || (state == .idle && backlog == nil) else { return }
    server.lend { readRequests(into: &$0, on: loop) }
  }

  /// Reads once and answers what came.
  private func readRequests(into scratch: inout LoopScratch, on loop: isolated EventLoop) {
    scratch.refill(from: backlog)
    let free = scratch.input.free
    switch scratch.append(from: stream) {
    case .wouldBlock: return
    case .end, .gone: close(on: loop)
    case .bytes(let count):
      backlog = nil
      serveInput(of: &scratch, on: loop)
      // Edge-triggered: a short read has drained the socket (epoll(7), question 9), but for the
      // peer's end. Later states come back here by themselves.
      guard count == free || hasPeerFinished, state == .idle || state == .head else { return }
      yieldTurn(on: loop)
    }
  }

  /// Answers the requests in the input, in order; keeps what is left.
  private func serveInput(of scratch: inout LoopScratch, on loop: isolated EventLoop) {
    serve(scratch.input, &scratch.head, &scratch.writer, on: loop)
  }

  private func serve(
    _ input: borrowing ByteBuffer, _ head: inout RequestHead, _ writer: inout ResponseWriter,
    on loop: isolated EventLoop
  ) {
    input.withSpan { input in
      var used = 0
      var served = 0
      while used < input.count, state == .idle || state == .head {
        guard served < server.limits.pipelinedPerTurn else { break }
        served += 1
        let rest = input.extracting(used..<input.count)
        switch head.parse(rest, limits: server.requestLimits) {
        case .incomplete:
          if state == .idle { setDeadline(loop.now + server.limits.headerTimeout, on: loop) }
          state = .head
          backlog = Backlog(rest, head: head)
          return
        case .reject(let rejection):
          let isHead = head.method == .head
          return refuse(
            rejection.status, rejection.reason, isHead: isHead, into: &writer, on: loop)
        case .complete(let length):
          used += length
          startedAt = loop.now
          serve(head, rest, length, into: &writer, on: loop)
        }
        // A handler took over, and what follows with it.
        if state == .handling { return }
      }
      guard used < input.count, state == .sending || state == .idle else { return }
      backlog = Backlog(input.extracting(used..<input.count), head: nil)
      if state == .idle { yieldTurn(on: loop) }
    }
  }

  /// Answers one request, whose head is the first `length` bytes of `input`.
  private func serve(
    _ head: borrowing RequestHead, _ input: Span<UInt8>, _ length: Int,
    into writer: inout ResponseWriter, on loop: isolated EventLoop
  ) {
    let bytes = input.extracting(0..<length)
    if delivery != nil { endDelivery() }
    // A body that nobody will read ends the connection: what follows it can not be found. A handler
    // decides anew.
    let hasBody =
      switch head.body {
      case .none, .length(0): false
      case .length, .chunked: true
      }
    writer.reset(
      head, bytes, unreadBody: hasBody, closes: server.isDraining, now: loop.wallSeconds)
    switch server.service.answer(head, bytes, from: peer, into: &writer) {
    case .written where !writer.isEnded:
      let isHead = head.method == .head
      refuse(500, "The request was not answered.", isHead: isHead, into: &writer, on: loop)
    case .written:
      send(&writer, on: loop)
    case .later:
      state = .handling
      let request = makeRequest(head, bytes, writer)
      if length < input.count {
        backlog = Backlog(input.extracting(length..<input.count), head: nil)
      }
      run(request, on: loop)
    }
  }

  /// Answers what can not be served, and closes.
  func refuse(_ status: Int, _ reason: StaticString, on loop: isolated EventLoop) {
    server.lend { refuse(status, reason, isHead: false, into: &$0.writer, on: loop) }
  }

  /// HEAD gets no body of this either (RFC 9110 §9.3.2).
  private func refuse(
    _ status: Int, _ reason: StaticString, isHead: Bool, into writer: inout ResponseWriter,
    on loop: isolated EventLoop
  ) {
    startedAt = loop.now
    backlog = nil
    endDelivery()
    writer.resetForRefusal(isHead: isHead, now: loop.wallSeconds)
    server.service.refuse(status, reason, into: &writer)
    send(&writer, on: loop)
  }
}
