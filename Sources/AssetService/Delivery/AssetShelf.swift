internal import Kernel
internal import Net
internal import Store
internal import Wire

/// Where one loop takes open assets from: its cache, else the catalogue and the disk.
///
/// A miss costs an open, and a point read where the row is not known: less than a hop to another
/// thread. Where it would wait for the disk, a thread opens the asset.
final class AssetShelf {
  private let store: Store
  private let reader: CatalogReader
  private let tagHeader: String?
  private let counters: LoopCounters
  private let workers: Workers
  private var cache: OpenAssetCache
  private var nextLook: Int64 = 0
  /// An asset's last fetch is noted at most this often, in seconds.
  private static let noteInterval: Int64 = 60
  /// How often open assets are looked at, and how many of them: some 40 µs.
  private static let lookInterval: Int64 = 1_000_000_000
  private static let assetsPerLook = 1024

  init(
    store: Store, reader: CatalogReader, tagHeader: String?, capacity: Int, counters: LoopCounters,
    workers: Workers
  ) {
    self.workers = workers
    self.store = store
    self.reader = reader
    self.tagHeader = tagHeader
    self.counters = counters
    cache = OpenAssetCache(capacity: capacity)
  }

  /// The open asset of this id.
  ///
  /// - Throws: `.gone` when it was removed, `.unknown` when it never was, `.notAtHand` when
  ///   the disk would have to be waited for, `.store`.
  func open(_ id: AssetID) throws(DeliveryFailure) -> OpenAsset {
    // Before the row is read: what is removed in between is seen by the next request.
    let epoch = store.epochs.current(id)
    if let asset = cache.asset(id, epoch: epoch) {
      counters.openHits.add()
      return asset
    }
    counters.openMisses.add()
    let asset: OpenAsset
    do {
      asset = try read(id, epoch)
    } catch .store(let failure) where failure.isNoDescriptor && closeIdle() {
      // What is kept open only to be quick must not keep others from being read.
      asset = try read(id, epoch)
    }
    cache.insert(asset, epoch: epoch)
    return asset
  }

  private func read(_ id: AssetID, _ epoch: UInt64) throws(DeliveryFailure) -> OpenAsset {
    let found: OpenedAsset?
    do { found = try store.openAtOnce(id, epoch: epoch, reader: reader) } catch {
      throw .store(error)
    }
    guard var opened = found else { throw .notAtHand }
    let asset = try Self.asset(opened.asset)
    guard let file = opened.file.take() else {
      throw .gone(wasPermanent: asset.lifetime == .permanent)
    }
    return OpenAsset(
      asset, content: try content(file, bytes: asset.blob.bytes), tagHeader: tagHeader)
  }

  private static func asset(_ lookup: ServedLookup) throws(DeliveryFailure) -> ServedAsset {
    switch lookup {
    case .unknown: throw .unknown
    case .removed(let tombstone): throw .gone(wasPermanent: tombstone.wasPermanent)
    case .asset(let asset): return asset
    }
  }

  // MARK: What a thread has opened

  /// The counter to be read before a thread opens the asset.
  func epoch(of id: AssetID) -> UInt64 { store.epochs.current(id) }

  /// Takes what a thread has opened.
  func keep(_ loaded: LoadedAsset, epoch: UInt64) throws(DeliveryFailure) -> OpenAsset {
    let row = try Self.asset(loaded.asset)
    guard let file = loaded.file else {
      throw .gone(wasPermanent: row.lifetime == .permanent)
    }
    let content = loaded.bytes.map { OpenAsset.Content.bytes($0) } ?? .file(file)
    let asset = OpenAsset(row, content: content, tagHeader: tagHeader)
    cache.insert(asset, epoch: epoch)
    return asset
  }

  /// Closes some of what is kept open only to be quick: a turn is no time to close all of it.
  ///
  /// - Returns: whether there was anything.
  func closeIdle() -> Bool { cache.dropOldest(Self.filesPerClosing, where: staleness) > 0 }

  private static let filesPerClosing = 64

  /// Whether an open asset was removed, or has ended.
  private var staleness: (OpenAsset, _ epoch: UInt64) -> Bool {
    let (epochs, seconds) = (store.epochs, SystemClock.wallSeconds)
    return { asset, epoch in asset.end <= seconds || epochs.current(asset.id) != epoch }
  }

  /// Up to this size an image is kept in memory instead of its descriptor.
  static let smallBytes = 8 << 10

  private func content(
    _ file: SharedFile, bytes: Int64
  ) throws(DeliveryFailure) -> OpenAsset.Content {
    guard bytes <= Int64(Self.smallBytes) else { return .file(file) }
    var held = [UInt8](repeating: 0, count: Int(bytes))
    var span = held.mutableSpan
    var count = file.readAtOnce(into: &span, at: 0)
    if count == nil {
      // Where the disk must be asked, it is asked beside the loop, as for every cold file.
      guard store.diskWaiting == .never else { return .file(file) }
      count = try? file.read(into: &span, at: 0)
    }
    // What can not be read now, or is shorter than its row says, a thread says what is wrong with.
    guard count == held.count else { throw .notAtHand }
    return .bytes(held)
  }

  /// Lets go of what was removed or has ended, a part of it every second, whether anyone asks for
  /// it again or not: its space is free when nobody has it open (invariant 8).
  ///
  /// - Returns: when it wants to be called again, on the loop's clock.
  func turnEnded(at now: Int64) -> Int64? {
    if now >= nextLook {
      nextLook = now + Self.lookInterval
      cache.dropStale(among: Self.assetsPerLook, where: staleness)
    }
    let files = cache.takeStale().compactMap { asset in
      if case .file(let file) = asset.content { file } else { nil }
    }
    if !files.isEmpty { workers.letGo(of: files) }
    return cache.count > 0 ? nextLook : nil
  }

  /// Notes that the asset was fetched; to be called once it is certain that it may be.
  func note(_ asset: OpenAsset, at now: Int64) {
    guard now - asset.reportedAt >= Self.noteInterval else { return }
    asset.reportedAt = now
    store.accessLog.note(asset.id, at: now)
  }
}

extension StoreFailure {
  var isNoDescriptor: Bool {
    if case .io(let errno) = kind { errno.isNoDescriptor } else { false }
  }
}
