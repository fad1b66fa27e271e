internal import Kernel
internal import Synchronization

/// The half of the store that is files: folders, space, names in flight, I/O health. Shared by
/// ingests, the unlinker and the collector.
final class StoreFiles: Sendable {
  let folders: StoreFolders
  let ledger: SpaceLedger
  let inFlight = InFlight()
  let health: HealthMonitor
  let damaged: DamagedBlobs
  let reads: BlobReads
  let watch: DiskWatch
  private let stallWatch: StallWatch
  let stuck: StuckFiles
  let limits: ImageLimits
  /// Whether collections end at the next place where they can.
  let endsCollections = Atomic<Bool>(false)
  var hasToEndCollections: Bool { endsCollections.load(ordering: .relaxed) }

  /// The folders are those of `options.root`; `options.report` hears of damage, and of the health.
  init(
    _ folders: StoreFolders, _ options: StoreOptions, ledger: SpaceLedger, epochs: ChangeEpochs
  ) throws(Errno) {
    self.folders = folders
    self.ledger = ledger
    limits = options.limits
    health = HealthMonitor(stallLimit: options.stallLimit, report: options.report)
    damaged = DamagedBlobs(report: options.report)
    reads = BlobReads(damaged, health, epochs)
    stuck = StuckFiles(ledger)
    stallWatch = try StallWatch(health)
    do throws(Errno) {
      watch = try DiskWatch(folders, at: options.root, ledger: ledger, health: health)
    } catch {
      stallWatch.stop()
      throw error
    }
  }

  /// Ends the threads that look at the disk.
  func stopWatching() {
    watch.stop()
    stallWatch.stop()
  }

  /// Removes the file of a blob whose row is durably gone (invariant 3), wherever it was put: one
  /// that does not hash ends with the row that names it. `false` when it was gone already.
  func remove(_ name: BlobName) throws(Errno) -> Bool {
    if try folders.blobs.remove(name) { return true }
    return try folders.quarantine.remove("\(name)")
  }

  /// What a blob's file is, wherever it was put; `nil` when it is gone.
  func status(_ name: BlobName) throws(Errno) -> FileStatus? {
    if let status = try folders.blobs.status(name) { return status }
    return try folders.quarantine.status(of: "\(name)")
  }

  /// The blobs of one of the 256 folders that are in `quarantine/`.
  func quarantined(inFolder number: Int) throws(Errno) -> [BlobName] {
    let folder = Layout.folder(number)
    return try folders.quarantine.names().compactMap(BlobName.init).filter { $0.folder == folder }
  }

  /// A call on a file failed. Looks at the disk before it comes back, so that who hears of the
  /// failure finds the store not ready: for threads that may wait.
  func failed(_ errno: Errno) {
    health.noteFailure(errno)
    watch.look()
  }
}

/// What an image may be at most (API.md §8, `limits`).
public struct ImageLimits: Sendable, Hashable {
  /// `limits.image_bytes`.
  public var bytes: Int64
  /// `limits.image_pixels`.
  public var pixels: Int64

  /// Limits; by default those of the configuration.
  public init(bytes: Int64 = 64 << 20, pixels: Int64 = 100_000_000) {
    self.bytes = bytes
    self.pixels = pixels
  }
}
