internal import Kernel
internal import Wire

/// `assetctl show ID`
struct ShowCommand: Command {
  static let form = CommandForm(
    "show", operands: "ID", summary: "Shows one asset with its URL.")

  private let id: String

  init(_ arguments: Arguments) throws(UsageFailure) { id = try arguments.operand("ID") }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      let asset = try await client.asset(id)
      errand.console.print(
        errand.json ? "\(asset)" : Self.facts(of: asset).lines(errand.console))
      client.tellIfAlone(errand)
      return .done
    }
  }

  static func facts(of asset: JSONValue) -> FactList {
    let now = SystemClock.wallSeconds
    func moment(_ name: String) -> String? {
      asset[name]?.int.map { "\(Spoken.date(Int64($0))) (\(Spoken.moment(Int64($0), now: now)))" }
    }
    let bytes = asset.number("bytes")
    var facts = FactList()
    facts.add("id", asset.text("id"))
    facts.add("url", asset.text("url"))
    facts.add(
      "image",
      "\(asset.text("media_type")), \(asset.number("width"))x\(asset.number("height")), "
        + "\(Spoken.bytes(Int64(bytes))) (\(Spoken.number(bytes)) bytes)")
    facts.add("sha256", asset.text("sha256"))
    facts.add("owner", asset.text("owner"))
    facts.add("retention", asset.text("retention"))
    facts.add("pinned", asset["pinned"]?.bool == true ? "yes" : "no")
    facts.add("created", moment("created_at"))
    facts.add("ends", moment("expires_at") ?? "never")
    facts.add("last fetched", moment("last_access_at"))
    facts.add("model", asset["model"]?.string)
    facts.add("generation", asset["generation_id"]?.string)
    return facts
  }
}

extension ServiceClient {
  /// Says that a URL which was shown is answered by nobody now.
  func tellIfAlone(_ errand: Errand) {
    guard isAlone else { return }
    errand.console.errors("No daemon runs: the URL is answered once assetd is started.\n")
  }

  /// One asset.
  func asset(_ id: String) async throws -> JSONValue {
    let reply = try await call(ServiceCall(.get, "/v1/assets/\(id.percentEncoded)"))
    return try reply.about(id).json()
  }
}

extension ServiceReply {
  /// This reply, if it is a success; else a failure that names the asset, since there may be many.
  func about(_ id: String) throws(CommandFailure) -> ServiceReply {
    if status == 404 {
      let error = try? json()["error"]
      guard error?["code"]?.string == "asset_gone", let why = error?["message"]?.string else {
        throw CommandFailure("There is no asset \(id).", .problems)
      }
      throw CommandFailure("\(id): \(why)", .problems)
    }
    return try checked()
  }
}
