// The one file that knows which status an error has. Everything below throws what happened; here it
// becomes what a client sees: a status and OpenAI's error envelope (API.md §1).
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Upstream
internal import Wire

/// An error as a client sees it.
struct Failure: Error {
  /// OpenAI's closed list of kinds, with ours.
  enum ErrorType: String {
    case invalidRequest = "invalid_request_error"
    case imageGenerationUser = "image_generation_user_error"
    case authentication = "authentication_error"
    case permission = "permission_error"
    case notFound = "not_found_error"
    case rateLimit = "rate_limit_error"
    case insufficientQuota = "insufficient_quota"
    case insufficientStorage = "insufficient_storage"
    case upstream = "upstream_error"
    case server = "server_error"
  }
  let status: Int
  /// One of `ErrorType`, or what an upstream that speaks OpenAI's dialect said.
  let type: String
  let code: String?
  let param: String?
  let message: String
  /// Seconds, for `Retry-After`.
  var retryAfter: Int?
  /// `x-should-retry`; `nil` leaves it to the client.
  var shouldRetry: Bool?
  /// The upstream's own id of the call.
  var upstreamRequestID: String?
  /// The methods of a 405.
  var allow: StaticString?
  /// The codings of bodies that a 415 would have (RFC 9110 §15.5.16).
  var acceptEncoding: StaticString?
  /// What went wrong inside, for the log; never for clients.
  var cause: String?
  /// What it was about, for the log.
  var facts = FaultFacts()

  init(
    _ status: Int, _ type: ErrorType, _ code: String?, _ message: String, param: String? = nil,
    retryAfter: Int? = nil, shouldRetry: Bool? = nil
  ) {
    self.init(
      status, type: type.rawValue, code, message, param: param, retryAfter: retryAfter,
      shouldRetry: shouldRetry)
  }

  init(
    _ status: Int, type: String, _ code: String?, _ message: String, param: String? = nil,
    retryAfter: Int? = nil, shouldRetry: Bool? = nil
  ) {
    self.status = status
    self.type = type
    self.code = code
    self.param = param?.shownName
    // Whatever stands in it: an error is no place for what a client has sent.
    self.message = message.cut(toBytes: Self.longestMessage)
    self.retryAfter = retryAfter
    self.shouldRetry = shouldRetry
  }

  /// The longest message, in bytes: an upstream's has 1,000 characters.
  private static let longestMessage = 4096

  /// `{"error":{"message","type","param","code"}}`
  var envelope: [UInt8] {
    let error: JSONValue = [
      "message": .string(message), "type": .string(type), "param": JSONValue(param),
      "code": JSONValue(code),
    ]
    return (["error": error] as JSONValue).bytes
  }

  /// The whole answer.
  var response: Response {
    var response = Response(status: status, json: envelope)
    response.add("Cache-Control", "no-store")
    if let retryAfter { response.add("Retry-After", String(retryAfter)) }
    if let shouldRetry { response.add("x-should-retry", String(shouldRetry)) }
    if let upstreamRequestID { response.add("x-upstream-request-id", upstreamRequestID) }
    if let allow { response.add("Allow", allow.description) }
    if let acceptEncoding { response.add("Accept-Encoding", acceptEncoding.description) }
    if status == 401 { response.add("WWW-Authenticate", "Bearer") }
    return response
  }
}

extension Failure {
  static func badRequest(_ message: String, param: String? = nil, code: String? = nil) -> Failure {
    Failure(
      400, .invalidRequest, code ?? (param == nil ? nil : "invalid_value"), message, param: param)
  }

  static func notFound(_ what: String) -> Failure {
    Failure(404, .notFound, "not_found", "There is no such \(what).")
  }

  /// A resource of another owner answers this, too: the same body as an unknown one.
  static let unknownAsset = notFound("asset")
  static let unknownRoute = Failure(404, .notFound, "unknown_url", "There is nothing at this URL.")

  /// The same, for a client whose base URL is nearly right.
  static func unknownRoute(meaning path: String?) -> Failure {
    guard let path else { return unknownRoute }
    return Failure(
      404, .notFound, "unknown_url",
      "There is nothing at this URL; it is \(path). A client's base URL ends in /v1, once.")
  }

  /// For wrong keys only: a good one is answered from the same address.
  static func tooManyWrongKeys(retryAfter seconds: Int) -> Failure {
    Failure(
      429, .rateLimit, "too_many_wrong_keys",
      "This key is not known, or revoked, and there were many such from this address.",
      retryAfter: seconds, shouldRetry: false)
  }

  static let busy = Failure(
    503, .server, "busy", "The server is busy; try again in a moment.", retryAfter: 1)

  static func methodNotAllowed(on route: Route) -> Failure {
    route.allow.map { methodNotAllowed($0) } ?? unknownRoute
  }

