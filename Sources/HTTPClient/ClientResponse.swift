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
  private var framing: BodyFraming
  private let coding: ContentCoding
  private var inflater: Inflater?
  private let connection: ClientConnection
  private let finish: (ClientConnection) -> Void
  /// Whether nothing more is read: the body was handed out, or was given up.
  private var isOver = false
  /// Bytes handed out, and bytes that they were decoded from.
  private var seen: Int64 = 0
  private var encoded: Int64 = 0
  /// The most bytes that `read` hands out; as many may come in an encoded form.
  public var limit: Int64
  /// The length that the server announced, if it did and the body is not encoded.
  public let declaredLength: Int64?

  /// `finish` is told when the body was read to its end.
  init(
    _ body: ResponseBody, _ coding: ContentCoding, over connection: ClientConnection, limit: Int64,
    finish: @escaping (ClientConnection) -> Void
  ) {
    framing = BodyFraming(body)
    self.coding = coding
    inflater = coding.inflater
    self.connection = connection
    self.finish = finish
    self.limit = limit
    if case .length(let count) = body, coding == .identity {
      declaredLength = count
    } else {
      declaredLength = nil
    }
    if framing.isFinished { end() } else { connection.userLeft() }
  }

  deinit {
    if !isOver { connection.close() }
  }

  /// Hands the next bytes to `consume`, as many as have come; `false` at the end of the body.
  ///
  /// Throws `ClientFailure`, or what `consume` throws; the connection is closed then. The time
  /// between two calls is the reader's own, and not taken from the server's.
  public func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    connection.userCame()
    defer { if !isOver { connection.userLeft() } }
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
    guard !isOver else { return }
    isOver = true
    connection.close()
  }

  private func end() {
    isOver = true
    finish(connection)
  }

  private func pull(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    if let declaredLength, declaredLength > limit { throw ClientFailure.tooLarge(limit: limit) }
    while !isOver {
      if case .other(let name) = coding { throw ClientFailure.unsupportedCoding(name) }
      await connection.shareLoop()
      if connection.isLate { throw ClientFailure.timedOut(.receiving, afterSending: true) }
      let progressed = try inflater == nil ? take(consume) : inflate(consume)
      if framing.isFinished, inflater?.needsInput ?? true { try finishBody() }
      if progressed { return true }
      guard !isOver, connection.input.isEmpty, inflater?.needsInput ?? true else { continue }
      switch connection.fill() {
      case .bytes: continue
      case .wouldBlock: await connection.wait()
      case .end: try framing.end()
      case .gone: throw ClientFailure.brokeOff
      }
    }
    return false
  }

  private func finishBody() throws(ClientFailure) {
    if let inflater, !inflater.mayEnd { throw .malformed("the compressed body is cut") }
    end()
  }

  /// Hands out what has come; whether that was anything.
  private func take(_ consume: (Span<UInt8>) throws -> Void) throws -> Bool {
    var progressed = false
    while try findRun() {
      let run = framing.run
      try connection.input.withSpan { try hand($0.extracting(first: run), consume) }
      progressed = true
      // Only now: a body that is finished keeps its connection.
      used(run)
    }
    return progressed
  }

  /// Decodes a step of what has come, no longer than a turn may be; whether bytes came out.
  private func inflate(_ consume: (Span<UInt8>) throws -> Void) throws -> Bool {
    guard var inflater, try findRun() || !inflater.needsInput else { return false }
    // One owner at a time, or each step would copy the decoder's memory.
    self.inflater = nil
    defer { self.inflater = inflater }
    let run = framing.run
    do throws(InflateFailure) {
      let taken = try connection.input.withSpan { (bytes) throws(InflateFailure) in
        try inflater.decode(bytes.extracting(first: run))
      }
      used(taken)
      encoded += Int64(taken)
    } catch { throw ClientFailure.malformed("the compressed body: \(error)") }
    guard encoded <= limit else { throw ClientFailure.tooLarge(limit: limit) }
    let count = inflater.withOutput { $0.count }
    try inflater.withOutput { try hand($0, consume) }
    inflater.removeOutput()
    return count > 0
  }

  /// Finds the next bytes of the body among those that have come, past framing.
  private func findRun() throws(ClientFailure) -> Bool {
    while framing.run == 0, !framing.isFinished, !connection.input.isEmpty {
      let skipped = try connection.input.withSpan { (bytes) throws(ClientFailure) in
        try framing.advance(bytes)
      }
      connection.input.removeFirst(skipped)
    }
    return framing.run > 0
  }

  private func used(_ count: Int) {
    connection.input.removeFirst(count)
    framing.take(count)
  }

  private func hand(_ bytes: Span<UInt8>, _ consume: (Span<UInt8>) throws -> Void) throws {
    guard bytes.count > 0 else { return }
    seen += Int64(bytes.count)
    guard seen <= limit else { throw ClientFailure.tooLarge(limit: limit) }
    try consume(bytes)
  }
}
