internal import Kernel
internal import Wire

/// `assetctl link ID`
struct LinkCommand: Command {
  static let form = CommandForm(
    "link", operands: "ID", summary: "Makes a fresh signed link to an asset.",
    flags: [Flag("--ttl", "TIME", "how long it lives: 90s, 1h, 30d (default: defaults.ttl)")],
    details: "The link ends no later than the asset. Whoever has it can open the image.")

  private let id: String
  private let ttl: Int64?

  init(_ arguments: Arguments) throws(UsageFailure) {
    id = try arguments.operand("ID")
    ttl = try arguments.seconds("--ttl")
    if ttl == 0 { throw UsageFailure("--ttl must be at least a second.") }
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      var body = JSONObject()
      body["ttl"] = JSONValue(ttl)
      let call = ServiceCall(
        .post, "/v1/assets/\(id.percentEncoded)/links", .json(.object(body)))
      let link = try await client.call(call).about(id).json()
      errand.console.print(errand.json ? "\(link)" : link.text("url"))
      client.tellIfAlone(errand)
      if errand.console.isTerminal, !errand.json {
        let end = Int64(link.number("expires_at"))
        let moment = Spoken.moment(end, now: SystemClock.wallSeconds)
        errand.console.print(errand.console.faint("ends \(Spoken.date(end)), \(moment)"))
      }
      return .done
    }
  }
}
