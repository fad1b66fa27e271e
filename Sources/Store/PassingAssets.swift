// An asset that is deleted as soon as its answer is out (`asset.store: false`, API.md §3) is not
// given to anybody else: a publication of the same bytes would be acknowledged and then vanish.
internal import Synchronization
internal import Wire

/// The assets that are on their way through.
final class PassingAssets: Sendable {
  private let ids = Mutex<Set<AssetID>>([])

  func add(_ id: AssetID) { ids.withLock { _ = $0.insert(id) } }
  func remove(_ all: [AssetID]) { ids.withLock { $0.subtract(all) } }
  func contains(_ id: AssetID) -> Bool { ids.withLock { $0.contains(id) } }
}

/// The way of one publication's assets through the store: as long as this lives, no other
/// publication reuses them.
public final class Passage: Sendable {
  private let passing: PassingAssets
  private let ids = Mutex<[AssetID]>([])

  init(_ passing: PassingAssets) { self.passing = passing }

  /// On the writer's thread, within the transaction that writes the asset.
  func add(_ id: AssetID) {
    passing.add(id)
    ids.withLock { $0.append(id) }
  }

  deinit { passing.remove(ids.withLock { $0 }) }
}

extension Store {
  /// A way for the assets of one publication that are deleted after their answer.
  public func passage() -> Passage { Passage(passing) }
}
