// The assets that one loop has open, the least recently fetched dropped first. Entries are not
// searched for when an asset is removed: a counter says that one of its kind was (STORE.md,
// invariant 9). Since nobody may ask for that asset again, a hand goes round and looks: an open
// descriptor keeps the space of a removed file.
internal import Wire

/// An LRU of open assets; lives on one loop.
struct OpenAssetCache {
  private struct Entry {
    /// `nil` in a free place, so that its descriptor is closed at once.
    var asset: OpenAsset?
    /// The removal counter when the row was read.
    let epoch: UInt64
    var newer: Int
    var older: Int
  }
  private static let none = -1
  private let capacity: Int
  private var places: [AssetID: Int] = [:]
  private var entries: [Entry] = []
  private var free: [Int] = []
  private var newest = none
  private var oldest = none
  /// The place that is looked at next.
  private var hand = 0
  /// Assets that are of no use any more: the last one to close a removed file frees its space,
  /// which takes time.
  private var stale: [OpenAsset] = []

  /// Holds at most `capacity` descriptors.
  init(capacity: Int) {
    self.capacity = max(1, capacity)
    places.reserveCapacity(self.capacity + 1)
  }

  var count: Int { places.count }

  /// The open asset, unless something of its counter was removed since it was opened.
  mutating func asset(_ id: AssetID, epoch: UInt64) -> OpenAsset? {
    guard let place = places[id] else { return nil }
    guard entries[place].epoch == epoch else {
      if let asset = entries[place].asset { stale.append(asset) }
      remove(place, id)
      return nil
    }
    if place != newest {
      unlink(place)
      linkAsNewest(place)
    }
    return entries[place].asset
  }

  /// Remembers an asset that was opened after `epoch` was read.
  mutating func insert(_ asset: OpenAsset, epoch: UInt64) {
    if let place = places[asset.id] { remove(place, asset.id) }
    if places.count >= capacity, oldest != Self.none, let dropped = entries[oldest].asset {
      remove(oldest, dropped.id)
    }
    let entry = Entry(asset: asset, epoch: epoch, newer: Self.none, older: Self.none)
    let place: Int
    if let reused = free.popLast() {
      place = reused
      entries[place] = entry
    } else {
      place = entries.count
      entries.append(entry)
    }
    places[asset.id] = place
    linkAsNewest(place)
  }

  /// Drops those of the next `count` places that are of no use any more.
  mutating func dropStale(among count: Int, where isStale: (OpenAsset, _ epoch: UInt64) -> Bool) {
    for _ in 0..<min(count, entries.count) {
      if hand >= entries.count { hand = 0 }
      if let asset = entries[hand].asset, isStale(asset, entries[hand].epoch) {
        stale.append(asset)
        remove(hand, asset.id)
      }
      hand += 1
    }
  }

  /// Hands over what was dropped since the last call, to be closed where that may take time.
  mutating func takeStale() -> [OpenAsset] {
    defer { stale = [] }
    return stale
  }

  /// Lets go of up to `count` files, those that were not fetched for longest. Those that are of no
  /// use any more do not count: they are handed over by `takeStale`.
  ///
  /// - Returns: how many were closed, but for those that are being sent.
  mutating func dropOldest(
    _ count: Int, where isStale: (OpenAsset, _ epoch: UInt64) -> Bool
  ) -> Int {
    var place = oldest
    var dropped = 0
    while place != Self.none, dropped < count {
      let entry = entries[place]
      defer { place = entry.newer }
      guard let asset = entry.asset, case .file = asset.content else { continue }
      if isStale(asset, entry.epoch) { stale.append(asset) } else { dropped += 1 }
      remove(place, asset.id)
    }
    return dropped
  }

  private mutating func remove(_ place: Int, _ id: AssetID) {
    places[id] = nil
    unlink(place)
    entries[place].asset = nil
    free.append(place)
  }

  private mutating func unlink(_ place: Int) {
    let entry = entries[place]
    if entry.newer == Self.none {
      newest = entry.older
    } else {
      entries[entry.newer].older = entry.older
    }
    if entry.older == Self.none {
      oldest = entry.newer
    } else {
      entries[entry.older].newer = entry.newer
    }
  }

  private mutating func linkAsNewest(_ place: Int) {
    entries[place].newer = Self.none
    entries[place].older = newest
    if newest != Self.none { entries[newest].newer = place }
    newest = place
    if oldest == Self.none { oldest = place }
  }
}
