// What an upstream answered becomes ours: images that came as base64 or on the upstream's own URLs
// are stored, get their rows in one transaction, and take their places in the answer. An image that
// was paid for and can not be stored goes out as base64 (API.md §3).
internal import Configuration
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Upstream
internal import Wire

/// One answer on its way from an upstream to a client.
struct Rehost {
  private let context: ServiceContext
  private let order: GenerationOrder
  private let call: Call
  private let id: GenerationID
  private let space: ReservedSpace
  private var terms: AssetTerms
  private var skeleton = Skeleton()
  private var items: [IntakeItem] = []
  private var assets: [Int: Asset] = [:]
  private var failed: [Int: Failure] = [:]
  private var warning: String?

  init(
    context: ServiceContext, order: GenerationOrder, call: Call, id: GenerationID,
    space: ReservedSpace
  ) {
    self.context = context
    self.order = order
    self.call = call
    self.id = id
    self.space = space
    terms = Self.terms(of: order, call, context)
  }

  /// What the images get; their lives begin when they are published, not when they were ordered.
  private static func terms(
    of order: GenerationOrder, _ call: Call, _ context: ServiceContext
  ) -> AssetTerms {
    var options = order.options
    if options.store == false {
      // Kept until it is delivered, one hour at most.
      options.retention = .temporary
      options.ttl = 3600
    }
    return AssetTerms(
      options, key: call.caller.key, model: order.model, defaults: context.settings.defaults,
      now: context.now)
  }

  // MARK: Taking

  /// Reads the whole answer; images turn aside into files.
  ///
  /// - Throws: the upstream's error, also one inside a 200; `no_image_returned`.
  mutating func take(_ reply: UpstreamReply, on loop: isolated EventLoop) async throws {
    let intake = AnswerIntake(rule: .answer, maxItems: 16, failsWhole: false) { [self] in
      try await begin()
    }
    do {
      try await intake.take(reply)
    } catch let failure as ScanFailure {
      let failure = UpstreamFailure.malformedAnswer("\(failure)", requestID: reply.requestID)
      throw Failure(failure).afterPaying(requestID: nil)
    }
    skeleton = intake.skeleton
    items = intake.taken
    for (index, item) in items.enumerated() {
      guard case .plain = item, let url = skeleton.items[index].url else { continue }
      items[index] = await fetch(url, reply, on: loop)
    }
    try refuseEmpty(reply)
  }

  private func begin() async throws -> Deposit {
    try await Deposit.begin(
      in: context.store, on: context.workers,
      within: .part(of: space, order.model.expectedBytes),
      rescueLimit: context.settings.limits.imageBytes)
  }

  /// A result that is a URL is fetched at once: it will not live long.
  private func fetch(
    _ url: String, _ reply: UpstreamReply, on loop: isolated EventLoop
  ) async -> IntakeItem {
    do {
      let source = try await reply.fetch(url, on: loop)
      let deposit = try await begin()
      var chunk = ByteBuffer(capacity: 64 << 10)
      while try await source.read({ bytes in
        chunk.removeAll()
        chunk.reserve(bytes.count)
        chunk.append(bytes)
      }) {
        try await deposit.write(chunk)
      }
      return .paid(try await deposit.finish())
    } catch {
      return .failed(Failure(error))
    }
  }

  /// An answer without a single image is an error, whatever its status says.
  private func refuseEmpty(_ reply: UpstreamReply) throws {
    let hasImage = items.contains { item in
      switch item {
      case .settled, .unstored: true
      case .plain, .failed: false
      }
    }
    guard !hasImage else { return }
    for case .failed(let failure) in items {
      throw failure.afterPaying(requestID: reply.requestID)
    }
    throw UpstreamFailure.withoutImage(skeleton: skeleton.bytes.span, requestID: reply.requestID)
  }

  // MARK: Publishing

  /// Gives the images their rows, all in one transaction, with the generation's own.
  mutating func publish() async throws {
    terms = Self.terms(of: order, call, context)
    var publication = Publication(generation: row)
    var indices: [Int] = []
    for (index, item) in items.enumerated() {
      switch item {
      case .settled(let work):
        try publication.add(work, as: newAsset(index))
        indices.append(index)
      case .unstored(let failure, _):
        note(failure)
      case .failed(let failure): failed[index] = failure
      case .plain: failed[index] = .withoutImage(index)
      }
    }
    for missing in items.count..<max(items.count, order.n) {
      failed[missing] = .withoutImage(missing)
    }
    do {
      let published = try await context.store.publish(publication)
      for (index, item) in zip(indices, published) { assets[index] = item.asset }
    } catch {
      // Paid for: without rows the images still go out, as base64.
      noteNotStored("\(error)")
    }
  }

