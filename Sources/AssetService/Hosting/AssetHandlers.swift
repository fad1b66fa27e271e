// Hosting single images (API.md §4): the calls on /v1/assets.
internal import Configuration
internal import HTTPServer
internal import Kernel
internal import Store
internal import Wire

/// The calls on assets; one per loop.
struct AssetHandlers {
  let context: ServiceContext
  let reader: CatalogReader

  // MARK: POST /v1/assets

  /// Hosts one image: raw bytes, or JSON with `b64_json` (or a data URL in `url`).
  ///
  /// - Parameter keepsTruncated: whether also one that ends before its end.
  func create(
    _ call: Call, parameters: Set<String> = AssetOptions.queryNames, keepsTruncated: Bool = false
  ) async throws -> Response {
    try call.caller.require(.host)
    try call.query.expect(parameters)
    call.request.body.limit = context.settings.limits.bodyBytes
    let type = call.request.value(of: .contentType) ?? ""
    if type.lowercased().hasPrefix("multipart/") { throw Failure.multipartUpload }
    let upload = isJSON(type) ? try await takeJSON(call) : try await takeRaw(call)
    guard keepsTruncated || upload.work.isWholeImage else { throw Failure.truncatedImage }
    let terms = AssetTerms(
      upload.options, key: call.caller.key, defaults: context.settings.defaults, now: context.now)
    let new = NewAsset(
      owner: call.caller.owner, lifetime: terms.lifetime, reuse: true,
      quota: call.caller.key?.quota)
    let published = try await context.store.publish(upload.work, as: new)
    let urls = context.urls(call)
    var response = Response(
      status: published.isNew ? 201 : 200, json: published.asset.json(urls).bytes)
    response.add("Location", "\(call.bases.api)/v1/assets/\(published.asset.id)")
    return response
  }

  private struct Upload {
    let work: IngestWork
    let options: AssetOptions
  }

  private func isJSON(_ type: String) -> Bool {
    type.prefix { $0 != ";" }.lowercased().hasSuffix("json")
  }

  private func takeRaw(_ call: Call) async throws -> Upload {
    let body = call.request.body
    let options = try AssetOptions(call.query)
    if let length = body.declaredLength, length > context.settings.limits.imageBytes {
      throw StoreFailure(.ingest, .tooLarge(limit: context.settings.limits.imageBytes))
    }
    let deposit = try await Deposit.begin(
      in: context.store, on: context.workers,
      within: body.declaredLength.map { .announced($0) } ?? .new(ServiceContext.firstReservation),
      expectedBytes: body.declaredLength)
    var chunk = ByteBuffer(capacity: 64 << 10)
    // One read may hand over several pieces: each chunk of a chunked body is one.
    while try await body.read({ bytes in
      chunk.reserve(bytes.count)
      chunk.append(bytes)
    }) {
      try await deposit.write(chunk)
      chunk.removeAll()
    }
    switch try await deposit.finish() {
    case .settled(let work): return Upload(work: work, options: options)
    case .unstored(let failure, _): throw failure
    }
  }

  private func takeJSON(_ call: Call) async throws -> Upload {
    let intake = AnswerIntake(.upload, maxItems: 1) { [context] in
      try await Deposit.begin(
        in: context.store, on: context.workers, within: .new(ServiceContext.firstReservation))
    }
    try await intake.take(call.request.body)
    let text = intake.skeleton.bytes
    let document = try await context.workers.run(over: text.count) {
      try JSONValue.parse(text.span, limits: .body)
    }
    guard document.object != nil else { throw Failure.badRequest("The body must be an object.") }
    let options = try AssetOptions(document["asset"]).over(try AssetOptions(call.query))
    switch intake.taken.first ?? .plain {
    case .settled(let work): return Upload(work: work, options: options)
    case .failed(let failure), .unstored(let failure, _): throw failure.naming("b64_json")
    case .plain: throw missingImage(intake.skeleton)
    }
  }

  private func missingImage(_ skeleton: Skeleton) -> Failure {
    if skeleton.items.first?.url != nil {
      return .badRequest(
        "This server does not fetch URLs for clients yet; send the image as \"b64_json\".",
        param: "url", code: "url_not_supported")
    }
    return .badRequest(
      "Send the image as \"b64_json\", or as the body itself.", param: "b64_json",
      code: "missing_image")
  }

