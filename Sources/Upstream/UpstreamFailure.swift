// Why an order has no image, and what may be said and done about it (API.md, "Upstream errors").
internal import HTTPClient
internal import Wire

/// A failed order.
public struct UpstreamFailure: Error, Hashable, Sendable {
  /// What happened.
  public enum Kind: Hashable, Sendable {
    /// The request was wrong.
    case invalidRequest
    /// The upstream has no such model.
    case notFound
    /// The upstream refused what was asked for, or withheld what it made.
    case contentPolicy
    /// The upstream refused our key, or what it may do.
    case auth
    /// Our balance or spending limit is used up.
    case payment
    /// Too many calls.
    case rateLimit
    /// The upstream said that it is overloaded.
    case overloaded
    /// The upstream said that it failed, or its answer can not be understood.
    case serverError
    /// An answer without an image.
    case noImage
    /// No answer in time; when `isUnspent` is false, an image may have been made and paid for.
    case timeout
    /// The connection was lost after a part of the order was sent, or what came is no HTTP: as
    /// `timeout`.
    case connectionLost
    /// The answer is encoded in a way that was not asked for and can not be read.
    case encodingUnsupported
    /// No connection: nothing was sent.
    case unreachable
    /// This process has nothing left to make a connection with: nothing was sent.
    case exhausted
    /// The upstream has no key.
    case notConfigured
    /// A result on another origin than the upstream's.
    case foreignURL
    /// A result's URL that gave nothing; `code` says why.
    case resultUnavailable
  }

  /// What happened.
  public let kind: Kind
  /// The upstream's own status; `nil` when there was no answer.
  public var status: Int?
  /// The upstream's own `error.type`, where it speaks OpenAI's dialect; without keys, at most
  /// `codeLimit` bytes, as `code` and `param`.
  public var type: String?
  /// The upstream's own `error.code`; a number as text.
  public var code: String?
  /// The upstream's own `error.param`.
  public var param: String?
  /// For the client: without keys, at most `messageLimit` characters.
  public let message: String
  /// How long the upstream asks to wait, in nanoseconds.
  public var retryAfterNanoseconds: Int64?
  /// The upstream's own id of the call.
  public var requestID: String?
  /// Whether it is certain that nothing was bought: no byte was sent, or the upstream said that it
  /// took no order (an explicit rate limit or overload, under a status that is no failure of its
  /// own). Another attempt is safe then.
  public internal(set) var isUnspent: Bool
  /// Whether an order was taken, or may have been: an answer came (a 200 is bought, whatever it
  /// says), or a proxy's own time-out. Another attempt may buy it twice.
  public internal(set) var isSpent = false
  /// How often the order was sent, the last time included.
  public internal(set) var attempts = 1

  /// Whether the upstream did not answer, or a proxy before it says so: 504, 598, 599, and
  /// Cloudflare's 520 to 524. Any other status may concern one order or one model alone (routers
  /// say 502 of a single maker).
  public var isOutage: Bool {
    if let status, !(200..<300).contains(status) {
      return [504, 598, 599].contains(status) || (520...524).contains(status)
    }
    return switch kind {
    case .unreachable, .timeout, .connectionLost: true
    default: false
    }
  }

  /// Whether another attempt may go better.
  public internal(set) var isTransient: Bool

  /// How long a message may be.
  public static let messageLimit = 1000
  /// How long a code, a type and a parameter's name may be, in bytes.
  public static let codeLimit = 64

  /// A failure that no answer tells of.
  public init(
    _ kind: Kind, _ message: String, code: String? = nil, param: String? = nil,
    isUnspent: Bool = false
  ) {
    self.kind = kind
    self.message = Scrubber().scrub(message)
    self.code = code
    self.param = param
    self.isUnspent = isUnspent
    isTransient = false
  }

  /// A failure that an upstream told of.
  init(
    _ kind: Kind, _ error: ReportedError, status: Int, message: String, _ scrubber: Scrubber
  ) {
    self.kind = kind
    self.status = status
    type = scrubber.scrub(code: error.type)
    code = scrubber.scrub(code: error.code)
    param = scrubber.scrub(code: error.param)
    self.message = scrubber.scrub(message)
    isUnspent = (kind == .rateLimit || kind == .overloaded) && Kind.isRefusal(status)
    isTransient = isUnspent
  }

  /// The failure of a call that brought no whole answer within `time` nanoseconds.
  init(_ failure: ClientFailure, within time: Int64, _ scrubber: Scrubber) {
    let kind: Kind =
      switch failure {
      case .timedOut(_, let afterSending): afterSending ? .timeout : .unreachable
      case .lost(let afterSending): afterSending ? .connectionLost : .unreachable
      // What can not be read may have been paid for all the same.
      case .unsupportedCoding: .encodingUnsupported
      case .brokeOff, .bodyFailed, .malformed, .tooLarge: .connectionLost
      case .badRequest: .notConfigured
      case .exhausted: .exhausted
      case .unreachable, .tls, .refusedAddress, .spokeFirst: .unreachable
      }
    self.kind = kind
    message = scrubber.scrub(Self.message(failure, within: time))
    isUnspent = failure.isBeforeSending
    // A wrong certificate or address does not right itself.
    isTransient =
      switch failure {
      case .unreachable, .lost, .timedOut: isUnspent
      default: false
      }
  }

  private static func message(_ failure: ClientFailure, within time: Int64) -> String {
    let seconds = max(1, (time + 500_000_000) / 1_000_000_000)
    return switch failure {
    case .timedOut(.receiving, _):
      "The upstream's answer was not whole within \(seconds) s; the call may have been billed."
    case .timedOut(_, afterSending: true):
      "The upstream did not answer within \(seconds) s; the call may have been billed."
    case .brokeOff: "The upstream's answer broke off; the call may have been billed."
    case .lost(afterSending: true):
      "The upstream closed the connection without an answer; the call may have been billed."
    case .malformed(let detail): "The upstream's answer can not be read: \(detail)."
    case .unsupportedCoding(let name):
      "The upstream's answer is encoded as \(name), which was not asked for and can not be read."
    case .tooLarge(let limit): "The upstream's answer has more than \(limit) bytes."
    case .badRequest, .bodyFailed, .exhausted, .lost, .refusedAddress, .spokeFirst, .timedOut, .tls,
      .unreachable:
      "The upstream could not be asked: \(failure)."
    }
  }

  /// A result's URL that gave nothing.
  static func resultUnavailable(_ code: String, _ reason: String) -> UpstreamFailure {
    UpstreamFailure(
      .resultUnavailable, "The upstream's result could not be fetched: \(reason).", code: code)
  }

  /// An answer that is no JSON, or cut.
  public static func malformedAnswer(_ reason: String, requestID: String?) -> UpstreamFailure {
    var failure = UpstreamFailure(
      .serverError, "The upstream's answer can not be read: \(reason).", code: "invalid_answer")
    failure.requestID = requestID
    failure.isSpent = true
    return failure
  }
}
