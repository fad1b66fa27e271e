// What an upstream's error means: judged by its body first, then by its status (API.md), because
// refusals come as 400, 403, 451 and 200, and empty balances as 400, 402, 403 and 429
// (UPSTREAMS.md §2.5, §3.8, §12). Pure.
internal import Wire

/// The error that an answer holds, as far as its parts are there.
struct ReportedError: Equatable {
  var type: String?
  var code: String?
  var param: String?
  var message: String?
  /// Deeper codes: Azure says "content filter" only there.
  var innerCode: String?
  /// Whether `moderation_details` or filter results are there.
  var hasModeration = false

  init() {}

  /// The `error` of an answer: an object, a text, or the root itself with `code` or `message`.
  init?(_ root: JSONValue) {
    if let text = root["error"]?.string {
      message = text
      code = Self.text(root["code"])
    } else if let error = root["error"], error.object != nil {
      take(error)
    } else if root["error"] == nil, root["data"] == nil,
      root["message"]?.string != nil || root["code"]?.string != nil
    {
      take(root)
    } else {
      return nil
    }
  }

  private mutating func take(_ error: JSONValue) {
    type = Self.text(error["type"])
    code = Self.text(error["code"])
    param = Self.text(error["param"])
    message = Self.text(error["message"])
    let inner = error["innererror"] ?? error["inner_error"]
    innerCode = Self.text(inner?["code"])
    hasModeration = error["moderation_details"]?.object != nil
  }

  /// A text that is not empty, or a number as text.
  private static func text(_ value: JSONValue?) -> String? {
    if let text = value?.string { return text.isEmpty ? nil : String(text.prefix(2000)) }
    return value?.number?.text
  }
}

extension UpstreamFailure {
  /// What a non-2xx answer means. `body` is its first 64 KiB; it may be HTML, cut, or empty.
  public init(status: Int, headers: UpstreamHeaders, body: Span<UInt8>) {
    self.init(status: status, headers: headers, body: body, Scrubber())
  }

  init(status: Int, headers: UpstreamHeaders, body: Span<UInt8>, _ scrubber: Scrubber) {
    let root = try? JSONValue.parse(body)
    let error = root.flatMap { ReportedError($0) } ?? ReportedError()
    let kind = Kind(error) ?? Kind(status: status)
    let message =
      if kind == .auth {
        // What it says about our key is none of the client's business.
        "The upstream refused assetd's key or what it may do."
      } else {
        error.message ?? "The upstream answered with status \(status)."
      }
    self.init(kind, error, status: status, message: scrubber.scrub(message))
    requestID = headers.requestID
    retryAfterNanoseconds = headers.retryAfterNanoseconds
  }

  /// What a 2xx answer without a single image means, by what was left of it: the error inside it
  /// (of the whole or of the first entry that has one), else `noImage`.
  public static func withoutImage(
    skeleton: Span<UInt8>, requestID: String?
  ) -> UpstreamFailure {
    var failure = UpstreamFailure(.noImage, "The upstream returned no image.")
    if let root = try? JSONValue.parse(skeleton), let error = errorInside(root) {
      let message = Scrubber().scrub(error.message ?? "The upstream reported an error.")
      failure = UpstreamFailure(Kind(error) ?? .serverError, error, status: 200, message: message)
    }
    // A 200 may have been charged, whatever it says.
    failure.isUnspent = false
    failure.requestID = requestID
    return failure
  }

  private static func errorInside(_ root: JSONValue) -> ReportedError? {
    if let error = ReportedError(root) { return error }
    for item in root["data"]?.array ?? [] {
      if item["error"]?.isNull == false, let error = ReportedError(item) { return error }
    }
    return nil
  }
}

extension UpstreamFailure.Kind {
  /// What a body says by itself; `nil` when that is nothing certain.
  init?(_ error: ReportedError) {
    let codes = [error.code, error.innerCode, error.type].compactMap { $0.map(Self.plain) }
    func says(_ words: [String]) -> Bool {
      codes.contains { code in words.contains { code.contains($0) } }
    }
    if says(Self.policyCodes) || error.hasModeration || Self.soundsLikePolicy(error) {
      self = .contentPolicy
    } else if says(Self.paymentCodes) {
      self = .payment
    } else if says(Self.modelCodes) || Self.namesModel(error) {
      self = .notFound
    } else if says(Self.keyCodes) {
      self = .auth
    } else if says(Self.overloadCodes) {
      self = .overloaded
    } else if says(Self.rateCodes) {
      self = .rateLimit
    } else {
      return nil
    }
  }

  /// What a status says by itself.
  init(status: Int) {
    switch status {
    case 401, 403: self = .auth
    case 402: self = .payment
    case 404: self = .notFound
    case 429: self = .rateLimit
    case 451: self = .contentPolicy
    case 503, 529: self = .overloaded
    case 408: self = .serverError
    case 400..<500: self = .invalidRequest
    default: self = .serverError
    }
  }

  // Codes and types in lowercase letters and digits; one that contains such a word counts.
  private static let policyCodes = [
    "moderationblocked", "contentpolicy", "contentfilter", "responsibleai", "sensitivecontent",
    "sensitiveword", "promptblocked", "datainspection", "riskdetection",
    "contentmoderation", "safetyviolation", "safetyblock",
  ]
  private static let paymentCodes = [
    "insufficientquota", "insufficientuserquota", "insufficientbalance", "insufficientcredits",
    "billing", "spendlimit", "preconsumetokenquota", "arrearage", "accountoverdue", "setlimit",
    "quotaexceeded",
  ]
  private static let modelCodes = ["modelnotfound", "deploymentnotfound", "modelnotopen"]
  private static let keyCodes = [
    "invalidapikey", "incorrectapikey", "authenticationerror", "permissionerror",
    "permissiondenied", "accessdenied",
  ]
  private static let rateCodes = ["ratelimit", "throttling", "toomanyrequests"]
  private static let overloadCodes = ["overloaded", "serviceunavailable"]

  private static func plain(_ code: String) -> String {
    String(code.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
  }

  /// A retired model is a wrong value of `model` (UPSTREAMS.md §3.8).
  private static func namesModel(_ error: ReportedError) -> Bool {
    error.param == "model" && error.code == "invalid_value"
  }

  /// Vendors without a code of their own for refusals: their words tell. Only where nothing more
  /// exact was said, since `moderation` is a parameter too.
  private static func soundsLikePolicy(_ error: ReportedError) -> Bool {
    let isVague =
      error.param == nil && (error.code == nil || error.code.flatMap { Int($0) } != nil)
    guard isVague, let message = error.message?.lowercased() else { return false }
    return policyWords.contains { message.contains($0) }
  }

  private static let policyWords = [
    "safety system", "content policy", "content filter", "content management policy",
    "safety filter", "usage policies", "violates our", "moderation system",
  ]
}
