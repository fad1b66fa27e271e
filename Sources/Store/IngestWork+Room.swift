// Space follows the bytes: an upload that only announces its length holds no more of the store than
// has come of it, and as much again.
internal import Kernel

extension IngestWork.State {
  /// Makes the reservation large enough. One of a known length grows to twice its size, if there is
  /// room for that: in few steps, and never far ahead of what has come.
  mutating func hasRoom(for total: Int64) throws(StoreFailure) -> Bool {
    if let expectedBytes, total > reservation.bytes {
      let step = min(expectedBytes, max(total, 2 * reservation.bytes))
      if (try? reservation.extendKnown(to: step)) == true { return true }
    }
    return try reservation.extendKnown(to: total)
  }

  /// Has the disk give the blocks for `total` bytes of a known length, and for what is reserved.
  mutating func allocate(for total: Int64) throws(Errno) {
    guard let expectedBytes, total > allocated, expectedBytes > 0 else { return }
    let step = min(expectedBytes, max(total, reservation.bytes))
    try file?.allocate(step)
    allocated = step
  }

  /// Asks the disk for the room that `take` could not have without it.
  mutating func extendAsWanted() throws(StoreFailure) {
    guard let total = wanted.take() else { return }
    do {
      try reservation.extend(to: total)
    } catch {
      phase = .failed
      throw error
    }
  }
}
