// Sending: what the socket takes at once leaves at once; the rest waits in `Outgoing`.
internal import Net
internal import Wire

extension Connection {
  private enum Progress {
    case done, blocked, yielded, cold, gone
  }

  /// Sends the answer that was written. A warm GET comes through here and nowhere else.
  func send(_ writer: inout ResponseWriter, on loop: isolated EventLoop) {
    outgoing.status = writer.status
    outgoing.tag = writer.tag
    outgoing.bodyBytes = writer.bodyBytes
    outgoing.closes = writer.closes
    outgoing.lingers = writer.lingers
    var hasFile = false
    if case .file(let file, let offset, let count) = writer.takeBody() {
      outgoing.file = file
      outgoing.offset = offset
      outgoing.left = count
      outgoing.atHandTo = isKnown(file, offset, count, on: loop) ? .max : offset
      hasFile = true
      leaveRoom(for: count)
    }
    let progress = writer.bytes.withSpan { sendHead($0, more: hasFile) }
    switch progress == .done ? sendFile(on: loop) : progress {
    case .done: finishExchange(writer.note, on: loop)
    case let other:
      writer.note.withSpan { outgoing.note = Backlog($0, head: nil) }
      // What the client has left behind is reported as such.
      if other == .gone { return close(on: loop) }
      wait(other, on: loop)
    }
  }

  /// Among many slow readers none gets more of the kernel's memory than it needs.
  private func leaveRoom(for count: Int64) {
    let limits = server.limits
    guard server.waitingReaders >= limits.crowdedReaders, count > limits.crowdedUnsentBytes
    else { return }
    stream?.limitUnsent(to: limits.crowdedUnsentBytes)
  }

  /// Goes on after the socket has room again, or after the others had their turn.
  func continueSending(on loop: isolated EventLoop) {
    switch sendRest(on: loop) {
    case .done: finishKept(on: loop)
    case .gone: close(on: loop)
    case let other: wait(other, on: loop)
    }
  }

  private func wait(_ progress: Progress, on loop: isolated EventLoop) {
    if state != .sending {
      state = .sending
      startPace(isWaiting: true, on: loop)
    }
    if progress == .blocked {
      noteBlocked()
      if outgoing.mayHaveEnded { lookForEnd(on: loop) }
    }
    if progress == .yielded { yieldTurn(on: loop) }
    if progress == .cold { fetch(on: loop) }
  }

  private func sendHead(_ bytes: Span<UInt8>, more: Bool) -> Progress {
    switch stream?.write(bytes, more: more) ?? .gone {
    case .gone: return .gone
    case .bytes(let count) where count == bytes.count: return .done
    case .bytes(let count):
      outgoing.bytes = Backlog(bytes.extracting(count..<bytes.count), head: nil)
      return .blocked
    case .wouldBlock:
      outgoing.bytes = Backlog(bytes, head: nil)
      return .blocked
    }
  }

  private func sendRest(on loop: isolated EventLoop) -> Progress {
    if let rest = outgoing.bytes {
      let outcome = rest.bytes.withSpan {
        stream?.write($0, more: outgoing.file != nil) ?? .gone
      }
      switch outcome {
      case .gone: return .gone
      case .wouldBlock: return .blocked
      case .bytes(let count):
        pace.move(count)
        rest.bytes.removeFirst(count)
        guard rest.bytes.isEmpty else { return .blocked }
        outgoing.bytes = nil
      }
    }
    return sendFile(on: loop)
  }

  /// Sends of the file what one turn allows, so that one fast client can not hold the loop.
  private func sendFile(on loop: isolated EventLoop) -> Progress {
    guard let file = outgoing.file else { return .done }
    var turn = Int64(server.limits.sendFileBytesPerTurn)
    while outgoing.left > 0 {
      guard turn > 0 else { return .yielded }
      guard isAtHand(file, on: loop) else { return .cold }
      let ask = Int(min(outgoing.left, turn, outgoing.atHandTo - outgoing.offset))
      switch stream?.write(file: file, offset: outgoing.offset, count: ask) ?? .gone {
      case .gone: return .gone
      case .wouldBlock:
        outgoing.mayHaveEnded = false
        return .blocked
      case .bytes(let count):
        outgoing.offset += Int64(count)
        outgoing.left -= Int64(count)
        pace.move(count)
        turn -= Int64(count)
        // Short: the buffer is full, and its room will be announced. Or the file ends here, and
        // nothing will: the next call tells.
        outgoing.mayHaveEnded = count < ask
        if count < ask { return .blocked }
      }
    }
    outgoing.file = nil
    return .done
  }

  // MARK: Cold files

  /// Whether a file need not be looked at. A large one always is: memory may lose it meanwhile.
  private func isKnown(
    _ file: SendableFile, _ offset: Int64, _ count: Int64, on loop: isolated EventLoop
  ) -> Bool {
    guard let readers = server.coldReaders else { return true }
    return count <= Int64(server.limits.sendFileBytesPerTurn)
      && readers.isKnown(file, at: offset, count: count, now: loop.now)
  }

  /// Whether what one turn sends is in memory: sendfile(2) waits for a disk with the whole loop.
  private func isAtHand(_ file: SendableFile, on loop: isolated EventLoop) -> Bool {
    guard outgoing.offset >= outgoing.atHandTo, let readers = server.coldReaders else {
      return true
    }
    let count = min(outgoing.left, Int64(server.limits.sendFileBytesPerTurn))
    outgoing.atHandTo = outgoing.offset + count
    return !readers.isCold(file, at: outgoing.offset, count: count, now: loop.now)
  }

  /// Has the turn's bytes brought into memory on another thread, then goes on.
  private func fetch(on loop: isolated EventLoop) {
    guard let readers = server.coldReaders, let file = outgoing.file else { return }
    let (offset, count) = (outgoing.offset, outgoing.atHandTo - outgoing.offset)
    outgoing.isFetching = true
    // Our disk's time, not the peer's.
    pace.endWaiting(at: loop.now)
    Task {
      _ = loop
      await withTaskExecutorPreference(loop.executor) {
        await readers.bringIn(file, at: offset, count: count)
      }
      outgoing.isFetching = false
      guard state == .sending else { return }
      pace.beginWaiting(at: loop.now)
      continueSending(on: loop)
    }
  }

  // MARK: The end of an exchange

  /// The end of an answer that did not leave at once.
  func finishKept(on loop: isolated EventLoop) {
    guard let note = outgoing.note.take() else { return close(on: loop) }
    finishExchange(note.bytes, on: loop)
    // An answer that began before the drain promised the client that it may ask again.
    if server.isDraining { return closeIfIdle(on: loop) }
    if state == .idle { resume(on: loop) }
  }

  private func finishExchange(_ note: borrowing ByteBuffer, on loop: isolated EventLoop) {
    report(note, isAborted: false)
    if outgoing.closes {
      let stays = outgoing.lingers || delivery != nil
      return stays ? beginLingering(on: loop) : close(on: loop)
    }
    state = .idle
    setDeadline(loop.now + server.limits.idleTimeout, on: loop)
  }

  func report(_ note: borrowing ByteBuffer, isAborted: Bool) {
    let outcome = ExchangeOutcome(
      status: outgoing.status, bodyBytes: outgoing.sentBodyBytes,
      nanoseconds: EventLoop.preciseNow - startedAt, isAborted: isAborted, tag: outgoing.tag)
    note.withSpan { server.service.finished(outcome, note: $0) }
  }
}
