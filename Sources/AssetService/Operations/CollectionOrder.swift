internal import Store
internal import Wire

/// What an operator asks of a collection.
struct CollectionOrder: Sendable {
  let policies: [Policy]
  let isDryRun: Bool
  /// Whether every asset is named.
  let lists: Bool
  let allowsLarge: Bool
  /// Whether the assets are counted, and nothing else is done.
  let counts: Bool
  /// Whether every policy says what it takes, for people.
  let describes: Bool
  let options: CollectionOptions
  /// A manual run on more assets than this that would delete more than a fifth of them stops.
  private static let largeStore = 1000

  private static let members = [
    "dry_run", "list", "count", "allow_large", "describe", "accept_clock", "limit", "policies",
    "explain",
  ]

  /// - Throws: 400 that names what is wrong: deleting too much must not be a matter of a typo.
  init(_ body: JSONValue, configured: [Policy]) throws(Failure) {
    for member in body.object?.members ?? [] where !Self.members.contains(member.name) {
      throw .badRequest("\"\(member.name.shownName)\" is not known.", param: member.name)
    }
    isDryRun = try Self.flag("dry_run", of: body)
    lists = try Self.flag("list", of: body)
    counts = try Self.flag("count", of: body)
    allowsLarge = try Self.flag("allow_large", of: body)
    describes = try Self.flag("describe", of: body)
    options = CollectionOptions(
      limit: try Self.limit(body["limit"]),
      acceptsClock: try Self.flag("accept_clock", of: body), allowsLarge: allowsLarge)
    policies = try Self.policies(body["policies"], configured)
  }

  private static func flag(_ name: String, of body: JSONValue) throws(Failure) -> Bool {
    guard let value = body[name], !value.isNull else { return false }
    guard let flag = value.bool else {
      throw .badRequest("\"\(name)\" must be true or false.", param: name)
    }
    return flag
  }

  private static func limit(_ value: JSONValue?) throws(Failure) -> Int? {
    guard let value, !value.isNull else { return nil }
    guard let limit = value.int, limit > 0 else {
      throw .badRequest("\"limit\" must be a whole number above 0.", param: "limit")
    }
    return limit
  }

  private static func policies(
    _ value: JSONValue?, _ configured: [Policy]
  ) throws(Failure) -> [Policy] {
    guard let value, !value.isNull else { return configured }
    let names = value.array?.compactMap(\.string) ?? []
    guard !names.isEmpty, names.count == value.array?.count else {
      throw .badRequest("\"policies\" must be a list of names.", param: "policies")
    }
    for name in names where !configured.contains(where: { $0.name == name }) {
      let known = configured.map(\.name).joined(separator: ", ")
      throw .badRequest(
        "There is no policy \"\(name.shownName)\"; configured are \(known).", param: "policies")
    }
    return configured.filter { names.contains($0.name) }
  }

  /// Stops a run that would delete much of the store by mistake. What has expired does not count.
  ///
  /// - Throws: 409; blocks on the disk.
  func refuseLarge(_ store: Store) throws {
    let unexpected = policies.filter { policy in
      switch policy.kind {
      case .expired, .orphans, .records: false
      }
    }
    let assets = try store.reader().totals().assets
    guard assets > Self.largeStore, !unexpected.isEmpty else { return }
    let planned = try store.plan(unexpected, options).results.reduce(0) { $0 + $1.assets }
    guard planned * 5 > assets else { return }
    throw Failure(
      409, .invalidRequest, "large_collection",
      "This would delete \(planned) of \(assets) assets; say --allow-large if that is meant.")
  }
}