  static func methodNotAllowed(_ allow: StaticString) -> Failure {
    var failure = Failure(
      405, .invalidRequest, "method_not_allowed", "This URL allows \(allow) only.")
    failure.allow = allow
    return failure
  }

  /// What the wire layer refused (RFC 9112); its reason says what is wrong.
  static func refused(_ status: Int, _ reason: StaticString) -> Failure {
    Failure(
      status, status >= 500 && status != 501 && status != 505 ? .server : .invalidRequest, nil,
      reason.description)
  }

  /// Any error, as a client sees it. What is not known is 500 and says nothing of its insides.
  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let failure as StoreFailure:
      self.init(store: failure)
      if status >= 500 { cause = "\(failure)" }
    case let failure as UpstreamFailure: self.init(upstream: failure)
    case let failure as BodyFailure: self.init(body: failure)
    case let failure as JSONFailure where failure.fault.isLimit:
      self = .badRequest("The body can not be used: \(failure).", code: "invalid_value")
    case let failure as JSONFailure:
      self = .badRequest("The body is not valid JSON: \(failure).", code: "invalid_json")
    case let failure as ScanFailure: self.init(scan: failure)
    case is WorkersBusy: self = .busy
    default: self.init(internalError: error)
    }
  }

  init(body failure: BodyFailure) {
    switch failure {
    case .tooLarge(let limit):
      self.init(
        413, .invalidRequest, "body_too_large", "The body is larger than \(limit) bytes.")
    case .tooSlow:
      self.init(
        408, .invalidRequest, "body_too_slow",
        "The body came too slowly: less than 500 bytes a second for 10 seconds.")
    case .malformed:
      self.init(400, .invalidRequest, "invalid_body", "The body's chunked coding is broken.")
    case .disconnected:
      self.init(400, .invalidRequest, "incomplete_body", "The body ended before its length.")
    }
  }

  init(scan failure: ScanFailure) {
    let message = "The body can not be used: \(failure)."
    switch failure {
    case .json(let fault):
      let code = fault.isLimit ? "invalid_value" : "invalid_json"
      self.init(400, .invalidRequest, code, message)
    case .tooManyImages, .twoDataArrays:
      self.init(400, .invalidRequest, "invalid_value", message, param: "data")
    case .skeletonTooLarge: self.init(413, .invalidRequest, "body_too_large", message)
    }
  }

  init(internalError error: any Error) {
    self.init(500, .server, nil, "Something went wrong on our side; the log has the request id.")
    cause = "\(error)"
  }
}

extension Failure {
  /// What the store refused.
  init(store failure: StoreFailure) {
    switch failure.kind {
    case .full(.quota):
      let sums = failure.figures.map {
        ": \($0.used) of \($0.limit) bytes are used or promised to running orders, and \($0.asked) "
          + "more are needed"
      }
      self.init(
        507, .insufficientStorage, "quota_exceeded",
        "The key's quota does not hold this\(sums ?? "").")
    case .full:
      let figures = failure.hint.map { ": \($0)" } ?? ""
      let message =
        switch failure.operation {
        case .delete, .change, .keys, .collect:
          "The disk is full: not even a deletion can be written down. Make room on it, then try "
            + "again\(figures)."
        default: "The store has no room left for this image\(figures)."
        }
      self.init(507, .insufficientStorage, "insufficient_storage", message)
    case .readOnly, .outcomeUnknown, .closed:
      self.init(
        503, .server, "read_only", "The store takes no writes at the moment.", retryAfter: 30)
    case .busy: self = .busy
    // Descriptors come back as others end.
    case .io(let errno) where errno.isNoDescriptor: self = .busy
    // Nothing of it is stored, and the disk is looked at: another try may go well, or hears more.
    case .io where failure.operation.isWrite:
      self.init(
        503, .server, "storage_failed", "The disk refused to store this; try again in a moment.",
        retryAfter: 5)
    case .notFound: self = .unknownAsset
    case .taken: self.init(409, .invalidRequest, "taken", "The name is taken.", param: "name")
    case .assetDamaged:
      self.init(
        500, .server, "asset_damaged", "The file of this image is damaged or missing.",
        shouldRetry: false)
      cause = "\(failure)"
    case .blocked:
      self.init(403, .permission, "content_blocked", "This image was taken down.")
    case .tooLarge(let limit):
      self.init(
        413, .invalidRequest, "image_too_large", "The image is larger than \(limit) bytes.")
    case .tooManyPixels(let limit):
      self.init(
        413, .invalidRequest, "image_too_large", "The image has more than \(limit) pixels.")
    case .notAnImage:
      self.init(
        415, .invalidRequest, "unsupported_image",
        "The data is not a PNG, JPEG, WebP, GIF or AVIF image.")
    case .lengthMismatch, .digestMismatch:
      self.init(400, .invalidRequest, "incomplete_image", "The image did not arrive whole.")
    default: self.init(internalError: failure)
    }
  }
}
