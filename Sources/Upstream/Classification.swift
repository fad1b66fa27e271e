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

  /// The `error` of an answer: an object, a text, a list of such; or the root itself, where there
  /// is no `data`, with what frameworks and vendors put there (`detail`, `message`, `code`, …).
  init?(_ root: JSONValue) {
    if let text = Self.text(root["error"]) {
      message = text
      code = Self.text(root["code"])
    } else if let error = root["error"]?.array?.first ?? root["error"], error.object != nil {
      take(error)
      if message == nil { message = Self.sentence(root) }
    } else if root["error"]?.isNull ?? true, root["data"]?.isNull ?? true, root.object != nil {
      take(root)
      guard message != nil || code != nil else { return nil }
    } else if let nested = root.array?.first.flatMap({ ReportedError($0) }) {
      self = nested
    } else {
      return nil
    }
  }

  /// A body that is no JSON: its text, unless it is a page.
  init?(plain body: Span<UInt8>) {
    let start = body.extracting(0..<min(body.count, Self.longestText))
    let bytes = start.indices.map { start[$0] }
    guard !bytes.contains(0) else { return nil }
    let words = bytes.split { $0 == 0x20 || (0x09...0x0D).contains($0) }.joined(separator: [0x20])
    let text = String(decoding: Array(words), as: UTF8.self)
    let others = "<{[\u{FFFD}\u{FEFF}".unicodeScalars
    guard let first = text.unicodeScalars.first, !others.contains(first) else { return nil }
    message = text
  }

  /// What is looked at of a text, in bytes: what one calls a character may have any number of them.
  private static let longestText = 8000

  private mutating func take(_ error: JSONValue) {
    type = Self.text(error["type"])
    code = Self.text(error["code"])
    param = Self.text(error["param"])
    message = Self.sentence(error)
    let inner = error["innererror"] ?? error["inner_error"]
    innerCode = Self.text(inner?["code"])
    hasModeration = error["moderation_details"]?.object != nil
  }

  /// What is said in words, under the names that are in use.
  private static func sentence(_ error: JSONValue) -> String? {
    for name in ["message", "msg", "detail", "error_message", "error_msg", "reason", "title"] {
      if let text = error[name]?.string, !text.isEmpty { return text.cut(toBytes: longestText) }
      // FastAPI: a list of places and what is wrong there.
      if let first = error[name]?.array?.first ?? error[name], first.object != nil,
        let text = first["msg"]?.string ?? first["message"]?.string
      {
        return text.cut(toBytes: longestText)
      }
    }
    return nil
  }

  /// A text that is not empty, or a number as text.
  private static func text(_ value: JSONValue?) -> String? {
    if let text = value?.string { return text.isEmpty ? nil : text.cut(toBytes: longestText) }
    return value?.number?.text.cut(toBytes: longestText)
  }
}

extension JSONLimits {
  /// What is left of an upstream's answer: an object may have as many members as the scanner that
  /// left it lets through.
  fileprivate static let answer = JSONLimits(depth: 64, values: 10_000, members: 1024)
}

extension UpstreamFailure {
  /// What a non-2xx answer means. `body` is its first 64 KiB; it may be HTML, cut, or empty.
  public init(status: Int, headers: UpstreamHeaders, body: Span<UInt8>) {
    self.init(status: status, headers: headers, body: body, Scrubber())
  }

  init(status: Int, headers: UpstreamHeaders, body: Span<UInt8>, _ scrubber: Scrubber) {
    let root = try? JSONValue.parse(body, limits: .body)
    let error =
      root.flatMap { ReportedError($0) } ?? ReportedError(plain: body) ?? ReportedError()
    let kind = Kind(error) ?? Kind(status: status)
    let message =
      if kind == .auth {
        // What it says about our key is none of the client's business.
        "The upstream refused assetd's key or what it may do."
      } else {
        error.message ?? "The upstream answered with status \(status)."
      }
    self.init(kind, error, status: status, message: message, scrubber)
    if Kind.isUnknownOutcome(status, isExplicit: root?.isErrorEnvelope == true) {
      isSpent = kind != .contentPolicy
      isUnspent = false
      isTransient = false
    }
    requestID = headers.requestID
    retryAfterNanoseconds = headers.retryAfterNanoseconds
  }

  /// What a 2xx answer without a single image means, by what was left of it: the error inside it
  /// (of the whole or of the first entry that has one), else `noImage`. Large ones take some
  /// milliseconds.
  public static func withoutImage(
    skeleton: Span<UInt8>, requestID: String?, _ scrubber: Scrubber = Scrubber()
  ) -> UpstreamFailure {
    var failure = UpstreamFailure(.noImage, "The upstream returned no image.")
    if let root = try? JSONValue.parse(skeleton, limits: .answer), let error = errorInside(root) {
      failure = UpstreamFailure(
        Kind(error) ?? .noImage, error, status: 200, message: error.message ?? failure.message,
        scrubber)
    }
    // A 200 may have been charged, whatever it says.
    failure.isUnspent = false
    failure.isSpent = true
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

extension JSONValue {
  /// Whether this is an error as the upstream itself says it: an object or a text `error` at the
  /// root, which no page and no proxy has.
  fileprivate var isErrorEnvelope: Bool {
    guard let error = self["error"] else { return false }
    return error.object != nil || error.string != nil
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

  /// Whether something between us and the upstream ran out of time, lost its patience, or got no
  /// answer that it could use: what became of the order there is not known (RFC 9110 §15.5.9,
  /// §15.6.3 and §15.6.5; 499 is nginx's; 520, 522 and 524 are Cloudflare's: an answer that it
  /// could not read, an order that was not acknowledged, and no answer in time; 598 and 599 are
  /// what some proxies say of a read and of a connection that timed out).
  ///
  /// An upstream that says 502 in an envelope of its own (`isExplicit`) says that it failed. Not
  /// unknown are 521, 523, 525, 526 and 530 (Cloudflare's: no connection was made, so nothing was
  /// sent).
  static func isUnknownOutcome(_ status: Int, isExplicit: Bool = false) -> Bool {
    if status == 502 { return !isExplicit }
    return [408, 499, 504, 520, 522, 524, 598, 599].contains(status)
  }

  /// Whether a status says that no order was taken, where the body names a limit or an overload: a
  /// 500 or 502 may come of an order that was taken, whatever else it says. 529 is Anthropic's
  /// and others' "overloaded".
  static func isRefusal(_ status: Int) -> Bool {
    (400..<500).contains(status) || status == 503 || status == 529
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
    case 502: self = .serverError
    case 520: self = .connectionLost
    case _ where Self.isUnknownOutcome(status): self = .timeout
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

  /// The letters and digits of a code, in lowercase.
  private static func plain(_ code: String) -> String {
    let letters = code.utf8.compactMap { byte -> UInt8? in
      switch byte {
      case 0x30...0x39, 0x61...0x7A: byte
      case 0x41...0x5A: byte | 0x20
      default: nil
      }
    }
    return String(decoding: letters, as: UTF8.self)
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
    guard isVague, let message = error.message else { return false }
    let text = message.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    return policyWords.contains { text.firstRange(of: $0.utf8) != nil }
  }

  private static let policyWords = [
    "safety system", "content policy", "content filter", "content management policy",
    "safety filter", "usage policies", "violates our", "moderation system",
  ]
}
