// The operator's calls, on the admin socket only: what assetctl asks of a running daemon.
internal import Configuration
internal import Crypto
internal import HTTPServer
internal import Net
internal import Store
internal import Synchronization
internal import Wire

/// `/admin/…`; one per loop.
struct AdminHandlers {
  let context: ServiceContext
  let reader: CatalogReader

  func answer(_ name: String, _ call: Call) async throws -> Response {
    // For everyone else these calls are not there at all.
    guard call.request.peer.isLocalSocket else { throw Failure.unknownRoute }
    switch (name, call.request.head.method) {
    case ("about", .get): return about()
    case ("assets", .post): return try await host(call)
    case ("gc", .post): return try await AdminCollection(context: context, reader: reader).run(call)
    case ("stats", .get): return try await stats()
    case ("keys", .get): return try await keys()
    case ("keys", .post): return try await createKey(call)
    case ("keys", .delete): return try await revokeKey(call)
    default: throw Failure.unknownRoute
    }
  }

  // MARK: The service

  /// Who answers, and the host of its API, which a caller on the socket can not know but has to
  /// name: answers hold URLs.
  private func about() -> Response {
    let real = context.state.addresses.first.map { String($0.dropFirst("http://".count)) }
    let body: JSONValue = [
      "version": .string(AssetService.version), "host": .string(real ?? context.bases.fallback),
    ]
    return Response(status: 200, json: body.bytes)
  }

  // MARK: Assets

  /// `POST /v1/assets` for another owner; with `truncated=keep` also for what is left of an image,
  /// such as one that was paid for and kept, on its way into a new store.
  private func host(_ call: Call) async throws -> Response {
    var caller = call.caller
    if let name = call.query["owner"] {
      guard let owner = Owner(name) else {
        throw Failure.badRequest("An owner's name has 1 to 64 bytes.", param: "owner")
      }
      caller = Caller(owner: owner, scopes: call.caller.scopes, key: nil)
    }
    return try await AssetHandlers(context: context, reader: reader).create(
      Call(request: call.request, caller: caller, query: call.query, bases: call.bases),
      parameters: AssetOptions.queryNames.union(["owner", "truncated"]),
      keepsTruncated: try call.query.choice("truncated", TruncatedImages.self) == .keep)
  }

  private enum TruncatedImages: String, CaseIterable {
    case keep
  }

  // MARK: Numbers

  private func stats() async throws -> Response {
    let (totals, owners) = try await context.store.read { reader in
      (try reader.totals(), try reader.ownerTotals(limit: 100))
    }
    let space = context.store.space
    let statistics = context.store.commitStatistics
    let body: JSONValue = [
      "assets": .number(JSONNumber(totals.assets)),
      "bytes": .number(JSONNumber(totals.assetBytes)),
      "blobs": .number(JSONNumber(totals.blobs)),
      "blob_bytes": .number(JSONNumber(totals.blobBytes)),
      "disk_bytes": .number(JSONNumber(totals.diskBytes)),
      "reserved_bytes": .number(JSONNumber(space.reserved)),
      "awaiting_unlink_bytes": .number(JSONNumber(space.awaitingUnlink)),
      "max_bytes": JSONValue(context.settings.storage.maxBytes),
      "commits": .number(JSONNumber(statistics.commits)),
      "io_failures": .number(JSONNumber(context.store.failureCount)),
      "damaged_blobs": .number(JSONNumber(context.store.damagedBlobs.current)),
      "scrub": context.store.scrubReport.json,
      "read_only": .bool(context.store.health != .good), "full": .bool(context.store.isFull),
      "owners": .array(
        owners.map { owner in
          [
            "owner": .string(owner.owner.name), "assets": .number(JSONNumber(owner.assets)),
            "bytes": .number(JSONNumber(owner.bytes)),
          ]
        }),
    ]
    return Response(status: 200, json: body.bytes)
  }

  // MARK: Keys

  private func keys() async throws -> Response {
    let keys = try await context.store.read { reader in try reader.keys() }
    let uses = context.store.keyUses.latest
    return .lines(keys.map { $0.json(after: uses) })
  }

  /// Makes a key; this answer is the only place where it is ever seen.
  private func createKey(_ call: Call) async throws -> Response {
    let body = try await call.json(limit: 64 << 10, on: context.workers)
    let secret = "ak-" + Base64URL.encode(SystemRandom.bytes32().span)
    let earlier = try await context.store.read { reader in try reader.keys() }
    let key = try await context.store.insert(
      AccessKey(
        request: body, digest: Gatekeeper.digest(of: secret), after: earlier, now: context.now))
    guard var object = key.json().object else { throw Failure.unknownRoute }
    object["key"] = .string(secret)
    // An owner's other good keys: after a rotation they are to be revoked.
    let others = earlier.filter { $0.owner == key.owner && $0.revokedAt == nil }
    object["other_ids"] = .array(others.map { .number(JSONNumber($0.id)) })
    return Response(status: 201, json: JSONValue.object(object).bytes)
  }

  private func revokeKey(_ call: Call) async throws -> Response {
    guard let name = call.query["name"] else {
      throw Failure.badRequest("Name the key.", param: "name")
    }
    let id = try call.query.number("id", in: 1...Int.max).map(Int64.init)
    switch try await context.store.revokeKeys(name, id: id) {
    case .unknown: throw Failure.notFound("key")
    case .alreadyRevoked:
      throw Failure(
        409, .invalidRequest, "already_revoked", "This key is already revoked.", param: "name")
    case .revoked: break
    }
    return Response(
      status: 200, json: (["name": .string(name), "revoked": true] as JSONValue).bytes)
  }
}

extension Response {
  /// One object per line.
  static func lines(_ values: [JSONValue]) -> Response {
    var bytes: [UInt8] = []
    for value in values { bytes.append(line: value) }
    return .lines(bytes)
  }

  /// Whole lines of JSON (application/x-ndjson).
  static func lines(_ bytes: [UInt8]) -> Response {
    var response = Response(status: 200, body: .bytes(bytes))
    response.add("Content-Type", "application/x-ndjson")
    return response
  }
}

extension Array where Element == UInt8 {
  /// Appends one line of JSON.
  mutating func append(line value: JSONValue) {
    JSONWriter.append(value, to: &self)
    append(UInt8(ascii: "\n"))
  }
}
