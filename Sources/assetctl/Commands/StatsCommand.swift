internal import Wire

/// `assetctl stats`
struct StatsCommand: Command {
  static let form = CommandForm(
    "stats", summary: "Shows how much is stored, and whose it is.")

  init(_ arguments: Arguments) throws(UsageFailure) { try arguments.noOperands() }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      let reply = try await client.call(ServiceCall(.get, "/admin/stats")).checked()
      let stats = try reply.json()
      if errand.json {
        errand.console.print("\(stats)")
      } else {
        show(stats, errand.console)
      }
      return .done
    }
  }

  private func show(_ stats: JSONValue, _ console: Console) {
    func bytes(_ name: String) -> String { Spoken.bytes(Int64(stats.number(name))) }
    var facts = FactList()
    facts.add("assets", "\(Spoken.number(stats.number("assets"))), \(bytes("bytes"))")
    facts.add("blobs", "\(Spoken.number(stats.number("blobs"))), \(bytes("blob_bytes"))")
    let limit = stats["max_bytes"]?.int.map { " of \(Spoken.bytes(Int64($0)))" } ?? ""
    facts.add("on disk", bytes("disk_bytes") + limit)
    if stats.number("reserved_bytes") > 0 { facts.add("reserved", bytes("reserved_bytes")) }
    if stats.number("awaiting_unlink_bytes") > 0 {
      facts.add("being removed", bytes("awaiting_unlink_bytes"))
    }
    let damaged = stats.number("damaged_blobs")
    if damaged > 0 { facts.add("damaged", console.red(Spoken.count(damaged, "image"))) }
    facts.add("last scrub", stats["scrub"].map { scrub($0, console) })
    facts.add("I/O failures", Spoken.number(stats.number("io_failures")))
    facts.add("state", state(stats, console))
    console.print(facts.lines(console))
    let owners = stats["owners"]?.array ?? []
    guard !owners.isEmpty else { return }
    var table = Table(("owner", .left), ("assets", .right), ("bytes", .right))
    for owner in owners {
      table.add(
        owner.text("owner"), Spoken.number(owner.number("assets")),
        Spoken.bytes(Int64(owner.number("bytes"))))
    }
    console.print("\n" + table.lines(console))
  }

  /// The last look at all images, and the one that is under way.
  private func scrub(_ scrub: JSONValue, _ console: Console) -> String {
    var parts: [String] = []
    if let last = scrub["last"], let end = last["ended_at"]?.int {
      let damaged = last.number("damaged")
      let found = damaged == 0 ? "none damaged" : console.red("\(Spoken.number(damaged)) damaged")
      parts.append(
        "\(Spoken.date(Int64(end))): \(Spoken.count(last.number("blobs"), "blob")), "
          + "\(Spoken.bytes(Int64(last.number("bytes")))), \(found)")
    } else {
      parts.append("none yet")
    }
    if scrub["pass"]?.isNull == false {
      let percent = Int(100 * (scrub["progress"]?.double ?? 0))
      parts.append("the next one is at \(percent) %")
    } else if scrub["rate"]?.isNull == true {
      parts.append("off")
    }
    return parts.joined(separator: "; ")
  }

  private func state(_ stats: JSONValue, _ console: Console) -> String {
    if stats["read_only"]?.bool == true { return console.red("read-only") }
    return stats["full"]?.bool == true ? console.red("full") : console.green("good")
  }
}
