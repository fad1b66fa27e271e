// Our own options of a request: `"asset": {…}` in JSON, or query parameters (API.md §3, §4).
internal import Configuration
internal import Store
internal import Wire

/// What a request says about the assets that it makes; `nil` where it says nothing.
struct AssetOptions: Equatable {
  var retention: Settings.Retention?
  /// Seconds.
  var ttl: Int64?
  var base64: Settings.Base64Form?
  var store: Bool?

  init() {}

  /// From the `asset` object; `prefix` stands before its members' names in errors.
  ///
  /// - Throws: 400 that names what is wrong in it.
  init(_ value: JSONValue?, within prefix: String = "asset.") throws(Failure) {
    guard let value, !value.isNull else { return }
    guard let object = value.object else {
      throw .badRequest("\"asset\" must be an object.", param: "asset")
    }
    for member in object.members where !member.value.isNull {
      try set(member.name, member.value, param: prefix + member.name.shownName)
    }
    try check(ttlParam: prefix + "ttl")
  }

  private mutating func set(
    _ name: String, _ value: JSONValue, param: String
  ) throws(Failure) {
    switch name {
    case "retention": retention = try .named(try Self.text(value, param), param: param)
    case "base64": base64 = try .named(try Self.text(value, param), param: param)
    case "ttl":
      ttl = try Self.ttl(value, param)
    case "store":
      guard let flag = value.bool else {
        throw .badRequest("\"\(param)\" must be true or false.", param: param)
      }
      store = flag
    default:
      throw .badRequest(
        "\"\(param)\" is not known; there are retention, ttl, base64 and store.", param: param)
    }
  }

  /// The names of the query parameters that `init(_: Query)` reads.
  static let queryNames: Set<String> = ["retention", "ttl", "base64"]

  /// From the query parameters `retention`, `ttl` and `base64`.
  init(_ query: Query) throws(Failure) {
    retention = try query.choice("retention", Settings.Retention.self)
    base64 = try query.choice("base64", Settings.Base64Form.self)
    if let text = query["ttl"] { ttl = try Self.ttl(text, "ttl") }
    try check(ttlParam: "ttl")
  }

  /// The options of a request that has both: the body's win.
  ///
  /// - Throws: 400 when they contradict each other.
  func over(_ other: AssetOptions) throws(Failure) -> AssetOptions {
    var merged = other
    merged.retention = retention ?? other.retention
    merged.ttl = ttl ?? other.ttl
    merged.base64 = base64 ?? other.base64
    merged.store = store ?? other.store
    try merged.check(ttlParam: ttl == nil ? "ttl" : "asset.ttl")
    return merged
  }

  private func check(ttlParam: String) throws(Failure) {
    guard retention == .permanent, ttl != nil else { return }
    throw .badRequest("A permanent asset has no ttl.", param: ttlParam)
  }

  private static func text(_ value: JSONValue, _ param: String) throws(Failure) -> String {
    guard let text = value.string else {
      throw .badRequest("\"\(param)\" must be a text.", param: param)
    }
    return text
  }

  /// A time such as `72h`, or a number of seconds.
  static func ttl(_ text: String, _ param: String) throws(Failure) -> Int64 {
    if let seconds = Int64(text) { return try ttl(seconds: seconds, param) }
    let time: Duration
    do throws(QuantityFailure) { time = try Quantity.time(text) } catch {
      throw .badRequest("\"\(param)\": \(error.message).", param: param)
    }
    return try ttl(seconds: time.wholeSeconds, param)
  }

  /// A time as text, or a number of seconds.
  static func ttl(_ value: JSONValue, _ param: String) throws(Failure) -> Int64 {
    if let seconds = value.int { return try ttl(seconds: Int64(seconds), param) }
    return try ttl(try text(value, param), param)
  }

  static func ttl(seconds: Int64, _ param: String) throws(Failure) -> Int64 {
    guard seconds >= 1, seconds <= Quantity.longest.wholeSeconds else {
      throw .badRequest("\"\(param)\" must be from 1 second to 100 years.", param: param)
    }
    return seconds
  }
}

/// The options with everything decided: the request's, else the key's, the model's, the
/// configuration's.
struct AssetTerms {
  let lifetime: Lifetime
  let base64: Settings.Base64Form

  init(
    _ options: AssetOptions, key: AccessKey?, model: Settings.Model? = nil,
    defaults: Settings.Defaults, now: Int64
  ) {
    let ofKey = key?.defaults.retention.flatMap { Settings.Retention(rawValue: $0.rawValue) }
    let retention =
      options.retention ?? (options.ttl == nil ? nil : .temporary) ?? ofKey ?? model?.retention
      ?? defaults.retention
    switch retention {
    case .permanent: lifetime = .permanent
    case .temporary:
      lifetime = .temporary(until: now + (options.ttl ?? defaults.ttl.wholeSeconds))
    }
    base64 =
      options.base64 ?? key?.defaults.base64.flatMap { Settings.Base64Form(rawValue: $0) }
      ?? defaults.base64
  }
}
