// The buffers that the connections of one loop share. They are lent to synchronous code only: while
// a handler waits, another connection's requests are read and answered with them.
internal import Net
internal import Wire

/// What a connection needs while it reads, parses and answers, and not a moment longer.
struct LoopScratch: ~Copyable {
  /// What was read last.
  var input: ByteBuffer
  /// The head that is being parsed or answered.
  var head = RequestHead()
  /// The answer that is being written.
  var writer: ResponseWriter

  init(limits: ServerLimits) {
    writer = ResponseWriter(limits: limits)
    input = ByteBuffer(capacity: limits.readBufferBytes)
  }

  /// Puts the backlog at the input's start and the head where its parsing stopped.
  mutating func refill(from backlog: Backlog?) {
    input.removeAll()
    guard let backlog else { return head.reset() }
    backlog.bytes.withSpan { _ = input.append($0) }
    if let begun = backlog.head { head = begun } else { head.reset() }
  }

  /// Reads into the input, which holds nothing else then.
  mutating func read(from stream: borrowing TCPStream?) -> ReadOutcome {
    input.removeAll()
    return append(from: stream)
  }

  /// Reads into the input's free end.
  mutating func append(from stream: borrowing TCPStream?) -> ReadOutcome {
    input.appendInPlace { output in
      switch stream {
      case .some(let stream): stream.read(into: &output)
      case .none: .gone
      }
    }
  }
}

/// An answer whose body is written piece by piece: all that must outlive the loan of the writer.
struct StreamedAnswer {
  /// The whole head, as it goes over the wire.
  let head: [UInt8]
  let length: Int64
  let produce: BodyProducer
  /// Whether someone wants to know when it has arrived.
  let isWatched: Bool
  let status: Int
  let closes: Bool
  let lingers: Bool

  init(
    _ writer: borrowing ResponseWriter, length: Int64, isWatched: Bool,
    produce: @escaping BodyProducer
  ) {
    head = writer.bytes.withSpan { [UInt8](copying: $0) }
    status = writer.status
    closes = writer.closes
    lingers = writer.lingers
    self.length = length
    self.isWatched = isWatched
    self.produce = produce
  }
}
