// What an operator's collection answers: one line per asset when it asks for them, one per policy,
// and a last one with the sums (API.md §8).
internal import Configuration
internal import Crypto
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Wire

/// `POST /admin/gc`
struct AdminCollection {
  let context: ServiceContext
  let reader: CatalogReader

  func run(_ call: Call) async throws -> Response {
    let configured = Policy.configured(context.settings.collection)
    let body = try await call.json(limit: 64 << 10, on: context.workers)
    if let id = body["explain"]?.string {
      return .lines(try await explanation(of: id, CollectionOrder(body, configured: configured)))
    }
    let order = try CollectionOrder(body, configured: configured)
    if order.counts { return .lines(try await count(order)) }
    let store = context.store
    let lines = CollectionLines(order, Spool(store), context.log)
    let report = try await context.workers.run {
      if !order.allowsLarge && !order.isDryRun { try order.refuseLarge(store) }
      return order.isDryRun
        ? try store.plan(order.policies, order.options) { lines.add($0) }
        : try store.collect(order.policies, order.options) { lines.add($0) }
    }
    let content = lines.spool.finish()
    var rest = content.held
    for line in Self.summary(report, order, unlisted: content.left) { rest.append(line: line) }
    guard let file = content.file else { return .lines(rest) }
    return lines.spool.response(file, content.fileBytes, rest, on: context.workers)
  }

  /// How many assets would go, and nothing else: for a progress bar.
  private func count(_ order: CollectionOrder) async throws -> [JSONValue] {
    let store = context.store
    let count = try await context.workers.run { try store.count(order.policies, order.options) }
    return [["total": true, "assets": .number(JSONNumber(count))]]
  }

  private static func summary(
    _ report: CollectionReport, _ order: CollectionOrder, unlisted: Int
  ) -> [JSONValue] {
    let results = report.results
    var lines = zip(results, order.policies).map { result, policy in
      order.describes ? result.json(order, purpose: policy.purpose) : result.json(order)
    }
    var total: JSONValue = [
      "total": true, "assets": .number(JSONNumber(results.reduce(0) { $0 + $1.assets })),
      "bytes": .number(JSONNumber(results.reduce(0) { $0 + $1.bytes })),
      "blobs": .number(JSONNumber(results.reduce(0) { $0 + $1.blobs })),
      "seconds": JSONNumber(Double(report.nanoseconds) / 1e9).map { .number($0) } ?? 0,
    ]
    if var object = total.object {
      if let jump = report.clockJump { object["clock_jump"] = .number(JSONNumber(jump)) }
      if let stop = report.sweepStop { object["orphans_stopped"] = .string(stop) }
      if unlisted > 0 { object["unlisted"] = .number(JSONNumber(unlisted)) }
      if report.stuck > 0 { object["orphans_stuck"] = .number(JSONNumber(report.stuck)) }
      total = .object(object)
    }
    lines.append(total)
    return lines
  }

  // MARK: Why

  /// What each policy says of one asset: `{"policy","id","sha256","bytes","collects","reason"}`.
  private func explanation(
    of text: String, _ order: CollectionOrder
  ) async throws -> [JSONValue] {
    guard let id = AssetID(text),
      let asset = try await context.store.read(atOnce: reader, { reader in try reader.asset(id) })
    else { throw Failure.unknownAsset }
    return order.policies.map { policy in
      let verdict = policy.verdict(on: asset, now: context.now)
      return [
        "policy": .string(policy.name), "id": .string(asset.id.description),
        "sha256": .string(asset.blob.digest.hex), "bytes": .number(JSONNumber(asset.blob.bytes)),
        "collects": .bool(verdict.collects), "reason": .string(verdict.reason),
      ]
    }
  }
}

/// The lines of a collection as they come, from a worker's thread.
private final class CollectionLines: Sendable {
  private let lists: Bool
  /// One line of the log per deletion; nothing is deleted by a dry run.
  private let log: LogSink?
  let spool: Spool

  init(_ order: CollectionOrder, _ spool: Spool, _ log: LogSink) {
    lists = order.lists
    self.log = order.isDryRun ? nil : log
    self.spool = spool
  }

  func add(_ item: CollectionItem) {
    log?.deleted(item)
    guard lists else { return }
    var line: [UInt8] = []
    line.append(line: item.json)
    spool.append(line)
  }
}

extension Spool {
  /// Whole lines of JSON: those in the file, then the others.
  fileprivate func response(
    _ file: SharedFile, _ fileBytes: Int64, _ rest: [UInt8], on workers: Workers
  ) -> Response {
    let lines = StoredImage.file(file, bytes: fileBytes)
    var response = Response.lines(rest)
    response.body = .stream(length: fileBytes + Int64(rest.count)) { [self] writer in
      var offset: Int64 = 0
      while offset < fileBytes {
        let piece = try await lines.read(at: offset, count: 256 << 10, on: workers)
        guard !piece.isEmpty else { throw BodyFailure.disconnected }
        try await writer.write(piece.span)
        offset += Int64(piece.count)
      }
      try await writer.write(rest.span)
      // Its space is reserved until here.
      withExtendedLifetime(self) {}
    }
    return response
  }
}

extension LogSink {
  /// The line that says why an image is gone.
  func deleted(_ item: CollectionItem) {
    event(.info, "deleted", .init(name: "item", value: item.json))
  }
}

extension CollectionItem {
  /// `{"policy","id","sha256","bytes","reason"}`
  fileprivate var json: JSONValue {
    [
      "policy": .string(policy), "id": JSONValue(id?.description),
      "sha256": JSONValue(digest?.hex), "bytes": .number(JSONNumber(bytes)),
      "reason": .string(reason),
    ]
  }
}

extension PolicyResult {
  fileprivate func json(_ order: CollectionOrder, purpose: String? = nil) -> JSONValue {
    let line = json(dryRun: order.isDryRun)
    guard let purpose, var object = line.object else { return line }
    object["takes"] = .string(purpose)
    return .object(object)
  }
}

extension Policy {
  /// What it collects, for people.
  fileprivate var purpose: String {
    switch kind {
    case .expired(let grace): "assets that ended more than \(Self.text(grace)) ago"
    case .orphans(let grace): "files that no asset is on, older than \(Self.text(grace))"
    case .records(let after): "records that were of no use for \(Self.text(after))"
    }
  }

  /// Whether it would collect this asset, and why.
  fileprivate func verdict(on asset: Asset, now: Int64) -> (collects: Bool, reason: String) {
    guard case .expired(let grace) = kind else {
      return (false, "takes no assets, only \(purpose)")
    }
    guard let expiry = asset.lifetime.expiresAt else {
      return (false, "the asset is permanent: it never expires")
    }
    if asset.isPinned { return (false, "the asset is pinned") }
    if expiry > now { return (false, "expires in \(Self.text(expiry - now))") }
    // As the policy's condition: `expires_at <= now - grace`.
    guard expiry <= now - grace else {
      let left = Self.text(expiry + grace - now)
      return (
        false, "expired \(Self.text(now - expiry)) ago, and is kept \(left) longer (gc.grace)"
      )
    }
    return (true, "expired \(Self.text(now - expiry)) ago")
  }

  private static func text(_ seconds: Int64) -> String { Quantity.text(.seconds(seconds)) }
}
