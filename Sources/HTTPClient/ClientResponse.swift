internal import Net
public import Wire

/// An answer: its head, and its body as it arrives.
///
/// Read the body to its end, `close`, or let go of it: only the first keeps the connection.
public final class ClientResponse {
  /// The status code, 200 to 999.
  public let status: Int
  /// The body.
  public let body: ResponseBodyReader
  private let head: ResponseHead
  private let bytes: [UInt8]

  init(_ exchange: Exchange, body: ResponseBodyReader, bytes: [UInt8]) {
    head = exchange.head
    status = head.status
    self.body = body
    self.bytes = bytes
  }

  /// The value of the first line with this name.
  public func field(_ name: FieldName) -> [UInt8]? {
    head.value(of: name).map { Array(bytes[$0]) }
  }

  /// The value of the first line with this name, given in lowercase.
  public func field(named name: String) -> [UInt8]? {
    let wanted = Array(name.utf8)
    for index in 0..<head.fieldCount {
      let field = head.field(at: index)
      guard field.name.range.count == wanted.count else { continue }
      let found = bytes[field.name.range].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
      if found == wanted { return Array(bytes[field.value.range]) }
    }
    return nil
  }

  /// Gives up the rest of the answer; the connection is closed.
  public func close() { body.abandon() }
}

/// The body of one answer, pulled by its reader: what is not asked for stays in the kernel.
public final class ResponseBodyReader {
  private enum Framing {
    case length(left: Int64)
    case chunked(ChunkedDecoder)
    case untilClose
    case finished
  }
  private var framing: Framing
  private let connection: ClientConnection
  private let finish: (ClientConnection) -> Void
  private var seen: Int64 = 0
  /// The most bytes that `read` hands out.
  public var limit: Int64
  /// The length that the server announced, if it did.
  public let declaredLength: Int64?

  /// `finish` is told when the body was read to its end.
  init(
    _ framing: ResponseBody, over connection: ClientConnection, limit: Int64,
    finish: @escaping (ClientConnection) -> Void
  ) {
    self.connection = connection
    self.finish = finish
    self.limit = limit
    declaredLength = if case .length(let count) = framing { count } else { nil }
    switch framing {
    case .none: self.framing = .finished
    case .length(let count): self.framing = count == 0 ? .finished : .length(left: count)
    case .chunked: self.framing = .chunked(ChunkedDecoder(ofAnswer: true))
    case .untilClose: self.framing = .untilClose
    }
    if isFinished { finish(connection) }
  }

  deinit {
    if !isFinished { connection.close() }
  }

  private var isFinished: Bool { if case .finished = framing { true } else { false } }

  /// Hands the next bytes to `consume`, as many as have come; `false` at the end of the body.
  ///
  /// Throws `ClientFailure`, or what `consume` throws; the connection is closed then.
  public func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    do {
      return try await pull(consume)
    } catch {
      abandon()
      throw error
    }
  }

  /// Reads the whole body into memory, at most `limit` bytes.
  public func collect(limit: Int64) async throws -> [UInt8] {
    self.limit = min(self.limit, limit)
    var all: [UInt8] = []
    while try await read({ bytes in
      all.append(addingCapacity: bytes.count) { output in
        for index in bytes.indices { output.append(bytes[index]) }
      }
    }) {}
    return all
  }

  /// The body's first bytes, at most `count`; fewer where it ends, breaks off, or can not be read.
  /// The rest is given up.
  public func start(of count: Int) async -> [UInt8] {
    var start: [UInt8] = []
    do {
      while start.count < count {
        let goesOn = try await read { bytes in
          let taken = bytes.extracting(first: min(bytes.count, count - start.count))
          start.append(addingCapacity: taken.count) { output in
            for index in taken.indices { output.append(taken[index]) }
          }
        }
        guard goesOn else { return start }
      }
    } catch { /* what came is what there is */  }
    abandon()
    return start
  }

  func abandon() {
    guard !isFinished else { return }
    framing = .finished
    connection.close()
  }

  private func pull(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    if let declaredLength, declaredLength > limit { throw ClientFailure.tooLarge(limit: limit) }
    while !isFinished {
      await connection.shareLoop()
      if connection.isLate { throw ClientFailure.timedOut(.receiving, afterSending: true) }
      var progressed = false
      if !connection.input.isEmpty {
        let used = try connection.input.withSpan { bytes in
          try decode(bytes, &progressed, consume)
        }
        connection.input.removeFirst(used)
        if isFinished { finish(connection) }
        if progressed { return true }
        continue
      }
      switch connection.fill() {
      case .bytes: continue
      case .wouldBlock: await connection.wait()
      case .end:
        guard case .untilClose = framing else { throw ClientFailure.brokeOff }
        framing = .finished
        connection.close()
      case .gone: throw ClientFailure.brokeOff
      }
    }
    return false
  }

  /// Takes what belongs to the body; returns how many bytes that is.
  private func decode(
    _ bytes: Span<UInt8>, _ progressed: inout Bool, _ consume: (Span<UInt8>) throws -> Void
  ) throws -> Int {
    switch framing {
    case .finished: return 0
    case .untilClose:
      try hand(bytes, &progressed, consume)
      return bytes.count
    case .length(let left):
      let count = Int(min(left, Int64(bytes.count)))
      // Not before the bytes were taken: a body that is finished keeps its connection.
      try hand(bytes.extracting(0..<count), &progressed, consume)
      framing = left == Int64(count) ? .finished : .length(left: left - Int64(count))
      return count
    case .chunked(var decoder):
      var used = 0
      while true {
        let rest = bytes.extracting(used..<bytes.count)
        switch try step(&decoder, rest) {
        case .data(let range, let consumed):
          try hand(rest.extracting(range), &progressed, consume)
          used += consumed
        case .incomplete(let consumed):
          framing = .chunked(decoder)
          return used + consumed
        case .finished(let consumed):
          framing = .finished
          return used + consumed
        }
      }
    }
  }

  private func step(
    _ decoder: inout ChunkedDecoder, _ bytes: Span<UInt8>
  ) throws(ClientFailure) -> ChunkedDecoder.Step {
    do throws(ChunkedFailure) {
      return try decoder.next(bytes)
    } catch { throw .malformed("chunked body: \(error)") }
  }

  private func hand(
    _ bytes: Span<UInt8>, _ progressed: inout Bool, _ consume: (Span<UInt8>) throws -> Void
  ) throws {
    guard bytes.count > 0 else { return }
    seen += Int64(bytes.count)
    guard seen <= limit else { throw ClientFailure.tooLarge(limit: limit) }
    progressed = true
    try consume(bytes)
  }
}
