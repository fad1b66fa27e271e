// Invariant 8: bytes stored + reserved + awaiting unlink never exceed the hard limit, and
// `min_free_bytes` of the disk is kept. All sums are in whole blocks of 4 KiB.
//
//     reserve ──► reserved ──publish──► stored ──condemn──► awaiting unlink ──bury──► free
//                    └──────give back (abandoned, failed, duplicate: after its unlink)──► free
//
// A file that stays where it should be gone is stranded: it awaits its unlink too.
internal import Kernel
internal import Synchronization

/// What the store's space is used for, in bytes.
public struct SpaceUse: Sendable, Hashable {
  /// Files that rows name.
  public internal(set) var stored: Int64 = 0
  /// Promised to running ingests.
  public internal(set) var reserved: Int64 = 0
  /// Files without a row, not yet removed.
  public internal(set) var awaitingUnlink: Int64 = 0

  /// All of it.
  public var sum: Int64 { stored + reserved + awaitingUnlink }
}

/// The store's space: reserved before bytes are accepted.
final class SpaceLedger: Sendable {
  private struct State {
    var use = SpaceUse()
    /// What the disk had free when it was read, less what was published since.
    var freeOnDisk: Int64 = 0
    var readAt: Int64?
    /// Bytes that became stored files since the start.
    var published: Int64 = 0
    /// Why not even an empty file can be made, whatever the number of free bytes says.
    var shortage: String?
  }

  private let state = Mutex(State())
  private let maxBytes: Int64
  private let minFreeBytes: Int64
  private let disk: StoreFolders
  private let freeBytes: (@Sendable () -> Int64)?

  /// How long the disk's free space is believed, in nanoseconds.
  private static let freshness: Int64 = 1_000_000_000

  /// - Parameter freeBytes: answers in the disk's place; for tests.
  init(
    maxBytes: Int64?, minFreeBytes: Int64, disk: StoreFolders,
    freeBytes: (@Sendable () -> Int64)?
  ) {
    self.maxBytes = maxBytes ?? Int64.max
    self.minFreeBytes = minFreeBytes
    self.disk = disk
    self.freeBytes = freeBytes
  }

  var use: SpaceUse { state.withLock { $0.use } }

  /// Takes `bytes` out of what is free. May ask the disk, which blocks: not on a loop.
  func take(_ bytes: Int64) throws(StoreFailure) {
    try refresh(isForced: false)
    do {
      try takeKnown(bytes)
    } catch {
      // Reserved bytes that are on the disk already count twice, and what was removed since does
      // not count yet: nobody is refused before the disk was asked once more.
      guard error.kind == .full(.disk) else { throw error }
      try refresh(isForced: true)
      try takeKnown(bytes)
    }
  }

  /// Takes `bytes` out of what was free when the disk was last asked. Never blocks.
  func takeKnown(_ bytes: Int64) throws(StoreFailure) {
    try state.withLock { (state) throws(StoreFailure) in
      // Reserved bytes that were written already count twice against the disk: on the safe side.
      let (wanted, overflow) = state.use.reserved.addingReportingOverflow(bytes)
      let used = max(0, state.use.stored) + max(0, state.use.awaitingUnlink)
      guard !overflow, wanted <= maxBytes - min(maxBytes, used) else {
        throw StoreFailure(
          .reserve, .full(.store),
          hint: "\(bytes) bytes asked for, \(used + state.use.reserved) of \(maxBytes) taken or "
            + "promised (storage.max_bytes)")
      }
      if let shortage = state.shortage {
        throw StoreFailure(.reserve, .full(.disk), hint: shortage)
      }
      guard wanted <= state.freeOnDisk - minFreeBytes else {
        throw StoreFailure(
          .reserve, .full(.disk),
          hint: "\(bytes) bytes asked for, \(state.freeOnDisk) free on the disk, "
            + "\(minFreeBytes) of them to be left free (storage.min_free_bytes)")
      }
      state.use.reserved = wanted
    }
  }

  /// Asks the disk, when that is some time ago. Outside of the lock: a slow disk holds up nobody
  /// who does not ask it.
  func refresh(isForced: Bool) throws(StoreFailure) {
    let now = SystemClock.monotonicNanoseconds
    let published = state.withLock { state -> Int64? in
      if !isForced, let readAt = state.readAt, now - readAt < SpaceLedger.freshness { return nil }
      return state.published
    }
    guard let published else { return }
    let space = try kernel(.reserve) { () throws(Errno) in try disk.blobs.space() }
    let free = freeBytes?() ?? space.freeBytes
    state.withLock { state in
      // Published since the disk was asked: on the safe side.
      state.freeOnDisk = free - (state.published - published)
      state.readAt = now
      if space.freeFiles == 0 {
        state.shortage = SpaceLedger.noInodes
      } else if state.shortage == SpaceLedger.noInodes {
        state.shortage = nil
      }
    }
  }

