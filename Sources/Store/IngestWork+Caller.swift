// What callers that carry an ingest between threads need of its shared body.
internal import Wire

extension IngestWork {
  /// Bytes taken so far.
  public var count: Int64 { use { $0.count } }

  /// Whether the image is whole by its own structure, as far as its bytes are written: after
  /// `settle`, whether it came to its end.
  public var isWholeImage: Bool { use { $0.structure.isWhole } }

  /// Copies bytes into the buffer; see `Ingest.append`. Never blocks.
  public func append(_ bytes: Span<UInt8>) throws(StoreFailure) -> Int {
    try use { (state) throws(StoreFailure) in try state.append(bytes) }
  }

  /// The bytes under their final name: they can be read back whether a row names them, may name
  /// them, or does not.
  ///
  /// - Throws: `.closed` before `settle`, after it has failed, and when a row has another file of
  ///   the same bytes.
  public var blob: Blob {
    get throws(StoreFailure) {
      let blob = use { state -> Blob? in
        switch state.phase {
        case .settled(let blob), .published(let blob), .left(let blob): blob
        case .writing, .discarded, .failed: nil
        }
      }
      guard let blob else {
        throw StoreFailure(.settle, .closed, hint: "settle() was not run, or it failed")
      }
      return blob
    }
  }
}

extension Publication {
  /// Adds an asset of the bytes that `work` has settled.
  ///
  /// - Throws: `.closed` when it has not.
  public mutating func add(_ work: IngestWork, as new: NewAsset) throws(StoreFailure) {
    add(try SettledBlob(work), as: new)
  }
}

extension Store {
  /// Publishes the bytes that `work` has settled; see `publish(_:as:)`.
  public func publish(
    _ work: IngestWork, as new: NewAsset
  ) async throws(StoreFailure) -> PublishedAsset {
    try await publish(try SettledBlob(work), as: new)
  }
}
