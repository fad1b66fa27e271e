internal import Kernel
internal import Synchronization
internal import Wire

/// `assetctl gc`
struct GCCommand: Command {
  static let form = CommandForm(
    "gc", summary: "Deletes what the policies of the configuration name, or shows what they would.",
    flags: [
      Flag("--dry-run", "delete nothing; name exactly what a run would delete"),
      Flag("--list", "one line per asset"),
      Flag("--policy", "NAME", "only this policy; may be repeated"),
      Flag("--limit", "N", "at most so many assets"),
      Flag("--explain", "ID", "what each policy says of one asset; deletes nothing"),
      Flag("--allow-large", "delete even if it is a large part of the store"),
      Flag("--accept-clock", "collect although the clock jumped; look at it first"),
    ],
    details: """
      The policies are those of gc.policies, of the running daemon when there is one. Pinned assets
      are never collected, permanent ones only by a policy that names them.
      """)

  private let order: JSONObject
  private let isDryRun: Bool
  private let lists: Bool
  private let explained: String?

  init(_ arguments: Arguments) throws(UsageFailure) {
    try arguments.noOperands()
    isDryRun = arguments.has("--dry-run")
    lists = arguments.has("--list")
    explained = arguments["--explain"]
    if explained != nil, lists || arguments.has("--limit") {
      throw UsageFailure("--explain is about one asset; it goes without --list and --limit.")
    }
    var order = JSONObject()
    order["dry_run"] = .bool(isDryRun)
    order["list"] = .bool(lists)
    order["allow_large"] = .bool(arguments.has("--allow-large"))
    order["accept_clock"] = .bool(arguments.has("--accept-clock"))
    order["limit"] = JSONValue(try arguments.count("--limit"))
    order["explain"] = JSONValue(explained)
    let policies = arguments.all("--policy").flatMap { $0.split(separator: ",").map(String.init) }
    if !policies.isEmpty { order["policies"] = .array(policies.map { .string($0) }) }
    self.order = order
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      var order = self.order
      order["describe"] = .bool(!errand.json)
      let listing = CollectionListing(errand.console, json: errand.json)
      _ = try await collect(.object(order), client, errand.console, listing).checked()
      let lines = try listing.end()
      if !errand.json { show(lines, errand.console) }
      return status(lines, errand.console)
    }
  }

  // MARK: The run

  /// A collection may take hours.
  private static let timeout: Int64 = 7 * 24 * 3600
  /// Fewer assets are gone before a bar is seen.
  private static let smallRun = 2000

  private func collect(
    _ order: JSONValue, _ client: ServiceClient, _ console: Console, _ listing: CollectionListing
  ) async throws -> ServiceReply {
    let call = ServiceCall(.post, "/admin/gc", .json(order), timeout: Self.timeout)
    guard console.showsProgress, !isDryRun, explained == nil else {
      return try await client.call(call) { try listing.take($0) }
    }
    let planned = try await plan(order, client)
    guard planned > Self.smallRun else {
      return try await client.call(call) { try listing.take($0) }
    }
    let progress = CollectionProgress(planned, console)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await progress.watch(client) }
      defer { group.cancelAll() }
      return try await client.call(call) { bytes in
        // The run is over when its answer begins.
        progress.end()
        try listing.take(bytes)
      }
    }
  }

  /// How many assets would go; 0 for an older daemon, which does not count.
  private func plan(_ order: JSONValue, _ client: ServiceClient) async throws -> Int {
    guard var object = order.object else { return 0 }
    object["count"] = true
    let call = ServiceCall(.post, "/admin/gc", .json(.object(object)), timeout: Self.timeout)
    let reply = try await client.call(call)
    guard reply.status == 200 else { return 0 }
    return try reply.lines().last?["assets"]?.int ?? 0
  }

  // MARK: What is said

  private func status(_ lines: [JSONValue], _ console: Console) -> ExitStatus {
    if let stop = lines.last?["orphans_stopped"]?.string {
      console.complain(
        "Orphans stay: \(stop). The catalogue may have lost rows: look at the files under blobs/ "
          + "first; if they may go, say --allow-large.")
      return .problems
    }
    if let stuck = lines.last?["orphans_stuck"]?.int {
      console.complain(
        "\(Spoken.count(stuck, "orphan")) could not be removed: look at the owner and the "
          + "attributes of what lies under blobs/ and incoming/ (lsattr), and at the disk.")
      return .problems
    }
    if let unlisted = lines.last?["unlisted"]?.int {
      console.complain(
        "\(Spoken.number(unlisted)) lines are not listed: there was no room for them. The daemon's "
          + "log has a line for each deletion.")
      return .problems
    }
    guard let jump = lines.last?["clock_jump"]?.int else { return .done }
    console.complain(
      "The clock is \(Spoken.duration(Int64(abs(jump)))) \(jump < 0 ? "behind" : "ahead of") the "
        + "time of the last run: nothing is collected. If the clock is right, say --accept-clock.")
    return .problems
  }

  private func show(_ lines: [JSONValue], _ console: Console) {
    if explained != nil { return explain(lines, console) }
    var table = Table(
      ("policy", .left), ("assets", .right), ("bytes", .right), ("blobs", .right),
      ("records", .right), ("takes", .left))
    for line in lines where line["dry_run"] != nil {
      table.add(
        line.text("policy"), Spoken.number(line.number("assets")),
        Spoken.bytes(Int64(line.number("bytes"))), Spoken.number(line.number("blobs")),
        Spoken.number(line.number("records")), line.text("takes"))
    }
    console.print(table.lines(console))
    guard let total = lines.last, total["clock_jump"] == nil else { return }
    let verb = isDryRun ? "Would delete" : "Deleted"
    let time = ((total["seconds"]?.double ?? 0) * 1000).rounded() / 1000
    console.print(
      "\(verb) \(Spoken.count(total.number("assets"), "asset")) and "
        + "\(Spoken.count(total.number("blobs"), "file")), "
        + "\(Spoken.bytes(Int64(total.number("bytes")))), in \(time) s.")
  }

  private func explain(_ lines: [JSONValue], _ console: Console) {
    var table = Table(("policy", .left), ("collects", .left), ("reason", .left))
    for line in lines {
      let collects = line["collects"]?.bool == true
      table.add(line.text("policy"), collects ? "yes" : "no", line.text("reason"))
    }
    console.print(table.lines(console))
  }
}