  private static let noInodes = "the file system has no inode left for another file"

  /// Why no file can be made although there seem to be bytes (a quota, inodes that are not
  /// counted); `nil` when one was made.
  func noteRoom(_ shortage: String?) {
    state.withLock { state in
      guard state.shortage != SpaceLedger.noInodes else { return }
      state.shortage = shortage
    }
  }

  /// Whether only a file that can be made shows that there is room again.
  var lacksRoom: Bool {
    state.withLock { $0.shortage != nil && $0.shortage != SpaceLedger.noInodes }
  }

  /// Asks the disk, when that is some time ago, for those who may not block; a failure leaves what
  /// was known.
  func look() { _ = try? refresh(isForced: false) }

  /// Returns reserved bytes.
  func giveBack(_ bytes: Int64) {
    guard bytes != 0 else { return }
    state.withLock { $0.use.reserved -= bytes }
  }

  /// A reserved file became a stored one.
  func publish(reserved: Int64, stored: Int64) {
    state.withLock {
      $0.use.reserved -= reserved
      $0.use.stored += stored
      $0.published += stored
      $0.freeOnDisk -= stored
    }
  }

  /// Stored files lost their rows.
  func condemn(_ bytes: Int64) {
    state.withLock {
      $0.use.stored -= bytes
      $0.use.awaitingUnlink += bytes
    }
  }

  /// A file without a row is there that was not counted.
  func strand(_ bytes: Int64) { state.withLock { $0.use.awaitingUnlink += bytes } }

  /// Files without rows were removed; the disk is asked again by the next reservation.
  func bury(_ bytes: Int64) {
    state.withLock {
      $0.use.awaitingUnlink -= bytes
      $0.readAt = nil
    }
  }

  /// What the rows say: at the start, and after a commit whose outcome was not known.
  func setStored(_ bytes: Int64) { state.withLock { $0.use.stored = bytes } }

  /// Whether not one block more can be had, as far as is known: the unlinker's thread asks the disk
  /// once a second. Never blocks.
  var isFull: Bool {
    do {
      try takeKnown(Disk.blockBytes)
    } catch {
      return true
    }
    giveBack(Disk.blockBytes)
    return false
  }
}

/// Bytes of the store that are promised to one piece of work; what is left comes back by itself.
public struct Reservation: ~Copyable, Sendable {
  let ledger: SpaceLedger
  /// How many bytes are reserved, in whole blocks.
  public private(set) var bytes: Int64

  init(_ bytes: Int64, of ledger: SpaceLedger) throws(StoreFailure) {
    let blocks = Disk.blocks(bytes)
    try ledger.take(blocks)
    self.ledger = ledger
    self.bytes = blocks
  }

  private init(taken bytes: Int64, of ledger: SpaceLedger) {
    self.ledger = ledger
    self.bytes = bytes
  }

  deinit { ledger.giveBack(bytes) }

  /// Makes the reservation at least `total` bytes. May ask the disk, which blocks.
  ///
  /// - Throws: `.full`; the reservation stays as it was.
  public mutating func extend(to total: Int64) throws(StoreFailure) {
    let blocks = Disk.blocks(total)
    guard blocks > bytes else { return }
    try ledger.take(blocks - bytes)
    bytes = blocks
  }

  /// The same by what is known of the disk: never blocks.
  ///
  /// - Returns: `false` when only a look at the disk can tell whether there is room.
  /// - Throws: `.full(.store)`.
  mutating func extendKnown(to total: Int64) throws(StoreFailure) -> Bool {
    let blocks = Disk.blocks(total)
    guard blocks > bytes else { return true }
    do {
      try ledger.takeKnown(blocks - bytes)
    } catch {
      guard error.kind == .full(.disk) else { throw error }
      return false
    }
    bytes = blocks
    return true
  }

  /// Gives back what is above `total` bytes.
  mutating func shrink(to total: Int64) {
    let blocks = Disk.blocks(total)
    guard blocks < bytes else { return }
    ledger.giveBack(bytes - blocks)
    bytes = blocks
  }

  /// Moves at most `part` bytes into a reservation of their own: one for each image of an order.
  public mutating func split(_ part: Int64) -> Reservation {
    let moved = min(bytes, Disk.blocks(part))
    bytes -= moved
    return Reservation(taken: moved, of: ledger)
  }

  /// Takes the bytes out: someone else counts them from now on.
  mutating func release() -> Int64 {
    let released = bytes
    bytes = 0
    return released
  }
}