  /// An image goes out as base64: because of what it is, or because of the store.
  private mutating func note(_ failure: Failure) {
    if failure.status >= 500 {
      noteNotStored(failure.cause ?? failure.message)
    } else if warning == nil {
      warning = "not_hostable"
    }
  }

  private mutating func noteNotStored(_ cause: String) {
    warning = "not_stored"
    context.log.event(
      .error, "images could not be stored",
      .init(name: "generation_id", value: .string(id.description)),
      .init(name: "error", value: .string(cause)))
  }

  private var row: Generation {
    Generation(
      id: id, owner: call.caller.owner, fingerprint: order.fingerprint, status: .completed,
      model: order.model.id, prompt: context.settings.privacy.storePrompts ? order.prompt : nil,
      createdAt: context.now, expiresAt: context.now + 24 * 3600)
  }

  private func newAsset(_ index: Int) -> NewAsset {
    NewAsset(
      owner: call.caller.owner, lifetime: terms.lifetime, model: order.model.id, generation: id,
      index: index, quota: call.caller.key?.quota)
  }

  // MARK: The answer

  func response(upstream reply: UpstreamReply, milliseconds: Int64) -> Response {
    let urls = context.urls(call)
    let ordered = assets.sorted { $0.key < $1.key }.map(\.value)
    var summary = JSONObject()
    summary["generation_id"] = .string(id.description)
    summary["upstream"] = .string(reply.upstream)
    summary["latency_ms"] = .number(JSONNumber(milliseconds))
    summary["replayed"] = false
    summary["images"] = .array(ordered.map { $0.summary(urls) })
    if !failed.isEmpty { summary["failed"] = .array(failures) }
    let ignored = call.ignoredWishes
    if !ignored.isEmpty { summary["ignored"] = .array(ignored.map { .string($0) }) }
    let warnings = IntakeItem.warnings(items)
    if !warnings.isEmpty { summary["warnings"] = .array(warnings) }
    if let warning { summary["warning"] = .string(warning) }
    let answer = AnswerReply(
      skeleton: skeleton, items: items.indices.map { item($0, urls) }, summary: summary,
      form: terms.base64)
    var response = answer.response(on: context.workers)
    response.add("x-asset-generation-id", id.description)
    if !ordered.isEmpty {
      response.add("x-asset-ids", ordered.map(\.id.description).joined(separator: ","))
      if let expiry = terms.lifetime.expiresAt {
        response.add("x-asset-expires-at", String(expiry))
      }
    }
    response.add("x-asset-replayed", "false")
    if let requestID = reply.requestID { response.add("x-upstream-request-id", requestID) }
    if warning != nil { response.add("x-should-retry", "false") }
    return deletingAfterDelivery(response, ordered)
  }

  private var failures: [JSONValue] {
    failed.sorted { $0.key < $1.key }.map { index, failure in
      [
        "index": .number(JSONNumber(index)), "code": JSONValue(failure.code),
        "message": .string(failure.message),
      ]
    }
  }

  private func item(_ index: Int, _ urls: AssetURLs) -> ItemReply {
    switch items[index] {
    case .settled(let work):
      guard let asset = assets[index] else { return unpublished(work) }
      if order.format == .url { return .url(urls.url(of: asset)) }
      guard let file = try? context.store.open(asset.blob) else { return unpublished(work) }
      return .base64(
        .file(SharedFile(file), bytes: asset.blob.bytes), asset.blob.image.mediaType)
    case .unstored(_, let image): return .base64(.unstored(image), image.mediaType)
    case .failed, .plain: return .keep
    }
  }

  private func unpublished(_ work: IngestWork) -> ItemReply {
    guard let blob = try? work.blob else { return .keep }
    return .base64(.ingest(work, bytes: blob.bytes), blob.image.mediaType)
  }

  /// `asset.store: false` keeps an image only until its answer is out.
  private func deletingAfterDelivery(_ response: Response, _ assets: [Asset]) -> Response {
    guard order.options.store == false, case .stream(let length, let write) = response.body else {
      return response
    }
    var response = response
    let store = context.store
    response.body = .stream(length: length) { writer in
      try await write(writer)
      for asset in assets { _ = try await store.delete(asset.id, owner: asset.owner) }
    }
    return response
  }
}

extension Failure {
  static func withoutImage(_ index: Int) -> Failure {
    Failure(
      502, .upstream, "no_image_returned", "The upstream returned no image \(index).")
  }
}
