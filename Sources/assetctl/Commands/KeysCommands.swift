internal import Kernel
internal import Wire

/// `assetctl keys create`
struct KeysCreateCommand: Command {
  static let form = CommandForm(
    "keys create", summary: "Makes an access key and prints it, this once.",
    flags: [
      Flag("--name", "NAME", "its name, and the owner of what it makes"),
      Flag("--scope", "LIST", "of generate, host, read, admin (default generate,host,read)"),
      Flag("--quota", "SIZE", "the most that its owner may store: 50GB"),
      Flag("--response-format", "FORMAT", "url or b64_json, where a request does not say"),
      Flag("--retention", "KIND", "temporary or permanent, where a request does not say"),
      Flag("--base64", "FORM", "raw or data_url, where a request does not say"),
    ],
    details: """
      The store keeps only the key's SHA-256: who loses the key makes another. Keys are asked for
      when auth.mode is "keys".
      """)

  private let request: JSONValue

  init(_ arguments: Arguments) throws(UsageFailure) {
    try arguments.noOperands()
    guard let name = arguments["--name"] else { throw UsageFailure("--name is missing.") }
    var request = JSONObject()
    request["name"] = .string(name)
    var scopes: [JSONValue] = []
    for scope in arguments.all("--scope").flatMap({ $0.split(separator: ",") }) {
      let known = ["generate", "host", "read", "admin"]
      scopes.append(.string(try Arguments.choice(String(scope), of: known, "--scope")))
    }
    if !scopes.isEmpty { request["scopes"] = .array(scopes) }
    request["quota"] = JSONValue(try arguments.bytes("--quota"))
    request["response_format"] = JSONValue(
      try arguments.choice("--response-format", of: ["url", "b64_json"]))
    request["retention"] = JSONValue(
      try arguments.choice("--retention", of: ["temporary", "permanent"]))
    request["base64"] = JSONValue(try arguments.choice("--base64", of: ["raw", "data_url"]))
    self.request = .object(request)
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore(making: true) { client in
      let reply = try await client.call(ServiceCall(.post, "/admin/keys", .json(request)))
      if reply.status == 409 {
        throw CommandFailure(
          "There is a key \"\(request.text("name"))\" already; revoke it first, or take another "
            + "name.", .problems)
      }
      let key = try reply.checked().json()
      if errand.json {
        errand.console.print("\(key)")
      } else {
        errand.console.print(key.text("key"))
      }
      do throws(CommandFailure) { try errand.console.check() } catch {
        try await Self.undo(key, client)
        throw CommandFailure("\(error.message) Nobody saw the key, so it was revoked again.")
      }
      if !errand.json { errand.console.errors("This is the only time that the key is shown.\n") }
      return .done
    }
  }

  /// A key that nobody has seen must not open anything.
  private static func undo(_ key: JSONValue, _ client: ServiceClient) async throws {
    let name = key.text("name").percentEncoded
    _ = try await client.call(ServiceCall(.delete, "/admin/keys?name=\(name)")).checked()
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
      ("name", .left), ("scopes", .left), ("quota", .right), ("defaults", .left),
      ("created", .right), ("revoked", .right))
    let now = SystemClock.wallSeconds
    for key in keys {
      let defaults = ["response_format", "retention", "base64"].compactMap { key[$0]?.string }
      table.add(
        key.text("name"),
        (key["scopes"]?.array ?? []).compactMap(\.string).joined(separator: ","),
        key["quota"]?.int.map { Spoken.bytes(Int64($0)) } ?? "-",
        defaults.isEmpty ? "-" : defaults.joined(separator: ","),
        Spoken.moment(Int64(key.number("created_at")), now: now),
        key["revoked_at"]?.int.map { Spoken.moment(Int64($0), now: now) } ?? "-")
    }
    return table
  }
}

/// `assetctl keys revoke`
struct KeysRevokeCommand: Command {
  static let form = CommandForm(
    "keys revoke", operands: "NAME", summary: "Ends a key; its assets stay.")

  private let name: String

  init(_ arguments: Arguments) throws(UsageFailure) { name = try arguments.operand("NAME") }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      let reply = try await client.call(
        ServiceCall(.delete, "/admin/keys?name=\(name.percentEncoded)"))
      if reply.status == 404 {
        throw CommandFailure("There is no key \"\(name)\".", .problems)
      }
      let answer = try reply.checked().json()
      errand.console.print(errand.json ? "\(answer)" : "revoked \(name)")
      return .done
    }
  }
}