  // MARK: GET /v1/assets and /v1/assets/{id}

  /// A page of the owner's assets, newest first: read and spelled out beside the loop.
  func list(_ call: Call) async throws -> Response {
    try call.caller.require(.read)
    try call.query.expect([
      "limit", "after", "owner", "retention", "model", "created_after", "created_before",
    ])
    var query = AssetQuery(
      owner: call.caller.visibleOwner, limit: try call.query.number("limit", in: 1...1000) ?? 20)
    if call.caller.isAdmin, let name = call.query["owner"] {
      guard let owner = Owner(name) else {
        throw Failure.badRequest("\"owner\" is no name of an owner.", param: "owner")
      }
      query.owner = owner
    }
    if let after = call.query["after"] {
      guard let id = AssetID(after) else { throw Failure.badCursor }
      query.after = id
    }
    query.retention = try call.query.choice("retention", Retention.self)
    query.model = call.query["model"]
    query.createdAfter = try call.query.number("created_after", in: 0...Int.max).map(Int64.init)
    query.createdBefore = try call.query.number("created_before", in: 0...Int.max).map(Int64.init)
    let urls = context.urls(call)
    let body = try await context.store.list(query) { page in
      let list: JSONValue = [
        "object": "list", "data": .array(page.assets.map { $0.json(urls) }),
        "has_more": .bool(page.hasMore), "last_id": JSONValue(page.last?.id.description),
      ]
      return list.bytes
    }
    // Another owner's asset is as unknown here as everywhere (A2).
    guard let body else { throw Failure.badCursor }
    return Response(status: 200, json: body)
  }

  /// One asset; with `include=b64_json` its bytes, too.
  func show(_ id: String, _ call: Call) async throws -> Response {
    try call.caller.require(.read)
    try call.query.expect(["include", "base64"])
    let form =
      try call.query.choice("base64", Settings.Base64Form.self) ?? context.settings.defaults.base64
    let asset = try await find(id, call)
    let json = asset.json(context.urls(call))
    guard let include = call.query["include"] else {
      return Response(status: 200, json: json.bytes)
    }
    guard include == "b64_json" else {
      throw Failure.badRequest("\"include\" knows b64_json only.", param: "include")
    }
    guard let file = try await context.store.load(asset.id).file else {
      throw Failure.unknownAsset
    }
    return streamed(asset, json, .file(file, bytes: asset.blob.bytes), form)
  }

  /// The asset's JSON with a last member `b64_json`.
  private func streamed(
    _ asset: Asset, _ json: JSONValue, _ image: StoredImage, _ form: Settings.Base64Form
  ) -> Response {
    let type = asset.blob.image.mediaType.contentType
    let prefix = form == .dataURL ? "data:\(type);base64," : ""
    var head = json.bytes
    head.removeLast()
    head.append(contentsOf: ",\"b64_json\":\"\(prefix)".utf8)
    let tail = Array("\"}".utf8)
    let length = Int64(head.count) + Base64.encodedLength(image.bytes) + Int64(tail.count)
    let (start, workers) = (head, context.workers)
    var response = Response(
      status: 200,
      body: .stream(length: length) { writer in
        try await writer.write(start.span)
        try await writer.write(base64: image, on: workers)
        try await writer.write(tail.span)
      })
    response.add("Content-Type", "application/json")
    return response
  }

  // MARK: Changes

  /// Changes retention, life or pin.
  func change(_ id: String, _ call: Call) async throws -> Response {
    try call.caller.require(.host)
    let known = try await find(id, call)
    let body = try await call.json(limit: 64 << 10, on: context.workers)
    var change = AssetChange()
    for member in body.object?.members ?? []
    where !["retention", "ttl", "pinned"].contains(member.name) {
      throw Failure.badRequest(
        "\"\(member.name.shownName)\" can not be changed.", param: member.name)
    }
    if let pinned = body["pinned"], !pinned.isNull {
      guard let flag = pinned.bool else {
        throw Failure.badRequest("\"pinned\" must be true or false.", param: "pinned")
      }
      change.isPinned = flag
    }
    change.lifetime = try lifetime(of: body, known)
    guard let asset = try await context.store.change(known.id, owner: known.owner, change) else {
      throw Failure.unknownAsset
    }
    return Response(status: 200, json: asset.json(context.urls(call)).bytes)
  }

