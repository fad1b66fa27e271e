// What the server asks of the service above it. One service object lives on each loop.
public import Net
public import Wire

/// How a service meets a request.
public enum Answer {
  /// The answer is in the `ResponseWriter`: it leaves in this turn.
  case written
  /// `handle` will read the body and answer, as a task on the connection's loop.
  case later
}

/// How an exchange ended, for the access log and the counters.
public struct ExchangeOutcome: Sendable {
  /// The status that was sent, 0 if the client left before.
  public var status: Int
  /// Body bytes that were handed to the kernel.
  public var bodyBytes: Int64
  /// From the turn that saw the request's last head byte to the response's last byte.
  public var nanoseconds: Int64
  /// Whether the client left or was cut off before the end.
  public var isAborted: Bool
  /// `ResponseWriter.tag`; 0 when the service was not asked.
  public var tag: UInt8

  /// An outcome.
  public init(
    status: Int, bodyBytes: Int64, nanoseconds: Int64, isAborted: Bool, tag: UInt8 = 0
  ) {
    self.status = status
    self.bodyBytes = bodyBytes
    self.nanoseconds = nanoseconds
    self.isAborted = isAborted
    self.tag = tag
  }
}

/// The part of the program that knows what requests mean; lives on one loop, is never shared.
public protocol HTTPService: AnyObject {
  /// Answers into `response` from what is at hand, or leaves it to `handle`. Must not block.
  ///
  /// What it appends to `response.note` comes back in `finished`: what may be logged of the
  /// request.
  func answer(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, from peer: Peer,
    into response: inout ResponseWriter
  ) -> Answer

  /// Answers what `answer` left for later. A client that leaves meanwhile does not end it.
  func handle(_ request: Request, on loop: isolated EventLoop) async -> Response

  /// Answers a request that the wire layer refused, or that came too late or too slowly.
  func refuse(_ status: Int, _ reason: StaticString, into response: inout ResponseWriter)

  /// A streamed body broke off while its client was there; the connection is closed for it.
  func bodyFailed(_ error: any Error, of request: Request)

  /// The exchange is over; `note` is what `answer` left in `response.note`.
  func finished(_ outcome: ExchangeOutcome, note: Span<UInt8>)

  /// The server is drained, its last exchange is over: what was kept back is to be written now.
  func drained()
}
