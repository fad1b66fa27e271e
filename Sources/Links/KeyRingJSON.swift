// The bytes of keyring.json:
//
//    {"keys":[{"id":1,"secret":"<base64>","created_at":…,"state":"signing"|"verifying"|"retired"}]}
//
// Read strictly: a member that we do not know may be a rule that we would break.
internal import Wire

extension KeyRing {
  /// Reads a whole file.
  ///
  /// Throws `.syntax` and `.malformed`, which name the place.
  public init(json: Span<UInt8>) throws(KeyRingFailure) {
    let document: JSONValue
    do throws(JSONFailure) {
      document = try JSONValue.parse(json, limits: JSONLimits(depth: 3, values: 2_000))
    } catch {
      throw .syntax(error.description)
    }
    let top = try Members(document, path: "", allowed: ["keys"])
    guard let list = try top.value("keys").array else { throw top.wrong("keys", "not a list") }
    guard list.count <= 256 else { throw top.wrong("keys", "more than 256 keys") }
    var keys: [Key] = []
    for (index, value) in list.enumerated() {
      keys.append(try Key(value, path: "keys[\(index)]"))
    }
    try self.init(keys)
  }

  /// The whole file, one key a line, with a line break at the end.
  public func json() -> [UInt8] {
    let lines = keys.map { key in
      let value: JSONValue = [
        "id": JSONValue(key.id), "secret": .string(Base64.encode(key.secret.span)),
        "created_at": JSONValue(key.createdAt), "state": .string(key.state.rawValue),
      ]
      return "  " + value.description
    }
    return Array("{\"keys\":[\n\(lines.joined(separator: ",\n"))\n]}\n".utf8)
  }
}

extension KeyRing.Key {
  fileprivate init(_ value: JSONValue, path: String) throws(KeyRingFailure) {
    let members = try Members(
      value, path: path, allowed: ["id", "secret", "created_at", "state"])
    guard let number = try members.value("id").int, let id = UInt8(exactly: number) else {
      throw members.wrong("id", "not a whole number from 0 to 255")
    }
    guard let created = try members.value("created_at").int, created >= 0 else {
      throw members.wrong("created_at", "not a time in unix seconds")
    }
    guard let name = try members.value("state").string, let state = KeyRing.State(rawValue: name)
    else { throw members.wrong("state", "not \"signing\", \"verifying\" or \"retired\"") }
    self.init(
      id: id, createdAt: Int64(created), state: state, secret: try members.secret("secret"))
  }
}

/// An object of which every member is known.
private struct Members {
  private let object: JSONObject
  private let path: String

  init(_ value: JSONValue, path: String, allowed: [String]) throws(KeyRingFailure) {
    guard let object = value.object else {
      throw .malformed(path: path.isEmpty ? "the file" : path, problem: "not an object")
    }
    self.object = object
    self.path = path
    for member in object.members where !allowed.contains(member.name) {
      throw wrong(member.name, "unknown member")
    }
  }

  func value(_ name: String) throws(KeyRingFailure) -> JSONValue {
    guard let value = object[name] else { throw wrong(name, "missing") }
    return value
  }

  /// 32 bytes in standard base64 with padding, in the one spelling that we write.
  func secret(_ name: String) throws(KeyRingFailure) -> InlineArray<32, UInt8> {
    guard let text = try value(name).string, let bytes = Base64.decode(text.utf8.span),
      bytes.count == 32, Base64.encode(bytes.span) == text
    else { throw wrong(name, "not 32 bytes in base64") }
    guard bytes.contains(where: { $0 != 0 }) else { throw wrong(name, "nothing but zeroes") }
    return InlineArray { bytes[$0] }
  }

  func wrong(_ name: String, _ problem: String) -> KeyRingFailure {
    .malformed(path: path.isEmpty ? name : "\(path).\(name)", problem: problem)
  }
}