  private func lifetime(of body: JSONValue, _ asset: Asset) throws(Failure) -> Lifetime? {
    var wanted = JSONObject()
    wanted["retention"] = body["retention"]
    wanted["ttl"] = body["ttl"]
    let options = try AssetOptions(.object(wanted), within: "")
    switch (options.retention, options.ttl) {
    case (nil, nil): return nil
    case (.permanent, _): return .permanent
    case (nil, .some) where asset.lifetime == .permanent:
      throw .badRequest("A permanent asset has no ttl.", param: "ttl")
    case (_, let ttl):
      let seconds = ttl ?? context.settings.defaults.ttl.wholeSeconds
      if ttl == nil, asset.lifetime != .permanent { return nil }
      return .temporary(until: context.now + seconds)
    }
  }

  /// Removes an asset: its URLs answer 410 before this returns.
  func delete(_ id: String, _ call: Call) async throws -> Response {
    try call.caller.require(.host)
    guard let assetID = AssetID(id),
      try await context.store.delete(assetID, owner: call.caller.visibleOwner)
    else { throw Failure.unknownAsset }
    return Response(status: 204, body: .none)
  }

  /// A fresh link, which ends no later than the asset.
  func link(_ id: String, _ call: Call) async throws -> Response {
    try call.caller.require(.host)
    let asset = try await find(id, call)
    var ttl = context.settings.defaults.ttl.wholeSeconds
    let body = try await call.json(limit: 64 << 10, on: context.workers)
    for member in body.object?.members ?? [] where member.name != "ttl" {
      throw Failure.badRequest(
        "\"\(member.name.shownName)\" is not known; there is ttl.", param: member.name)
    }
    if let wanted = body["ttl"], !wanted.isNull {
      ttl = try AssetOptions.ttl(wanted, "ttl")
    }
    let expiry = min(context.now + ttl, asset.lifetime.expiresAt ?? .max)
    guard expiry > context.now else {
      throw Failure(410, .notFound, "asset_expired", "This asset has expired.")
    }
    let answer: JSONValue = [
      "url": .string(context.urls(call).link(to: asset, until: expiry)),
      "expires_at": .number(JSONNumber(expiry)),
    ]
    return Response(status: 201, json: answer.bytes)
  }

  /// The asset of an id in a path, if the caller may see it.
  private func find(_ text: String, _ call: Call) async throws -> Asset {
    guard let id = AssetID(text) else { throw Failure.unknownAsset }
    let sees = { (owner: Owner?) in
      call.caller.visibleOwner == nil || owner == call.caller.owner
    }
    switch try await context.store.read(atOnce: reader, { reader in try reader.lookUp(id) }) {
    case .asset(let asset) where sees(asset.owner): return asset
    case .removed(let tombstone) where sees(tombstone.owner): throw Failure.removed(tombstone)
    case .asset, .removed, .unknown: throw Failure.unknownAsset
    }
  }
}

extension Failure {
  /// To whoever may know of it, what is not there any more says why; for 30 days.
  fileprivate static func removed(_ tombstone: Tombstone) -> Failure {
    let how =
      switch tombstone.reason {
      case .deleted: "deleted"
      case .collected: "collected by a policy"
      case .takenDown: "taken down"
      }
    return Failure(
      404, .notFound, "asset_gone",
      "There is no such asset any more: it was \(how) at \(Timestamp.text(tombstone.removedAt)).")
  }

  static let multipartUpload = Failure(
    415, .invalidRequest, "unsupported_content_type",
    "Send the image as the body itself, or as \"b64_json\" in JSON; not as a form.")

  /// Its sender still has it whole.
  static let truncatedImage = Failure(
    400, .invalidRequest, "truncated_image",
    "The image ends before its end, or its structure is damaged; send it again, whole.")

  static let badCursor = badRequest(
    "\"after\" must be the last_id of an earlier page.", param: "after")

  /// The same failure, with the parameter that it is about.
  func naming(_ param: String) -> Failure {
    var failure = Failure(
      status, type: type, code, message, param: param, retryAfter: retryAfter)
    failure.cause = cause
    return failure
  }
}
