internal import Configuration
internal import Crypto
internal import Store
internal import Wire

extension AccessKey {
  /// What a key may do when nobody says: all that a gateway needs, and nothing of the operator's.
  private static let usualScopes: Set<Scope> = [.generate, .host, .read]
  /// Owners that no key makes: those without a key, and those of what was found without an owner.
  private static let reservedNames: Set<String> = ["local", "bootstrap", "recovered"]

  /// The key that `assetctl keys create` asks for.
  ///
  /// An owner's next key is as the last one, where nothing is said: whoever changes a key must not
  /// change what its holder may do. Of one that is revoked only the quota stays, which is the
  /// owner's; `"none"` lifts it.
  ///
  /// - Parameter earlier: all keys of the catalogue, oldest first.
  /// - Throws: 400 that names what is wrong; what is misspelled is not passed over.
  init(
    request body: JSONValue, digest: Digest, after earlier: [AccessKey], now: Int64
  ) throws(Failure) {
    let known = ["name", "scopes", "quota", "response_format", "retention", "base64"]
    for member in body.object?.members ?? [] where !known.contains(member.name) {
      throw .badRequest("\"\(member.name.shownName)\" is not known.", param: member.name)
    }
    let owner = try Self.owner(body["name"])
    let last = earlier.last { $0.owner == owner }
    let living = earlier.last { $0.owner == owner && $0.revokedAt == nil }
    self.init(
      owner: owner, digest: digest,
      scopes: try Self.scopes(body["scopes"]) ?? living?.scopes ?? Self.usualScopes,
      quota: try Self.quota(body["quota"], last?.quota),
      defaults: Defaults(
        responseFormat: try Self.word("response_format", of: body, Settings.ResponseFormat.self)?
          .rawValue ?? living?.defaults.responseFormat,
        retention: try Self.word("retention", of: body, Retention.self)
          ?? living?.defaults.retention,
        base64: try Self.word("base64", of: body, Settings.Base64Form.self)?.rawValue
          ?? living?.defaults.base64),
      createdAt: now)
  }

  /// Names stand in paths, logs and metrics, and are typed by people: `[A-Za-z0-9._-]{1,64}`.
  private static func owner(_ value: JSONValue?) throws(Failure) -> Owner {
    let name = value?.string ?? ""
    let isSpelled = name.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
      default: false
      }
    }
    guard isSpelled, (1...64).contains(name.utf8.count), let owner = Owner(name) else {
      throw .badRequest(
        "A key needs a \"name\" of 1 to 64 letters, digits, dots, hyphens or underscores.",
        param: "name")
    }
    guard !reservedNames.contains(name) else {
      throw .badRequest("The name \"\(name)\" is reserved.", param: "name")
    }
    return owner
  }

  private static func scopes(_ value: JSONValue?) throws(Failure) -> Set<Scope>? {
    guard let value, !value.isNull else { return nil }
    guard let names = value.array, !names.isEmpty else {
      throw .badRequest("\"scopes\" must be a list with at least one scope.", param: "scopes")
    }
    var scopes: Set<Scope> = []
    for name in names { scopes.insert(try .named(name.string ?? "", param: "scopes")) }
    return scopes
  }

  private static func quota(_ value: JSONValue?, _ last: Int64?) throws(Failure) -> Int64? {
    guard let value, !value.isNull else { return last }
    if value.string == "none" { return nil }
    guard let quota = value.int, quota > 0 else {
      throw .badRequest(
        "\"quota\" must be a number of bytes above 0, or \"none\".", param: "quota")
    }
    return Int64(quota)
  }

  private static func word<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, of body: JSONValue, _ type: Choice.Type
  ) throws(Failure) -> Choice? {
    guard let value = body[name], !value.isNull else { return nil }
    return try Choice.named(value.string ?? "", param: name)
  }

  /// The key without its secret, which nobody has.
  ///
  /// - Parameter uses: last uses that the catalogue does not know of yet, by the keys' ids.
  func json(after uses: [Int64: Int64] = [:]) -> JSONValue {
    [
      "id": .number(JSONNumber(id)), "name": .string(owner.name),
      "scopes": .array(scopes.map(\.rawValue).sorted().map { .string($0) }),
      "quota": JSONValue(quota), "response_format": JSONValue(defaults.responseFormat),
      "retention": JSONValue(defaults.retention?.rawValue), "base64": JSONValue(defaults.base64),
      "created_at": .number(JSONNumber(createdAt)),
      "last_used_at": JSONValue(uses[id] ?? lastUsedAt), "revoked_at": JSONValue(revokedAt),
    ]
  }
}
