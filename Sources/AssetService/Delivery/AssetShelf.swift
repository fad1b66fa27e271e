internal import Kernel
internal import Store
internal import Wire

/// Where one loop takes open assets from: its cache, else the catalogue and the disk.
///
/// A miss costs a prepared point read and an open, some 10 µs: less than a hop to another thread.
final class AssetShelf {
  private let store: Store
  private let reader: CatalogReader
  private let tagHeader: String?
  private var cache: OpenAssetCache
  /// An asset's last fetch is noted at most this often, in seconds.
  private static let noteInterval: Int64 = 60

  init(store: Store, reader: CatalogReader, tagHeader: String?, capacity: Int) {
    self.store = store
    self.reader = reader
    self.tagHeader = tagHeader
    cache = OpenAssetCache(capacity: capacity)
  }

  /// The open asset of this id.
  ///
  /// - Throws: `.gone` when it was removed, `.unknown` when it never was, `.store`.
  func open(_ id: AssetID) throws(DeliveryFailure) -> OpenAsset {
    // Before the row is read: what is removed in between is seen by the next request.
    let epoch = store.epochs.current(id)
    if let asset = cache.asset(id, epoch: epoch) { return asset }
    let asset = try read(id)
    cache.insert(asset, epoch: epoch)
    return asset
  }

  private func read(_ id: AssetID) throws(DeliveryFailure) -> OpenAsset {
    var opened: OpenedAsset
    do { opened = try store.open(id, reader: reader) } catch { throw .store(error) }
    switch opened.lookup {
    case .unknown: throw .unknown
    case .removed: throw .gone
    case .asset(let asset):
      guard let file = opened.file.take() else { throw .gone }
      return OpenAsset(asset, file: SharedFile(file), tagHeader: tagHeader)
    }
  }

  /// Notes that the asset was fetched; to be called once it is certain that it may be.
  func note(_ asset: OpenAsset, at now: Int64) {
    guard now - asset.reportedAt >= Self.noteInterval else { return }
    asset.reportedAt = now
    store.accessLog.note(asset.id, at: now)
  }
}
