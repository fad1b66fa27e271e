internal import Synchronization

/// Files without a row that are still there: they could not be removed, or a commit whose outcome
/// is not known left it open whether a row names them. Their bytes count as awaiting removal
/// (invariant 8) until the orphan sweep has removed them, or it is known what rows there are.
final class StuckFiles: Sendable {
  typealias Place = Unlinker.Leftover.Place

  private let files = Mutex<[Place: Int64]>([:])
  private let ledger: SpaceLedger

  init(_ ledger: SpaceLedger) {
    self.ledger = ledger
  }

  /// Notes a file that stays.
  ///
  /// - Parameter isCounted: whether its bytes count as awaiting removal already.
  func keep(_ place: Place, _ diskBytes: Int64, isCounted: Bool = false) {
    files.withLock { files in
      // Known from before: it counts once.
      if files[place] != nil {
        if isCounted { ledger.bury(diskBytes) }
        return
      }
      files[place] = diskBytes
      if !isCounted { ledger.strand(diskBytes) }
    }
  }

  /// The file is gone after all, or a row names it.
  func forget(_ place: Place) {
    files.withLock { files in
      if let bytes = files.removeValue(forKey: place) { ledger.bury(bytes) }
    }
  }

  /// The file is to be removed after all; its bytes count on as awaiting that.
  ///
  /// - Returns: what the disk gives for it; `nil` when it is none of these.
  func take(_ place: Place) -> Int64? { files.withLock { $0.removeValue(forKey: place) } }

  /// The blobs among them.
  var blobs: [BlobName] {
    files.withLock { files in
      files.keys.compactMap { place in
        if case .blobs(let name) = place { name } else { nil }
      }
    }
  }
}
