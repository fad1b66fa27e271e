// The handler's task: from a request to its answer. What the handler sees of the connection
// meanwhile is in `Connection+Body.swift`.
internal import Net
internal import Wire

extension Connection {
  func makeRequest(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ writer: borrowing ResponseWriter
  ) -> Request {
    Request(
      head: copy head, bytes: [UInt8](copying: bytes),
      id: writer.requestID.withSpan { [UInt8](copying: $0) },
      note: writer.note.withSpan { [UInt8](copying: $0) }, tag: writer.tag,
      peer: peer, body: BodyReader(head, connection: self))
  }

  func run(_ request: Request, on loop: isolated EventLoop) {
    startPace(isWaiting: false, on: loop)
    burst = 0
    burstBegan = loop.now
    server.handlerBegan()
    Task {
      // The task belongs to the loop: it runs there, and so does all that it awaits. The preference
      // is for two things that the compiler (6.3.1) sends to the global pool, whose threads may all
      // be busy: whoever waited resumes by way of it, and closures with a capture list run there.
      await withTaskExecutorPreference(loop.executor) {
        let sent = await answer(request, on: loop)
        if let sent, await sent.watch.isDelivered { await sent.told() }
      }
      server.handlerEnded()
    }
  }

  /// An answer that has left, and what is to be called when it has arrived.
  private typealias Sent = (
    watch: DeliveryWatch, told: nonisolated(nonsending) () async -> Void
  )

  /// Nothing of the answer's body is held any longer than it takes to leave.
  private func answer(_ request: Request, on loop: isolated EventLoop) async -> Sent? {
    let response = await server.service.handle(request, on: loop)
    guard let watch = await respond(response, to: request, on: loop),
      let told = response.whenDelivered
    else { return nil }
    return (watch, told)
  }

  /// - Returns: who knows when it has arrived, if someone asked and all of it has left.
  private func respond(
    _ response: Response, to request: Request, on loop: isolated EventLoop
  ) async -> DeliveryWatch? {
    guard state == .handling else {
      reportLost(request, on: loop)
      return nil
    }
    let isWhole = request.body.finish(draining: server.limits.drainBytes)
    let streamed = server.lend { scratch -> StreamedAnswer? in
      scratch.writer.resume(
        request, unreadBody: !isWhole, closes: server.isDraining, now: loop.wallSeconds)
      guard let (length, produce) = write(response, into: &scratch.writer) else {
        state = .idle
        send(&scratch.writer, on: loop)
        return nil
      }
      return StreamedAnswer(
        scratch.writer, length: length, isWatched: response.whenDelivered != nil, produce: produce)
    }
    // From here on the loop's buffers belong to others: the answer is all in `streamed`.
    if let streamed { return await stream(streamed, for: request, on: loop) }
    if state == .idle { resume(on: loop) }
    return nil
  }

  /// Writes what is at hand; what must be streamed behind the head comes back.
  private func write(
    _ response: Response, into writer: inout ResponseWriter
  ) -> (length: Int64, produce: BodyProducer)? {
    if case .written(let fill) = response.body {
      fill(&writer)
      return nil
    }
    writer.start(response.status)
    writer.lines(response.lines.span)
    switch response.body {
    case .none, .written: writer.endWithoutContent()
    case .bytes(let bytes) where bytes.count <= server.limits.writeBufferBytes:
      writer.end(bytes.span)
    case .file(let file, let offset, let count):
      writer.end(file: file, offset: offset, count: count)
    case .bytes(let bytes):
      writer.end(streaming: Int64(bytes.count))
      if writer.sendsBody { return (Int64(bytes.count), { try await $0.write(bytes) }) }
    case .stream(let length, let produce):
      writer.end(streaming: length)
      if writer.sendsBody { return (length, produce) }
    }
    return nil
  }

  private func stream(
    _ answer: StreamedAnswer, for request: Request, on loop: isolated EventLoop
  ) async -> DeliveryWatch? {
    outgoing.status = answer.status
    outgoing.tag = request.tag
    outgoing.bodyBytes = 0
    outgoing.closes = answer.closes
    outgoing.lingers = answer.lingers
    let note = request.note
    outgoing.note = Backlog(note.span, head: nil)
    let body = BodyWriter(connection: self, length: answer.length)
    do {
      try await write(answer.head.span)
      try await answer.produce(body)
    } catch {
      // The head is gone: only a closed connection can tell the client that the body is not whole.
      if state == .handling { server.service.bodyFailed(error, of: request) }
    }
    let isWhole = body.end()
    guard state == .handling else { return nil }
    guard isWhole else {
      close(on: loop)
      return nil
    }
    let watch = answer.isWatched ? watchDelivery(on: loop) : nil
    state = .idle
    finishKept(on: loop)
    return watch
  }

  /// The client left before its answer: the log says so.
  private func reportLost(_ request: Request, on loop: isolated EventLoop) {
    let outcome = ExchangeOutcome(
      status: 0, bodyBytes: 0, nanoseconds: EventLoop.preciseNow - startedAt, isAborted: true,
      tag: request.tag)
    let note = request.note
    server.service.finished(outcome, note: note.span)
  }
}
