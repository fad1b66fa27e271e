// What callers that carry an ingest between threads need of its shared body.

extension IngestWork {
  /// Bytes taken so far.
  public var count: Int64 { use { $0.count } }

  /// Copies bytes into the buffer; see `Ingest.append`. Never blocks.
  public func append(_ bytes: Span<UInt8>) throws(StoreFailure) -> Int {
    try use { (state) throws(StoreFailure) in try state.append(bytes) }
  }

  /// The bytes under their final name.
  ///
  /// - Throws: `.closed` before `settle`, and after it has failed.
  public var blob: Blob {
    get throws(StoreFailure) {
      guard let blob = settledBlob else {
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
    parts.append(Part(work: work, blob: try work.blob, new: new))
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
