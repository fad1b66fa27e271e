// Every write has the same shape: a closure for the writer's transaction, then what the rest of the
// program must see before the caller does (epochs, space), then the files that are not needed, then
// the caller.
public import Wire

/// Settled blobs and rows that become durable together, or not at all: the images of a generation
/// with the generation itself.
public struct Publication: ~Copyable, Sendable {
  /// The generation's row, if there is one to write.
  public var generation: Generation?
  /// What the order was promised of its owner's quota before it was bought; others' images make
  /// room for it. An order that brings more than that leaves others what they were promised.
  public var promise: OwnerPromise?
  /// Set for assets that are deleted as soon as their answer is out.
  public var passage: Passage?
  var parts: [Part] = []

  struct Part: Sendable {
    let work: IngestWork
    let blob: Blob
    let new: NewAsset
    /// The asset's, if it becomes a new one.
    let id = AssetID.random()
  }

  /// Nothing yet.
  public init(generation: Generation? = nil) {
    self.generation = generation
  }

  /// Adds an asset of these bytes.
  public mutating func add(_ settled: consuming SettledBlob, as new: NewAsset) {
    parts.append(Part(work: settled.work, blob: settled.blob, new: new))
  }
}

extension Store {
  /// Gives a settled blob its row. When this returns, the asset is durable (invariant 10).
  ///
  /// - Throws: `.blocked`, `.full(.quota)`, `.full(.disk)`, `.readOnly`, `.outcomeUnknown`,
  /// `.busy`,
  ///   `.closed`, `.sqlite`; the file goes, but where the outcome is not known.
  public func publish(
    _ settled: consuming SettledBlob, as new: NewAsset
  ) async throws(StoreFailure) -> PublishedAsset {
    var publication = Publication()
    publication.add(settled, as: new)
    let published = try await publish(publication)
    guard let first = published.first else { preconditionFailure("one part, one asset") }
    return first
  }

  /// Writes all rows of a publication in one transaction; see `publish(_:as:)`.
  ///
  /// - Returns: the assets, in the order in which they were added.
  public func publish(
    _ publication: consuming Publication
  ) async throws(StoreFailure) -> [PublishedAsset] {
    let (parts, generation) = (publication.parts, publication.generation)
    let (promise, passage) = (publication.promise, publication.passage)
    let result = await withCheckedContinuation { continuation in
      publish(parts, generation, promise, passage) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  private func publish(
    _ parts: [Publication.Part], _ generation: Generation?, _ promise: OwnerPromise?,
    _ passage: Passage?,
    then: @escaping @Sendable (Result<[PublishedAsset], StoreFailure>) -> Void
  ) {
    let now = self.now
    let sum = parts.reduce(0) { $0 + $1.blob.bytes }
    let isPromised = promise.map { sum <= $0.bytes } ?? false
    writer.submit { [files, promises, passing] (session) throws(StoreFailure) in
      var insertions: [Insertion] = []
      for part in parts {
        var new = part.new
        new.passing = passing
        passage?.add(part.id)
        if !isPromised, new.quota != nil {
          new.promised = promises.promised(to: new.owner, beside: promise?.id)
        }
        insertions.append(
          try session.insert(part.blob, as: new, id: part.id, now: now()) { live in
            guard let problem = files.problem(of: live) else { return true }
            files.damaged.note(live.name, problem)
            return false
          })
      }
      if let generation { try session.record(generation) }
      promise?.note(hasRows: true)
      return insertions
    } then: { [self] result in
      switch result {
      case .success(let insertions): finish(parts, insertions, then)
      case .failure(let failure):
        promise?.note(hasRows: false)
        // Else the parts are let go of here, and their files with them.
        if failure.kind == .outcomeUnknown { for part in parts { part.work.leave() } }
        then(.failure(failure))
      }
    }
  }

  /// The rows are durable: keep the files that they name, remove the others, then tell the caller.
  private func finish(
    _ parts: [Publication.Part], _ insertions: [Insertion],
    _ then: @escaping @Sendable (Result<[PublishedAsset], StoreFailure>) -> Void
  ) {
    let published = insertions.map(\.published)
    var leftovers: [Unlinker.Leftover] = []
    let replaced = insertions.compactMap(\.replaced)
    if !replaced.isEmpty {
      // Other assets on the same bytes may be open with the damaged file.
      epochs.bumpAll()
      for blob in replaced { files.damaged.forget(blob.name, isRepaired: true) }
    }
    for (part, insertion) in zip(parts, insertions) {
      if insertion.usesFile {
        part.work.keep()
      } else if let leftover = part.work.discard() {
        leftovers.append(leftover)
      }
      // A reused asset lives longer now than a cache may know.
      if !insertion.published.isNew { epochs.bump(insertion.published.asset.id) }
    }
    release(replaced)
    guard let last = leftovers.popLast() else { return then(.success(published)) }
    for leftover in leftovers { unlinker.submit(.init(leftover: leftover)) }
    unlinker.submit(.init(leftover: last, then: { then(.success(published)) }))
  }

  /// Writes a generation's row.
  public func record(_ generation: Generation) async throws(StoreFailure) {
    try await write { (session) throws(StoreFailure) in try session.record(generation) }
  }

  /// Notes that a generation's whole answer went out.
  public func markDelivered(_ id: GenerationID) async throws(StoreFailure) {
    try await write { (session) throws(StoreFailure) in try session.markDelivered(id) }
  }

  /// Runs `body` in the writer's next transaction, and returns after its commit.
  ///
  /// - Parameter usesBallast: whether it goes on when the disk is full, as what removes does.
  func write<Value: Sendable>(
    isLong: Bool = false, usesBallast: Bool = false,
    before: @escaping @Sendable (Value) -> Void = { _ in },
    _ body: @escaping @Sendable (CatalogSession) throws(StoreFailure) -> Value
  ) async throws(StoreFailure) -> Value {
    let result = await withCheckedContinuation { continuation in
      let then: @Sendable (Result<Value, StoreFailure>) -> Void = { result in
        if case .success(let value) = result { before(value) }
        continuation.resume(returning: result)
      }
      if usesBallast {
        submitWithBallast(body, then: then)
      } else {
        writer.submit(isLong: isLong, body, then: then)
      }
    }
    return try result.get()
  }

  /// Runs `body` in the writer's next transaction; on a full disk the ballast is given up, and it
  /// is tried once more.
  func submitWithBallast<Value: Sendable>(
    _ body: @escaping @Sendable (CatalogSession) throws(StoreFailure) -> Value,
    then: @escaping @Sendable (Result<Value, StoreFailure>) -> Void
  ) {
    writer.submit(body) { [self] result in
      if case .failure(let failure) = result, failure.kind == .full(.disk), ballast.release() {
        return writer.submit(body, then: then)
      }
      then(result)
    }
  }
}
