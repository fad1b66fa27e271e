// How loops read: what is in memory they read themselves, in microseconds; what would wait for the
// disk, or for another program's lock, is read by threads that may wait. Where the file system can
// not tell the two apart, the threads read all of it.
public import Kernel
internal import SQLite
public import Wire

extension Store {
  /// Whether reading a file of the store may wait.
  public var diskWaiting: DiskWaiting { waiting ?? files.folders.waiting }

  /// A reader for a loop: for `read(atOnce:)` and `openAtOnce` only.
  public func loopReader(cacheBytes: Int = 4 << 20) throws(StoreFailure) -> CatalogReader {
    let reader = try reader(cacheBytes: cacheBytes)
    reader.session.waitsForNoLock()
    return reader
  }

  /// Runs `body` here with the loop's reader, if that waits for nothing; else on a thread, once
  /// more. So it must change nothing before it has read all.
  ///
  /// - Throws: what `body` throws, `.busy`, `.closed`.
  public func read<Value: Sendable>(
    atOnce reader: CatalogReader, _ body: @escaping @Sendable (CatalogReader) throws -> Value
  ) async throws -> Value {
    if let value = try attempt({ try body(reader) }) { return value }
    return try await readPoint(body)
  }

  /// Opens an asset's file, with what is known of it, if that waits for nothing; `nil` when it
  /// would.
  ///
  /// - Parameter epoch: the counter of the id (`epochs`), read before this is called.
  /// - Throws: as `open`.
  public func openAtOnce(
    _ id: AssetID, epoch: UInt64, reader: CatalogReader
  ) throws(StoreFailure) -> OpenedAsset? {
    do {
      switch diskWaiting {
      case .untold: return nil
      case .never: return try open(id, reader: reader)
      case .told: return try openTold(id, epoch, reader)
      }
    } catch {
      if error.kind == .busy { return nil }
      throw error
    }
  }

  private func openTold(
    _ id: AssetID, _ epoch: UInt64, _ reader: CatalogReader
  ) throws(StoreFailure) -> OpenedAsset? {
    let asset: ServedAsset
    if let known = known.asset(id, epoch: epoch) {
      asset = known
    } else {
      let lookup = try ReadsAtOnce.attempt { () throws(StoreFailure) in try reader.lookUp(id) }
      guard let lookup else { return nil }
      guard case .asset(let row) = lookup else { return OpenedAsset(lookup, file: nil) }
      asset = ServedAsset(row)
      known.keep(asset, epoch: epoch)
    }
    // What is wrong with it a thread finds out.
    if files.damaged.refusal(asset.blob.name) != nil { return nil }
    let file = try kernel(.read, "\(id)") { () throws(Errno) in
      try files.folders.blobs.openAtOnce(asset.blob.name)
    }
    guard let file, let status = try? file.status(), asset.blob.isFile(status) else { return nil }
    return OpenedAsset(asset: .asset(asset), file: files.reads.share(file, of: asset.blob))
  }

  /// Opens an asset's file, with its row, on a thread that may wait.
  ///
  /// - Parameter smallBytes: up to this size its bytes are read, too.
  /// - Throws: as `open`, also when the bytes of a small one can not be read; `.busy` when too many
  ///   wait.
  public func load(_ id: AssetID, smallBytes: Int64 = 0) async throws -> LoadedAsset {
    try await readPoint { [self] reader in
      var opened = try open(id, reader: reader)
      guard case .asset(let asset) = opened.asset, let file = opened.file.take() else {
        return LoadedAsset(asset: opened.asset, file: nil, bytes: nil)
      }
      let isSmall = asset.blob.bytes <= smallBytes
      let bytes = isSmall ? try content(of: file, asset) : nil
      return LoadedAsset(asset: opened.asset, file: file, bytes: bytes)
    }
  }

  private func content(of file: SharedFile, _ asset: ServedAsset) throws(StoreFailure) -> [UInt8] {
    let limit = Int(asset.blob.bytes)
    let bytes = try kernel(.read, "\(asset.id)") { () throws(Errno) in
      try file.readAll(limit: limit)
    }
    guard let bytes, bytes.count == limit else {
      throw StoreFailure(.read, .assetDamaged, subject: "\(asset.id)")
    }
    return bytes
  }

  private func attempt<Value>(_ body: () throws -> Value) throws -> Value? {
    do {
      switch diskWaiting {
      case .untold: return nil
      case .never: return try body()
      case .told: return try ReadsAtOnce.attempt(body)
      }
    } catch let failure as StoreFailure where failure.kind == .busy {
      return nil
    }
  }

  private func readPoint<Value: Sendable>(
    _ body: @escaping @Sendable (CatalogReader) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      points.submit { reader in
        continuation.resume(with: Result { try body(reader.get()) })
      }
    }
  }
}

/// An asset that a thread has opened for a loop.
public final class LoadedAsset: Sendable {
  /// What the catalogue says of the id.
  public let asset: ServedLookup
  /// Its file; `nil` when there is no such asset.
  public let file: SharedFile?
  /// All of its bytes, if it is small.
  public let bytes: [UInt8]?

  init(asset: ServedLookup, file: SharedFile?, bytes: [UInt8]?) {
    self.asset = asset
    self.file = file
    self.bytes = bytes
  }
}

extension Blob {
  /// Whether this is what its file must be.
  func isFile(_ status: FileStatus) -> Bool { status.kind == .regular && status.bytes == bytes }
}
