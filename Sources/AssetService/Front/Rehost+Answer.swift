// What goes out of an order: the upstream's answer with URLs or base64 in the images' places, and
// `x_asset`. Images that are not to be stored are deleted once they have arrived.
internal import Configuration
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Upstream
internal import Wire

extension Rehost {
  /// - Throws: the first image's failure when not one can be read any more.
  mutating func response(
    upstream reply: UpstreamReply, milliseconds: Int64, on loop: isolated EventLoop
  ) async throws -> Response {
    let urls = context.urls(call)
    var replies: [ItemReply] = []
    for index in items.indices { replies.append(await item(index, urls, on: loop)) }
    try await refuseEmpty()
    let summary = summary(reply, urls, milliseconds)
    let answer = AnswerReply(
      skeleton: skeleton, items: replies, summary: summary, form: terms.base64,
      rewrites: await rewrites(reply.scrubber))
    var response = answer.response(on: context.workers)
    addHeaders(to: &response, reply)
    return deletingOnceDelivered(tellingLoss(response), within(replies))
  }

  /// What must go out of what the upstream said. Where no thread is free for a long answer it is
  /// found on the loop: the images are paid for.
  private func rewrites(_ scrubber: Scrubber) async -> [SkeletonRenderer.Rewrite] {
    let skeleton = skeleton
    let found = try? await context.workers.run(over: skeleton.bytes.count) {
      scrubber.rewrites(of: skeleton)
    }
    return found ?? scrubber.rewrites(of: skeleton)
  }

  /// The assets, but those of images that are `failed`.
  private var ordered: [Asset] { assets.sorted { $0.key < $1.key }.map(\.value) }

  private func summary(
    _ reply: UpstreamReply, _ urls: AssetURLs, _ milliseconds: Int64
  ) -> JSONObject {
    var summary = JSONObject()
    summary["generation_id"] = .string(id.description)
    summary["upstream"] = .string(reply.upstream)
    summary["latency_ms"] = .number(JSONNumber(milliseconds))
    summary["replayed"] = false
    summary["images"] = .array(ordered.map { $0.summary(urls) })
    if !failed.isEmpty { summary["failed"] = .array(Self.list(failed)) }
    let ignored = call.ignoredWishes
    if !ignored.isEmpty { summary["ignored"] = .array(ignored.map { .string($0) }) }
    let warnings = IntakeItem.warnings(items) + Self.list(unstored)
    if !warnings.isEmpty { summary["warnings"] = .array(warnings) }
    if let warning { summary["warning"] = .string(warning) }
    if reply.attempts > 1 { summary["upstream_attempts"] = .number(JSONNumber(reply.attempts)) }
    return summary
  }

  private func addHeaders(to response: inout Response, _ reply: UpstreamReply) {
    response.add("x-asset-generation-id", id.description)
    if !ordered.isEmpty {
      response.add("x-asset-ids", ordered.map(\.id.description).joined(separator: ","))
      if let expiry = terms.lifetime.expiresAt {
        response.add("x-asset-expires-at", String(expiry))
      }
    }
    response.add("x-asset-replayed", "false")
    if let requestID = reply.requestID { response.add("x-upstream-request-id", requestID) }
    if warning != nil || !unstored.isEmpty || !failed.isEmpty || cutOff != nil {
      response.add("x-should-retry", "false")
    }
  }

  private static func list(_ failures: [Int: Failure]) -> [JSONValue] {
    failures.sorted { $0.key < $1.key }.map { index, failure in
      [
        "index": .number(JSONNumber(index)), "code": JSONValue(failure.code),
        "message": .string(failure.message),
      ]
    }
  }

  // MARK: Images

  private mutating func item(
    _ index: Int, _ urls: AssetURLs, on loop: isolated EventLoop
  ) async -> ItemReply {
    switch items[index] {
    case .settled(let work):
      guard let asset = assets[index] else { return await unpublished(work, index, on: loop) }
      if order.format == .url { return .url(urls.url(of: asset)) }
      return await inline(asset, index, urls, on: loop)
    case .unstored(_, let image):
      do {
        let bytes = try await readable(.unstored(image), on: loop)
        return .base64(bytes, await image.mediaType(on: context.workers))
      } catch { return fail(index, error) }
    case .failed, .plain: return .keep
    }
  }

  /// A stored image as base64. Where its file can not be opened now its URL goes out; what is
  /// damaged is `failed`.
  private mutating func inline(
    _ asset: Asset, _ index: Int, _ urls: AssetURLs, on loop: isolated EventLoop
  ) async -> ItemReply {
    do {
      let (store, workers) = (context.store, context.workers)
      let file = try await patience.attempt(on: loop) {
        try await workers.run(isOwed: true) { try store.open(asset.blob) }
      }
      return .base64(.file(file, bytes: asset.blob.bytes), asset.blob.image.mediaType)
    } catch {
      if (error as? StoreFailure)?.kind == .assetDamaged { return fail(index, error) }
      let failure = Failure(error)
      context.tellUnreadable(of: id, failure, "\(error)")
      unstored[index] = failure
      return .url(urls.url(of: asset))
    }
  }

  private mutating func unpublished(
    _ work: IngestWork, _ index: Int, on loop: isolated EventLoop
  ) async -> ItemReply {
    do {
      let blob = try work.blob
      let bytes = try await readable(.ingest(work, bytes: blob.bytes), on: loop)
      return .base64(bytes, blob.image.mediaType)
    } catch { return fail(index, error) }
  }

  /// Opens its file before the head goes out: behind it there is no other answer any more.
  private func readable(
    _ image: StoredImage, on loop: isolated EventLoop
  ) async throws -> StoredImage {
    let workers = context.workers
    _ = try await patience.attempt(on: loop) {
      try await image.read(at: 0, count: 1, on: workers)
    }
    return image
  }

  private mutating func fail(_ index: Int, _ error: any Error) -> ItemReply {
    let failure = Failure(error)
    // A row stays for as long as its life lasts: an operator may mend the file yet.
    if assets.removeValue(forKey: index) == nil {
      context.tellLost(of: id, failure)
    } else {
      context.tellUnreadable(of: id, failure, "\(error)")
    }
    items[index] = .failed(failure)
    failed[index] = failure
    unstored[index] = nil
    return .keep
  }

  // MARK: Images that are not to be stored

  /// The assets whose bytes are in the answer.
  private func within(_ replies: [ItemReply]) -> [Asset] {
    replies.enumerated().compactMap { index, reply in
      if case .base64 = reply { assets[index] } else { nil }
    }
  }

  /// Whether the client was there when its answer began.
  private final class Presence {
    var wasSeen = false
  }

  /// `asset.store: false` keeps an image until it is delivered, one hour at most.
  private func deletingOnceDelivered(_ response: Response, _ assets: [Asset]) -> Response {
    guard let passage, case .stream(let length, let write) = response.body else {
      return response
    }
    var response = response
    let (context, request, presence) = (context, call.request, Presence())
    response.body = .stream(length: length) { writer in
      // What is sent to a client that has left does not arrive. One that leaves once it has all is
      // no such client.
      presence.wasSeen = request.body.isClientThere
      try await write(writer)
    }
    response.whenDelivered = {
      guard presence.wasSeen else { return }
      do {
        for asset in assets { _ = try await context.store.delete(asset.id, owner: asset.owner) }
      } catch {
        context.log.fault(Failure(error), requestID: request.id)
      }
      withExtendedLifetime(passage) {}
    }
    return response
  }
}
