internal import Configuration
internal import Crypto
internal import Store
internal import Wire

extension AccessKey {
  /// What a key may do when nobody says: all that a gateway needs, and nothing of the operator's.
  private static let usualScopes: Set<Scope> = [.generate, .host, .read]

  /// The key that `assetctl keys create` asks for.
  ///
  /// - Throws: 400 that names what is wrong; what is misspelled is not passed over.
  init(request body: JSONValue, digest: Digest, now: Int64) throws(Failure) {
    let known = ["name", "scopes", "quota", "response_format", "retention", "base64"]
    for member in body.object?.members ?? [] where !known.contains(member.name) {
      throw .badRequest("\"\(member.name)\" is not known.", param: member.name)
    }
    guard let name = body["name"]?.string, let owner = Owner(name) else {
      throw .badRequest("A key needs a \"name\" of 1 to 64 bytes.", param: "name")
    }
    self.init(
      owner: owner, digest: digest, scopes: try Self.scopes(body["scopes"]),
      quota: try Self.quota(body["quota"]),
      defaults: Defaults(
        responseFormat: try Self.word("response_format", of: body, Settings.ResponseFormat.self)?
          .rawValue,
        retention: try Self.word("retention", of: body, Retention.self),
        base64: try Self.word("base64", of: body, Settings.Base64Form.self)?.rawValue),
      createdAt: now)
  }

  private static func scopes(_ value: JSONValue?) throws(Failure) -> Set<Scope> {
    guard let value, !value.isNull else { return usualScopes }
    guard let names = value.array, !names.isEmpty else {
      throw .badRequest("\"scopes\" must be a list with at least one scope.", param: "scopes")
    }
    var scopes: Set<Scope> = []
    for name in names { scopes.insert(try .named(name.string ?? "", param: "scopes")) }
    return scopes
  }

  private static func quota(_ value: JSONValue?) throws(Failure) -> Int64? {
    guard let value, !value.isNull else { return nil }
    guard let quota = value.int, quota > 0 else {
      throw .badRequest("\"quota\" must be a number of bytes above 0.", param: "quota")
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
  var json: JSONValue {
    [
      "name": .string(owner.name),
      "scopes": .array(scopes.map(\.rawValue).sorted().map { .string($0) }),
      "quota": JSONValue(quota), "response_format": JSONValue(defaults.responseFormat),
      "retention": JSONValue(defaults.retention?.rawValue), "base64": JSONValue(defaults.base64),
      "created_at": .number(JSONNumber(createdAt)), "revoked_at": JSONValue(revokedAt),
    ]
  }
}
