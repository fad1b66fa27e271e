// A request's body, pulled by its handler: bytes stay in the kernel until they are asked for, so a
// slow store slows the client and fills no memory.
internal import Net
internal import Wire

/// Why a body could not be read to its end.
public enum BodyFailure: Error, Sendable {
  /// The client left.
  case disconnected
  /// It came more slowly than `ServerLimits.paceBytes`.
  case tooSlow
  /// The chunked framing is broken (RFC 9112 §7.1).
  case malformed
  /// It is longer than the handler allows.
  case tooLarge(limit: Int64)
}

/// The body of one request, for one reader at a time. Nothing can be read once the handler has
/// answered.
public final class BodyReader {
  private enum Framing {
    case length(left: Int64)
    case chunked(ChunkedDecoder)
    case finished
  }
  private var framing: Framing
  private let connection: Connection
  private var awaitsContinue: Bool
  private var seen: Int64 = 0
  /// After an error the place in the body is lost: it comes again, and the connection must close.
  private var failure: (any Error)?
  /// The most bytes that `read` hands out; set by the handler before it reads.
  public var limit: Int64 = .max

  init(_ head: borrowing RequestHead, connection: Connection) {
    switch head.body {
    case .none: framing = .finished
    case .length(let count): framing = count == 0 ? .finished : .length(left: count)
    case .chunked: framing = .chunked(ChunkedDecoder())
    }
    self.connection = connection
    awaitsContinue = head.expectsContinue
    declaredLength = if case .length(let count) = head.body { count } else { nil }
  }

  /// The length that the client announced, if it did.
  public let declaredLength: Int64?

  /// Whether the client is there still, as far as its connection tells; one that has ended its half
  /// is not.
  public var isClientThere: Bool { connection.isClientThere }

  private var isFinished: Bool { if case .finished = framing { true } else { false } }

  /// Hands the next bytes to `consume`, as many as have come; `false` at the end of the body.
  ///
  /// - Throws: `BodyFailure`, or what `consume` throws; from then on the same at each call.
  public func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    if let declaredLength, declaredLength > limit { throw BodyFailure.tooLarge(limit: limit) }
    try await sendContinue()
    while !isFinished {
      await connection.shareLoop()
      var progressed = false
      switch try receive(&progressed, consume) {
      case .bytes where progressed: return true
      case .bytes: continue
      case .wouldBlock: await connection.wait(for: .reading)
      case .end, .gone: throw BodyFailure.disconnected
      }
    }
    if let failure { throw failure }
    return false
  }

  /// Reads the whole body into memory; for bodies that a limit keeps small.
  public func collect(limit: Int64) async throws -> [UInt8] {
    self.limit = limit
    var all: [UInt8] = []
    if let declaredLength, declaredLength <= limit { all.reserveCapacity(Int(declaredLength)) }
    while try await read({ bytes in
      all.append(addingCapacity: bytes.count) { output in
        for index in bytes.indices { output.append(bytes[index]) }
      }
    }) {}
    return all
  }

  /// The handler has answered: drops up to `limit` bytes of what has already arrived; whether that
  /// was the body's rest, so that the next request follows.
  func finish(draining limit: Int) -> Bool {
    defer { framing = .finished }
    guard !isFinished, !awaitsContinue else { return isFinished && failure == nil }
    self.limit = seen + Int64(limit)
    // Framing counts too: chunks of one byte cost six.
    for _ in 0...limit / connection.server.limits.readBufferBytes where !isFinished {
      var progressed = false
      guard case .bytes? = try? receive(&progressed, { _ in }) else { return false }
    }
    return isFinished && failure == nil
  }

  private func receive(
    _ progressed: inout Bool, _ consume: (Span<UInt8>) throws -> Void
  ) throws -> ReadOutcome {
    if let failure { throw failure }
    do {
      return try connection.receive { try decode($0, &progressed, consume) }
    } catch {
      failure = error
      throw error
    }
  }

  /// Takes what belongs to the body; returns how many bytes that is.
  private func decode(
    _ bytes: Span<UInt8>, _ progressed: inout Bool, _ consume: (Span<UInt8>) throws -> Void
  ) throws -> Int {
    switch framing {
    case .finished: return 0
    case .length(let left):
      let count = Int(min(left, Int64(bytes.count)))
      framing = left == Int64(count) ? .finished : .length(left: left - Int64(count))
      try hand(bytes.extracting(0..<count), &progressed, consume)
      return count
    case .chunked(var decoder):
      defer { if !isFinished { framing = .chunked(decoder) } }
      return try decodeChunks(bytes, &decoder, &progressed, consume)
    }
  }

  private func decodeChunks(
    _ bytes: Span<UInt8>, _ decoder: inout ChunkedDecoder, _ progressed: inout Bool,
    _ consume: (Span<UInt8>) throws -> Void
  ) throws -> Int {
    var used = 0
    while true {
      let rest = bytes.extracting(used..<bytes.count)
      let step: ChunkedDecoder.Step
      do throws(ChunkedFailure) { step = try decoder.next(rest) } catch {
        throw BodyFailure.malformed
      }
      switch step {
      case .data(let range, let consumed):
        try hand(rest.extracting(range), &progressed, consume)
        used += consumed
      case .incomplete(let consumed): return used + consumed
      case .finished(let consumed):
        framing = .finished
        return used + consumed
      }
    }
  }

  private func hand(
    _ bytes: Span<UInt8>, _ progressed: inout Bool, _ consume: (Span<UInt8>) throws -> Void
  ) throws {
    guard bytes.count > 0 else { return }
    seen += Int64(bytes.count)
    guard seen <= limit else { throw BodyFailure.tooLarge(limit: limit) }
    progressed = true
    try consume(bytes)
  }

  /// Asks for the body if the client waits for that, and only now that it is wanted (RFC 9110
  /// §10.1.1). Bytes that have come say that it does not wait.
  private func sendContinue() async throws {
    guard awaitsContinue, !isFinished else { return }
    awaitsContinue = false
    guard connection.backlog == nil else { return }
    let text: [UInt8] = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    try await connection.write(text.span)
  }
}
