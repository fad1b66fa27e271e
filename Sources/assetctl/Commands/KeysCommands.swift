internal import Kernel
internal import Wire

/// `assetctl keys create`
struct KeysCreateCommand: Command {
  static let form = CommandForm(
    "keys create", summary: "Makes an access key and prints it, this once.",
    flags: [
      Flag("--name", "NAME", "its name, and the owner of what it makes"),
      Flag(
        "--scope", "LIST", "of generate, host, read, metrics, admin (default generate,host,read)"),
      Flag("--quota", "SIZE", "the most that its owner may store: 50GB; none lifts it"),
      Flag("--response-format", "FORMAT", "url or b64_json, where a request does not say"),
      Flag("--retention", "KIND", "temporary or permanent, where a request does not say"),
      Flag("--base64", "FORM", "raw or data_url, where a request does not say"),
    ],
    details: """
      The store keeps only the key's SHA-256: who loses the key makes another. Keys are asked for
      when auth.mode is "keys".

      An owner may have several keys, so that one can follow another: the next key of a name is as
      the last one, where nothing else is said. Of a revoked key the quota stays.
      """)

  private let request: JSONValue

  init(_ arguments: Arguments) throws(UsageFailure) {
    try arguments.noOperands()
    guard let name = arguments["--name"] else { throw UsageFailure("--name is missing.") }
    var request = JSONObject()
    request["name"] = .string(name)
    var scopes: [JSONValue] = []
    for scope in arguments.all("--scope").flatMap({ $0.split(separator: ",") }) {
      let known = ["generate", "host", "read", "metrics", "admin"]
      scopes.append(.string(try Arguments.choice(String(scope), of: known, "--scope")))
    }
    if !scopes.isEmpty { request["scopes"] = .array(scopes) }
    request["quota"] =
      arguments["--quota"] == "none" ? "none" : JSONValue(try arguments.bytes("--quota"))
    request["response_format"] = JSONValue(
      try arguments.choice("--response-format", of: ["url", "b64_json"]))
    request["retention"] = JSONValue(
      try arguments.choice("--retention", of: ["temporary", "permanent"]))
    request["base64"] = JSONValue(try arguments.choice("--base64", of: ["raw", "data_url"]))
    self.request = .object(request)
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore(making: true) { client in
      let key = try await client.call(ServiceCall(.post, "/admin/keys", .json(request)))
        .checked().json()
      if errand.json {
        errand.console.print("\(key)")
      } else {
        errand.console.print(key.text("key"))
      }
      do throws(CommandFailure) { try errand.console.check() } catch {
        try await Self.undo(key, client)
        throw CommandFailure("\(error.message) Nobody saw the key, so it was revoked again.")
      }
      if !errand.json {
        errand.console.errors("This is the only time that the key is shown.\n")
        errand.console.errors(Self.reminder(of: key))
      }
      return .done
    }
  }

  /// A key that nobody has seen must not open anything.
  private static func undo(_ key: JSONValue, _ client: ServiceClient) async throws {
    let which = "name=\(key.text("name").percentEncoded)&id=\(key.number("id"))"
    _ = try await client.call(ServiceCall(.delete, "/admin/keys?\(which)")).checked()
  }

  /// An owner's other keys go on working: which command ends them.
  private static func reminder(of key: JSONValue) -> String {
    let name = key.text("name")
    return (key["other_ids"]?.array ?? []).compactMap(\.int).map { id in
      "The key \(id) of \(name) is good, too; once nobody uses it (keys list): "
        + "assetctl keys revoke \(name) --id \(id)\n"
    }.joined()
  }
}

/// `assetctl keys list`
struct KeysListCommand: Command {
  static let form = CommandForm("keys list", summary: "Lists the access keys, revoked ones too.")

  init(_ arguments: Arguments) throws(UsageFailure) { try arguments.noOperands() }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      let reply = try await client.call(ServiceCall(.get, "/admin/keys")).checked()
      if errand.json {
        errand.console.write(reply.body)
      } else {
        errand.console.print(Self.table(of: try reply.lines()).lines(errand.console))
      }
      return .done
    }
  }

  private static func table(of keys: [JSONValue]) -> Table {
    var table = Table(
      ("id", .right), ("name", .left), ("scopes", .left), ("quota", .right), ("defaults", .left),
      ("created", .right), ("used", .right), ("revoked", .right),
      leavingOut: ["defaults", "created", "used"])
    let now = SystemClock.wallSeconds
    for key in keys {
      let defaults = ["response_format", "retention", "base64"].compactMap { key[$0]?.string }
      table.add(
        "\(key.number("id"))", key.text("name"),
        (key["scopes"]?.array ?? []).compactMap(\.string).joined(separator: ","),
        key["quota"]?.int.map { Spoken.bytes(Int64($0)) } ?? "-",
        defaults.isEmpty ? "-" : defaults.joined(separator: ","),
        Spoken.moment(Int64(key.number("created_at")), now: now),
        key["last_used_at"]?.int.map { Spoken.moment(Int64($0), now: now) } ?? "-",
        key["revoked_at"]?.int.map { Spoken.moment(Int64($0), now: now) } ?? "-")
    }
    return table
  }
}

/// `assetctl keys revoke`
struct KeysRevokeCommand: Command {
  static let form = CommandForm(
    "keys revoke", operands: "NAME", summary: "Ends the keys of a name; their assets stay.",
    flags: [Flag("--id", "ID", "only this one of its keys (keys list)")])

  private let name: String
  private let id: Int?

  init(_ arguments: Arguments) throws(UsageFailure) {
    name = try arguments.operand("NAME")
    id = try arguments.count("--id")
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      let which = id.map { "&id=\($0)" } ?? ""
      let reply = try await client.call(
        ServiceCall(.delete, "/admin/keys?name=\(name.percentEncoded)\(which)"))
      let called = "\"\(name)\"" + (id.map { " with the id \($0)" } ?? "")
      if reply.status == 404 {
        throw CommandFailure("There is no key \(called).", .problems)
      }
      if reply.status == 409 {
        throw CommandFailure("The key \(called) is already revoked.", .problems)
      }
      let answer = try reply.checked().json()
      errand.console.print(errand.json ? "\(answer)" : "revoked \(name)")
      return .done
    }
  }
}
