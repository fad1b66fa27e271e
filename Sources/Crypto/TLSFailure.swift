internal import COpenSSL

/// Why a TLS connection failed; it is over for good.
public struct TLSFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with the peer's certificate.
  public enum CertificateProblem: String, Hashable, Sendable {
    /// Its time, or that of one above it, is over.
    case expired
    /// Its time has not begun; a wrong clock shows itself so.
    case notYetValid
    /// It is signed by itself and not trusted.
    case selfSigned
    /// No trusted authority stands above it, or a link of the chain was not sent.
    case untrusted
    /// It is for another name or address.
    case hostMismatch
    /// Anything else: revoked, weak key, wrong purpose, broken signature.
    case invalid
  }

  /// The kinds that callers tell apart.
  public enum Kind: Hashable, Sendable {
    /// The peer's certificate was refused.
    case certificate(CertificateProblem)
    /// The peer does not speak TLS, speaks only older versions, or broke the protocol's rules.
    case `protocol`
    /// The peer's bytes ended before the handshake was done.
    case closed
    /// Our own side: bad PEM text, an impossible host name, no memory.
    case configuration
  }

  /// The kind.
  public let kind: Kind
  /// libssl's words for it; it holds no byte of the traffic and no secret.
  public let detail: String

  /// A failure of `kind`; `detail` is for an operator.
  public init(_ kind: Kind, _ detail: String) {
    self.kind = kind
    self.detail = detail
  }

  /// `TLS certificate expired: certificate has expired`, and the like.
  public var description: String {
    switch kind {
    case .certificate(let problem): "TLS certificate \(problem.rawValue): \(detail)"
    case .protocol: "TLS protocol: \(detail)"
    case .closed: "TLS closed: \(detail)"
    case .configuration: "TLS configuration: \(detail)"
    }
  }
}

extension TLSFailure.CertificateProblem {
  /// The problem of a result of X509_STORE_CTX_get_error(3).
  init(verification code: Int) {
    switch Int32(truncatingIfNeeded: code) {
    case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
    case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .hostMismatch
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
      X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
      X509_V_ERR_CERT_UNTRUSTED:
      self = .untrusted
    default: self = .invalid
    }
  }
}

/// The calling thread's queue of libcrypto errors (ERR_get_error(3)).
enum ErrorQueue {
  /// The oldest error, the cause of the others, as libcrypto words it; empties the queue.
  static func take() -> (reason: Int32, text: String)? {
    let code = ERR_get_error()
    defer { ERR_clear_error() }
    guard code != 0 else { return nil }
    // A libcrypto without its string tables has no words; the number is then all there is.
    let text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) }
    return (ERR_GET_REASON(code), text ?? "error \(code)")
  }
}
