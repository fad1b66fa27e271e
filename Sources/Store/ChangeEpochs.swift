internal import Synchronization
public import Wire

/// Tells every cache that an asset changed or went (invariant 9).
///
/// 4,096 counters, hashed by asset id. A cache reads the counter *before* it reads the row, keeps
/// it beside what it cached, and compares on every use: one relaxed load. The writer counts up
/// after the commit and before anyone is told of it.
public final class ChangeEpochs: Sendable {
  private static let size = 4096
  private let counters = InlineArray<4096, Atomic<UInt64>> { _ in Atomic(0) }

  init() {}

  /// The counter of this asset and of those that share it.
  public func current(_ id: AssetID) -> UInt64 {
    counters[ChangeEpochs.slot(id)].load(ordering: .acquiring)
  }

  func bump(_ id: AssetID) {
    counters[ChangeEpochs.slot(id)].wrappingAdd(1, ordering: .releasing)
  }

  /// Tells of every asset: after a commit whose outcome is not known.
  func bumpAll() {
    for slot in 0..<ChangeEpochs.size { counters[slot].wrappingAdd(1, ordering: .releasing) }
  }

  /// Ids are random: their low bits are a hash.
  private static func slot(_ id: AssetID) -> Int {
    Int(truncatingIfNeeded: id.number) & (size - 1)
  }
}
