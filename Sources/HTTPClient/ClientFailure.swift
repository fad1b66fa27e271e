/// Why a call has no answer, or only a part of one; says whether the request may have been acted
/// on.
public enum ClientFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where a call was when its time was over.
  public enum Phase: String, Hashable, Sendable {
    case resolving, connecting, securing, sending, waiting, receiving
  }

  /// A header line or URL that can not be sent; nothing was.
  case badRequest(String)
  /// The host has an address that the call's policy refuses; no packet was sent to it.
  case refusedAddress(String)
  /// No such name, no route, or refused; no byte of the request was sent.
  case unreachable(String)
  /// This process has no descriptor, memory or thread for the call; no byte of it was sent.
  case exhausted(String)
  /// The TLS handshake failed, or the certificate is not for the host or not trusted; no byte of
  /// the request was sent.
  case tls(String)
  /// The server spoke before it was asked, so what it says answers nothing; no byte was sent.
  case spokeFirst
  /// Time was over in a phase; `afterSending` says whether a byte of the request had left.
  case timedOut(Phase, afterSending: Bool)
  /// The connection was lost before a byte of the answer came.
  case lost(afterSending: Bool)
  /// The answer broke off: the connection was lost within it.
  case brokeOff
  /// The answer is not HTTP/1, or its framing or its compression is broken.
  case malformed(String)
  /// The answer's body is encoded, although we asked for none, in a way that we can not read.
  case unsupportedCoding(String)
  /// The answer's body is longer than the caller takes, in bytes.
  case tooLarge(limit: Int64)
  /// The caller's own body could not be written; a part of the request had left.
  case bodyFailed(String)

  /// Whether it is certain that no byte of the request was sent, so that nothing can have been
  /// bought with it.
  public var isBeforeSending: Bool {
    switch self {
    case .badRequest, .refusedAddress, .unreachable, .exhausted, .tls, .spokeFirst: true
    case .timedOut(_, let afterSending), .lost(let afterSending): !afterSending
    case .brokeOff, .malformed, .unsupportedCoding, .tooLarge, .bodyFailed: false
    }
  }

  /// For an operator; holds no header line and no body.
  public var description: String {
    switch self {
    case .badRequest(let detail): "the request can not be sent: \(detail)"
    case .refusedAddress(let detail): "the address is not allowed: \(detail)"
    case .unreachable(let detail): "could not connect: \(detail)"
    case .exhausted(let detail): "nothing left to connect with: \(detail)"
    case .tls(let detail): "no trusted connection: \(detail)"
    case .spokeFirst: "the server spoke before it was asked"
    case .timedOut(let phase, _): "timed out while \(phase.rawValue)"
    case .lost(let afterSending):
      afterSending
        ? "the connection was lost" : "the connection was lost before the request was sent"
    case .brokeOff: "the answer broke off"
    case .malformed(let detail): "the answer is malformed: \(detail)"
    case .unsupportedCoding(let name): "the answer is encoded as \(name), which can not be read"
    case .tooLarge(let limit): "the answer has more than \(limit) bytes"
    case .bodyFailed(let detail): "the request's body failed: \(detail)"
    }
  }
}
