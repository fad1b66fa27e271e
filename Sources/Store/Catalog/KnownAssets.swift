// The rows of assets that were delivered, for all loops: a store has more images than a loop has
// descriptors, and to ask the catalogue costs more than to open the file (some 9 against 3 µs).
internal import Crypto
internal import Synchronization
public import Wire

/// What an answer with an asset's bytes needs to know of it.
public struct ServedAsset: Sendable, Hashable {
  /// Its id.
  public let id: AssetID
  /// Its bytes.
  public let blob: Blob
  /// How long it lives.
  public let lifetime: Lifetime
  /// Whether no policy may collect it.
  public let isPinned: Bool

  /// What an answer needs of this row.
  public init(_ asset: Asset) {
    (id, blob, lifetime, isPinned) = (asset.id, asset.blob, asset.lifetime, asset.isPinned)
  }
}

/// What the catalogue says of an id that is to be delivered.
public enum ServedLookup: Sendable, Hashable {
  /// There is such an asset; it may have expired.
  case asset(ServedAsset)
  /// There was one.
  case removed(Tombstone)
  /// There never was one, or it is forgotten.
  case unknown

  /// What delivery needs of `lookup`.
  public init(_ lookup: AssetLookup) {
    self =
      switch lookup {
      case .asset(let asset): .asset(ServedAsset(asset))
      case .removed(let tombstone): .removed(tombstone)
      case .unknown: .unknown
      }
  }
}

/// Rows by the ids of their assets: some 130,000, 16 MiB at most. Each is good as long as nothing
/// of its counter was removed or changed (`ChangeEpochs`, invariant 9).
final class KnownAssets: Sendable {
  private struct Row {
    let asset: ServedAsset
    /// The removal counter before the row was read.
    let epoch: UInt64
  }
  static let setCount = 8192
  static let rowsPerSet = 16

  /// Ids are random: their low bits say which set.
  private let sets = InlineArray<8192, Mutex<[Row]>> { _ in Mutex([]) }

  /// The row of this asset, unless something of its counter was removed since it was read.
  func asset(_ id: AssetID, epoch: UInt64) -> ServedAsset? {
    sets[set(of: id)].withLock { rows in
      guard let place = rows.firstIndex(where: { $0.asset.id == id }) else { return nil }
      if rows[place].epoch == epoch { return rows[place].asset }
      rows[place] = rows[rows.count - 1]
      rows.removeLast()
      return nil
    }
  }

  /// Remembers a row that was read after `epoch`.
  func keep(_ asset: ServedAsset, epoch: UInt64) {
    sets[set(of: asset.id)].withLock { rows in
      let row = Row(asset: asset, epoch: epoch)
      if let place = rows.firstIndex(where: { $0.asset.id == asset.id }) {
        rows[place] = row
      } else if rows.count < Self.rowsPerSet {
        rows.append(row)
      } else {
        // Any one: of images that are fetched in turn, the oldest would be asked for next.
        rows[Int(truncatingIfNeeded: asset.id.number >> 64) & (Self.rowsPerSet - 1)] = row
      }
    }
  }

  /// How many rows there are. For tests.
  var count: Int {
    (0..<Self.setCount).reduce(0) { sum, set in sum + sets[set].withLock { $0.count } }
  }

  private func set(of id: AssetID) -> Int {
    Int(truncatingIfNeeded: id.number) & (Self.setCount - 1)
  }
}