/// How far a collection is, from the store's own sums, on a line of the terminal.
private final class CollectionProgress: Sendable {
  private let planned: Int
  private let bar: Mutex<ProgressBar?>

  init(_ planned: Int, _ console: Console) {
    self.planned = planned
    bar = Mutex(.some(ProgressBar("collecting", console)))
  }

  /// Draws until it is cancelled, or ended.
  func watch(_ client: ServiceClient) async throws {
    defer { end() }
    let start = try await Self.assets(client)
    while !Task.isCancelled {
      let done = max(0, start - (try await Self.assets(client)))
      let isOver = bar.withLock { bar in
        bar?.show(
          Int64(done), of: Int64(planned), "\(Spoken.number(done)) of \(Spoken.number(planned))")
        return bar == nil
      }
      guard !isOver else { return }
      do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
    }
  }

  /// Wipes it away: other lines follow.
  func end() { bar.withLock { $0 = nil } }

  private static func assets(_ client: ServiceClient) async throws -> Int {
    try await client.call(ServiceCall(.get, "/admin/stats")).checked().json()["assets"]?.int ?? 0
  }
}

extension JSONValue {
  /// A member's text; empty when it has none.
  func text(_ name: String) -> String { self[name]?.string ?? "" }

  /// A member's whole number; 0 when it has none.
  func number(_ name: String) -> Int { self[name]?.int ?? 0 }
}
