// Upstream errors as clients see them (API.md §3, "Upstream errors").
internal import Upstream

extension Failure {
  /// What an upstream refused, or failed to do.
  init(upstream failure: UpstreamFailure) {
    self = Self.failure(for: failure)
    upstreamRequestID = failure.requestID
    if failure.isSpent { shouldRetry = false }
  }

  private static func failure(for failure: UpstreamFailure) -> Failure {
    switch failure.kind {
    case .invalidRequest, .notFound: passedOn(failure)
    case .contentPolicy:
      Failure(
        400, .imageGenerationUser, "moderation_blocked", failure.message, param: failure.param)
    case .auth: unspendable(502, .upstream, "upstream_auth_failed", failure)
    case .payment: unspendable(402, .insufficientQuota, "insufficient_quota", failure)
    case .rateLimit: limited(429, .rateLimit, failure.code ?? "rate_limit_exceeded", failure)
    case .overloaded: limited(503, .upstream, "upstream_overloaded", failure)
    case .serverError:
      Failure(502, .upstream, failure.code ?? "upstream_error", failure.message)
    case .noImage: Failure(502, .upstream, "no_image_returned", failure.message)
    case .timeout: unspendable(504, .upstream, "upstream_timeout", failure)
    case .connectionLost: unspendable(502, .upstream, "upstream_connection_lost", failure)
    case .encodingUnsupported:
      unspendable(502, .upstream, "upstream_encoding_unsupported", failure)
    case .unreachable: Failure(502, .upstream, "upstream_unreachable", failure.message)
    case .exhausted: .busy
    case .notConfigured: unspendable(503, .server, "upstream_not_configured", failure)
    case .foreignURL: Failure(502, .upstream, "foreign_result_url", failure.message)
    case .resultUnavailable:
      Failure(502, .upstream, failure.code ?? "result_url_failed", failure.message)
    }
  }

  /// A result that was paid for and can not be had: no fault of the client's request, and asking
  /// again by itself would buy it twice.
  func afterPaying(requestID: String?) -> Failure {
    let isOurs = status >= 500
    var failure = Failure(
      isOurs ? status : 502, type: isOurs ? type : ErrorType.upstream.rawValue, code, message,
      shouldRetry: false)
    failure.upstreamRequestID = upstreamRequestID ?? requestID
    failure.cause = cause
    failure.facts = facts
    return failure
  }

  /// The request was wrong: the upstream's own words, where it speaks OpenAI's dialect.
  private static func passedOn(_ failure: UpstreamFailure) -> Failure {
    let status = failure.status.flatMap { (400..<500).contains($0) ? $0 : nil } ?? 400
    return Failure(
      status, type: failure.type ?? ErrorType.invalidRequest.rawValue, failure.code,
      failure.message, param: failure.param)
  }

  /// Asking again by itself would change nothing, or buy the image twice.
  private static func unspendable(
    _ status: Int, _ type: ErrorType, _ code: String, _ failure: UpstreamFailure
  ) -> Failure {
    Failure(status, type, code, failure.message, shouldRetry: false)
  }

  private static func limited(
    _ status: Int, _ type: ErrorType, _ code: String, _ failure: UpstreamFailure
  ) -> Failure {
    let nanoseconds = failure.retryAfterNanoseconds ?? 5_000_000_000
    return Failure(
      status, type, code, failure.message,
      retryAfter: Int(max(1, (nanoseconds + 999_999_999) / 1_000_000_000)))
  }
}

extension Failure {
  static func withoutImage(_ index: Int) -> Failure {
    Failure(
      502, .upstream, "no_image_returned", "The upstream returned no image \(index).")
  }
}
