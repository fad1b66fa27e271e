internal import Kernel
internal import Wire

/// `assetctl ls`
struct ListCommand: Command {
  static let form = CommandForm(
    "ls", summary: "Lists assets, newest first.",
    flags: [
      Flag("--owner", "NAME", "only this owner's"),
      Flag("--retention", "KIND", "only temporary or permanent ones"),
      Flag("--limit", "N", "at most so many (default 20)"),
      Flag("--after", "ID", "go on behind this asset: the last one of the page before"),
      Flag("--all", "all of them, page by page"),
    ])

  private let query: [(name: String, value: String)]
  private let limit: Int
  private let after: String?
  private let listsAll: Bool
  /// The most of one page.
  private static let page = 1000

  init(_ arguments: Arguments) throws(UsageFailure) {
    try arguments.noOperands()
    listsAll = arguments.has("--all")
    if listsAll, arguments.has("--limit") {
      throw UsageFailure("--all has no --limit.")
    }
    limit = try arguments.count("--limit") ?? 20
    after = arguments["--after"]
    var query: [(name: String, value: String)] = []
    if let owner = arguments["--owner"] { query.append(("owner", owner)) }
    let retention = try arguments.choice("--retention", of: ["temporary", "permanent"])
    if let retention { query.append(("retention", retention)) }
    self.query = query
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      var after = self.after
      var left = listsAll ? Int.max : limit
      var isFirst = true
      while left > 0 {
        let answer = try await page(min(left, Self.page), after, client)
        let assets = answer["data"]?.array ?? []
        let isLast = answer["has_more"]?.bool != true || answer["last_id"]?.string == nil
        // What matches little comes in pages that are short, or empty.
        if !assets.isEmpty || (isFirst && isLast) {
          show(assets, isFirst: isFirst, errand)
          isFirst = false
          // Who reads it may have seen enough.
          try errand.console.check()
        }
        left -= assets.count
        after = answer["last_id"]?.string
        if isLast { return .done }
      }
      if !errand.json, let after {
        errand.console.errors("There are more: --after \(after), or --all.\n")
      }
      return .done
    }
  }

  private func page(
    _ limit: Int, _ after: String?, _ client: ServiceClient
  ) async throws -> JSONValue {
    var parts = query.map { ($0.name, $0.value.percentEncoded) }
    parts.append(("limit", "\(limit)"))
    if let after { parts.append(("after", after.percentEncoded)) }
    let text = parts.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    return try await client.call(ServiceCall(.get, "/v1/assets?\(text)")).checked().json()
  }

  private func show(_ assets: [JSONValue], isFirst: Bool, _ errand: Errand) {
    let console = errand.console
    if errand.json {
      var bytes: [UInt8] = []
      for asset in assets { bytes += asset.bytes + [UInt8(ascii: "\n")] }
      return console.write(bytes)
    }
    var table = Table(
      ("id", .left), ("owner", .left), ("retention", .left), ("bytes", .right), ("type", .left),
      ("size", .right), ("created", .right), ("ends", .right),
      leavingOut: ["created", "size", "type", "retention", "owner"])
    let now = SystemClock.wallSeconds
    for asset in assets {
      table.add(
        asset.text("id"), asset.text("owner"),
        asset.text("retention") + (asset["pinned"]?.bool == true ? ", pinned" : ""),
        Spoken.bytes(Int64(asset.number("bytes"))),
        String(asset.text("media_type").drop { $0 != "/" }.dropFirst()),
        "\(asset.number("width"))x\(asset.number("height"))",
        Spoken.moment(Int64(asset.number("created_at")), now: now),
        asset["expires_at"]?.int.map { Spoken.moment(Int64($0), now: now) } ?? "never")
    }
    let lines = table.lines(console)
    console.print(isFirst ? lines : String(lines.drop { $0 != "\n" }.dropFirst()))
  }
}
