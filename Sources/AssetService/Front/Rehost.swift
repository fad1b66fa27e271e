// What an upstream answered becomes ours: images that came as base64 or on the upstream's own URLs
// are stored, get their rows in one transaction, and take their places in the answer. An image that
// was paid for and can not be stored goes out as base64 (API.md §3).
internal import Configuration
internal import Crypto
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Upstream
internal import Wire

/// One answer on its way from an upstream to a client; what goes out is in `Rehost+Answer.swift`.
struct Rehost {
  let context: ServiceContext
  let order: GenerationOrder
  let call: Call
  let id: GenerationID
  private let space: ReservedSpace
  /// What the order was promised of its owner's quota; goes once the images have their rows.
  private var promise: OwnerPromise?
  /// Keeps images that are deleted after the answer from being given to others.
  let passage: Passage?
  private let reader: CatalogReader
  let patience: Patience
  private var reply: UpstreamReply?
  var terms: AssetTerms
  private(set) var skeleton = Skeleton()
  var items: [IntakeItem] = []
  var assets: [Int: Asset] = [:]
  var failed: [Int: Failure] = [:]
  /// Why the answer broke off, if it did.
  var cutOff: Failure?
  var warning: String?
  /// Why images that are here are not in the store, or not in the form that was asked for.
  var unstored: [Int: Failure] = [:]

