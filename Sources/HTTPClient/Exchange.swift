// One request and the head of its answer, over one connection.
internal import Net
internal import Wire

/// Writes the body of a request that is streamed.
public struct RequestBodyWriter {
  let exchange: Exchange

  /// Sends bytes; comes back when the socket has taken them.
  ///
  /// Throws `ClientFailure`, also when the server answered before it had all: let that pass.
  public func write(_ bytes: Span<UInt8>) async throws {
    try await exchange.write(bodyBytes: [UInt8](copying: bytes))
  }
}

final class Exchange {
  /// Interim answers (1xx) that are passed over.
  private static let interimLimit = 16

  /// The server answered before it had the whole request: it is not sent to its end.
  private struct AnsweredEarly: Error {}

  let connection: ClientConnection
  private let request: ClientRequest
  private(set) var head = ResponseHead()
  private(set) var headLength = 0
  private var hasHead = false
  private var interims = 0
  private var bodyLeft: Int64 = 0
  /// Whether the whole request was sent.
  private(set) var isSent = false

  init(_ request: ClientRequest, over connection: ClientConnection) {
    self.request = request
    self.connection = connection
  }

  /// Sends the request and reads the head of its answer.
  func run(_ head: [UInt8]) async throws(ClientFailure) {
    do {
      try await send(head)
      try await sendBody()
      isSent = true
    } catch is AnsweredEarly {
      // The connection can not be used again: the server may wait for the rest.
    } catch let failure as ClientFailure {
      throw failure
    } catch {
      throw .bodyFailed("\(error)")
    }
    while try !readHead() {
      if connection.isLate { throw .timedOut(.waiting, afterSending: connection.hasSent) }
      await connection.wait()
    }
  }

  // MARK: Sending

  private func sendBody() async throws {
    switch request.body {
    case .none: break
    case .bytes(let bytes): try await send(bytes)
    case .stream(let length, let write):
      bodyLeft = length
      try await write(RequestBodyWriter(exchange: self))
      guard bodyLeft == 0 else { throw ClientFailure.bodyFailed("\(bodyLeft) bytes are missing") }
    }
  }

  func write(bodyBytes bytes: [UInt8]) async throws {
    guard Int64(bytes.count) <= bodyLeft else {
      throw ClientFailure.bodyFailed("more bytes than were announced")
    }
    try await send(bytes)
    bodyLeft -= Int64(bytes.count)
  }

  private func send(_ bytes: [UInt8]) async throws {
    var sent = 0
    while true {
      if connection.isLate {
        throw ClientFailure.timedOut(.sending, afterSending: connection.hasSent)
      }
      let rest = bytes.span.extracting(sent..<bytes.count)
      let isDone = sent == bytes.count
      switch isDone ? connection.flush() : connection.write(rest) {
      case .bytes where isDone: return
      case .bytes(let count): sent += count
      // What the server said before it left tells why.
      case .gone: throw AnsweredEarly()
      case .wouldBlock:
        if try readHead() { throw AnsweredEarly() }
        await connection.wait()
      }
    }
  }

  // MARK: The head

  /// Reads what has come; whether the head of the final answer is whole.
  private func readHead() throws(ClientFailure) -> Bool {
    if hasHead { return true }
    while true {
      while !connection.input.isEmpty, try parseHead() {
        if hasHead { return true }
      }
      switch connection.fill() {
      case .bytes: continue
      case .wouldBlock: return false
      case .end, .gone:
        if connection.hasReceived { throw .brokeOff }
        throw .lost(afterSending: connection.hasSent)
      }
    }
  }

  /// Parses one head from the input, or a part of one; `false` when more is needed.
  private func parseHead() throws(ClientFailure) -> Bool {
    let answersHead = request.method == .head
    switch connection.input.withSpan({ head.parse($0, answersHead: answersHead) }) {
    case .incomplete: return false
    case .unfold(let place):
      for index in place...place + 1 { connection.input.overwrite(at: index, with: 0x20) }
      return true
    case .reject(let rejection): throw .malformed("\(rejection)")
    case .complete(let length):
      guard head.isInterim else {
        headLength = length
        hasHead = true
        return true
      }
      interims += 1
      // 101 changes the protocol, which nobody asked for.
      guard head.status != 101, interims <= Self.interimLimit else {
        throw .malformed("interim answers")
      }
      connection.input.removeFirst(length)
      return true
    }
  }
}