  init(
    context: ServiceContext, order: GenerationOrder, call: Call, id: GenerationID,
    space: ReservedSpace, promise: OwnerPromise, reader: CatalogReader, patience: Patience
  ) {
    self.reader = reader
    self.patience = patience
    self.context = context
    self.order = order
    self.call = call
    self.id = id
    self.space = space
    self.promise = promise
    passage = order.options.store == false ? context.store.passage() : nil
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

  /// Reads the answer as far as it goes; images turn aside into files. With at least one whole
  /// image it does not matter that the rest could not be had.
  ///
  /// - Throws: the upstream's error, also one inside a 200; `no_image_returned`.
  mutating func take(_ reply: UpstreamReply, on loop: isolated EventLoop) async throws {
    self.reply = reply
    let intake = AnswerIntake(
      .paid, maxItems: 16, imageBytes: context.settings.limits.imageBytes
    ) { [self] in try await begin() }
    if let error = await intake.takePaid(reply) {
      reply.close()
      let scan = (error as? ScanFailure).map {
        UpstreamFailure.malformedAnswer("\($0)", requestID: reply.requestID)
      }
      cutOff = Failure(scan ?? error).afterPaying(requestID: reply.requestID)
    }
    skeleton = intake.skeleton
    items = intake.taken
    await fetchAll(reply, on: loop)
    try await refuseEmpty()
  }

  private var requestID: String? { reply?.requestID }

  func begin() async throws -> Deposit {
    try await Deposit.begin(
      in: context.store, on: context.workers,
      within: .part(of: space, order.model.expectedBytes),
      rescueLimit: context.settings.limits.imageBytes,
      allowance: RescueAllowance(memory: context.rescues, limit: context.limits.rescueBytes))
  }

  /// An answer without a single image is an error, whatever its status says.
  func refuseEmpty() async throws {
    let hasImage = items.contains { item in
      switch item {
      case .settled, .unstored: true
      case .plain, .failed: false
      }
    }
    guard !hasImage else { return }
    if let cutOff { throw about(cutOff) }
    for case .failed(let failure) in items {
      throw about(failure.afterPaying(requestID: requestID))
    }
    throw about(Failure(upstream: await withoutImage()))
  }

  /// What an answer without an image says; an upstream may say a lot.
  private func withoutImage() async -> UpstreamFailure {
    let (bytes, id, scrubber) = (skeleton.bytes, requestID, reply?.scrubber ?? Scrubber())
    let told = try? await context.workers.run(over: bytes.count) {
      UpstreamFailure.withoutImage(skeleton: bytes.span, requestID: id, scrubber)
    }
    let nothing: [UInt8] = []
    return told ?? .withoutImage(skeleton: nothing.span, requestID: id, scrubber)
  }

  /// The same, with what the log says of it.
  private func about(_ failure: Failure) -> Failure {
    var failure = failure
    failure.facts = order.facts(id, upstream: reply?.upstream)
    return failure
  }

  // MARK: Publishing

  /// Gives the images their rows, all in one transaction, with the generation's own. What may pass
  /// is tried again.
  ///
  /// - Throws: the first image's failure when none is left: all were taken down.
  mutating func publish(by clock: LoopClock, on loop: isolated EventLoop) async throws {
    terms = Self.terms(of: order, call, context)
    for index in items.indices {
      guard case .unstored(let failure, let image) = items[index] else { continue }
      await withhold(index, try? await image.digest(on: context.workers))
      if case .unstored = items[index] { note(failure, index) }
    }
    promise?.correct(to: settled.reduce(0) { $0 + $1.blob.bytes })
    var triesLeft = context.limits.publishTries
    var tries = 0
    while true {
      do throws(StoreFailure) {
        try await publishSettled()
        break
      } catch {
        if error.kind == .blocked, drop(digest: error.subject, error) { continue }
        // Nobody is there to whom they could go: their rows are all that can keep them.
        if error.mayPass, triesLeft > 0, !call.request.body.isClientThere {
          triesLeft -= 1
          await clock.sleep(until: loop.now + Self.publishPause, on: loop)
          terms = Self.terms(of: order, call, context)
          continue
        }
        if await patience.waits(after: error, &tries, on: loop) {
          terms = Self.terms(of: order, call, context)
          continue
        }
        // Paid for: without rows the images still go out, as base64; not those taken down.
        for part in settled { await withhold(part.index, part.blob.digest) }
        noteNotStored(Failure(error), "\(error)", settled.map(\.index))
        break
      }
    }
    // Its rows count from now on.
    promise = nil
    noteFailed()
    try await refuseEmpty()
  }

  /// Nanoseconds before the rows are tried once more; the store looks after itself every second.
  private static let publishPause: Int64 = 1_000_000_000

  private mutating func publishSettled() async throws(StoreFailure) {
    var publication = Publication(generation: row)
    publication.promise = promise
    publication.passage = passage
    let parts = settled
    for part in parts { try publication.add(part.work, as: newAsset(part.index)) }
    let published = try await context.store.publish(publication)
    for (part, item) in zip(parts, published) { assets[part.index] = item.asset }
  }

  private var settled: [(index: Int, work: IngestWork, blob: Blob)] {
    items.enumerated().compactMap { index, item in
      guard case .settled(let work) = item, let blob = try? work.blob else { return nil }
      return (index, work, blob)
    }
  }

  /// Images that were taken down are not delivered, paid or not.
  ///
  /// - Returns: whether there were any.
  private mutating func drop(digest: String?, _ failure: StoreFailure) -> Bool {
    let dropped = settled.filter { $0.blob.digest.hex == digest }
    for part in dropped { items[part.index] = .failed(Failure(failure)) }
    return !dropped.isEmpty
  }

  /// The same for an image whose row was not even tried. What the catalogue can not say is no
  /// reason to keep back what was paid for.
  private mutating func withhold(_ index: Int, _ digest: Digest?) async {
    guard let digest,
      (try? await context.store.read(atOnce: reader, { try $0.isBlocked(digest) })) == true
    else { return }
    items[index] = .failed(Failure(StoreFailure(.publish, .blocked, subject: digest.hex)))
  }

  private mutating func noteFailed() {
    for (index, item) in items.enumerated() {
      switch item {
      case .settled, .unstored: break
      case .failed(let failure):
        failed[index] = failure
        let isTold = skeleton.items[index].url != nil
        if failure.code == Failure.rescueFullCode, !isTold { context.tellLost(of: id, failure) }
      case .plain: failed[index] = cutOff ?? .withoutImage(index)
      }
    }
    for missing in items.count..<max(items.count, order.n) {
      failed[missing] = cutOff ?? .withoutImage(missing)
    }
  }

  /// An image goes out as base64: because of what it is, or because of the store.
  private mutating func note(_ failure: Failure, _ index: Int) {
    if failure.status >= 500 {
      noteNotStored(failure, failure.cause ?? failure.message, [index])
    } else if warning == nil {
      warning = "not_hostable"
    }
  }

  private mutating func noteNotStored(_ failure: Failure, _ cause: String, _ indices: [Int]) {
    warning = "not_stored"
    for index in indices { unstored[index] = failure }
    context.tellUnstored(indices.count, of: id, failure, cause)
  }

  private var row: Generation {
    Generation(
      id: id, owner: call.caller.owner, fingerprint: order.fingerprint, status: .completed,
      model: order.modelName, prompt: context.settings.privacy.storePrompts ? order.prompt : nil,
      createdAt: context.now, expiresAt: context.now + 24 * 3600)
  }

  private func newAsset(_ index: Int) -> NewAsset {
    NewAsset(
      owner: call.caller.owner, lifetime: terms.lifetime, model: order.modelName, generation: id,
      index: index, quota: call.caller.key?.quota)
  }

  func hasRow(_ index: Int) -> Bool { assets[index] != nil }

  func whyUnstored(_ index: Int) -> Failure? { unstored[index] }
}
