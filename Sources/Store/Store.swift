// The store: blobs, catalogue, retention, and the order between them.
//
// Invariants, cited by number in this room and its tests:
//
//  1. A file under its final name is complete and hashes to that name.
//  2. A row is committed only after the fsync of its blob and of the folder that names it.
//  3. A blob is unlinked only after the durable commit that removed its row.
//  4. A crash at any point leaves at worst an unreferenced file, never a row without its blob.
//  5. What is in `incoming/` when the store is opened is garbage.
//  6. A download that began ends whole, whatever is deleted meanwhile (the descriptor is open).
//  7. A deduplicating ingest renews the blob in the same transaction as its row; an acknowledged
//     asset is served at least until its own policy says otherwise.
//  8. Bytes stored + reserved + awaiting unlink never exceed the hard limit; `min_free_bytes` of
//     the disk is kept.
//  9. A deletion or collection is visible to every loop before anyone is told of it.
// 10. The answer that gave a client a URL was sent after the asset was durable.
// 11. Bytes out = bytes in.
//
// Threads: loops read through `CatalogReader`s and append to `Ingest`s; workers flush and settle;
// the writer's thread commits; the unlinker's thread removes files; the scrub's thread reads them;
// two threads watch the disk, of which one never touches it.
public import Kernel
internal import SQLite
internal import Synchronization
public import Wire

/// An open store: the only one on its root, in any process.
public final class Store: Sendable {
  /// `storage.root`.
  public let root: String
  /// Where the key ring is.
  public let keyringPath: String
  /// What caches of assets compare (invariant 9).
  public let epochs = ChangeEpochs()
  let known = KnownAssets()
  /// Last fetches, on their way to the catalogue.
  public let accessLog = AccessLog()
  /// Last uses of keys, on their way there.
  public let keyUses = KeyUses()
  let promises = OwnerPromises()
  let passing = PassingAssets()

  let files: StoreFiles
  let writer: Writer
  let readers: ReaderThreads
  let points: ReaderThreads
  /// What a test says of the disk.
  let waiting: DiskWaiting?
  let places = ListPlaces()
  let unlinker: Unlinker
  let scrubbed: ScrubBoard
  let scrub: ScrubThread?
  let ballast: Ballast
  /// The wall clock, in unix seconds.
  public let now: @Sendable () -> Int64
  let clockGuard = Mutex(ClockGuard())
  let isCollecting = Mutex(false)
  let check: CatalogueCheck
  let sweepStop: Mutex<SweepStop>
  let sweepRound = Mutex(SweepRound())
  let doubt: Mutex<SweepDoubt?>

  /// Opens the store, making what is missing.
  ///
  /// Takes the lock first: a second opener fails with `.locked` and has changed nothing. Blocks on
  /// the disk.
  ///
  /// - Throws: `.locked`, `.catalogueMissing`, `.keyringMissing`, `.keyringExposed`,
  ///   `.newerSchema`, `.damaged`, `.twoFileSystems`, `.io`, `.sqlite`.
  public init(_ options: StoreOptions) throws(StoreFailure) {
    let folders = try StoreFolders.open(options.root)
    let cataloguePath = options.root + "/" + Layout.catalogue
    keyringPath = options.keyringFile ?? options.root + "/" + Layout.keyring
    let catalogue = try PreparedCatalogue(cataloguePath, keyringPath, options, folders)
    let ledger = try Self.ledger(options, folders, stored: catalogue.diskBytes)
    waiting = options.diskWaiting
    root = options.root
    now = options.now
    ballast = Ballast(folders: folders)
    ballast.make()
    let files = try kernel(.open) { [epochs] () throws(Errno) in
      try StoreFiles(folders, options, ledger: ledger, epochs: epochs)
    }
    self.files = files
    scrubbed = ScrubBoard(catalogue.scrub, pace: options.scrub)
    sweepStop = Mutex(SweepStop(reason: catalogue.sweepStop))
    doubt = Mutex(catalogue.doubt)
    do {
      check = try CatalogueCheck(path: cataloguePath, health: files.health, options.check)
      unlinker = try kernel(.open) { () throws(Errno) in try Unlinker(files) }
    } catch {
      files.stopWatching()
      throw error
    }
    do throws(Errno) {
      readers = try ReaderThreads(.lists, root: options.root, health: files.health)
    } catch {
      unlinker.stop()
      files.stopWatching()
      check.stop()
      throw StoreFailure(.open, error)
    }
    do throws(Errno) {
      points = try ReaderThreads(.points, root: options.root, health: files.health)
    } catch {
      readers.stop()
      unlinker.stop()
      files.stopWatching()
      check.stop()
      throw StoreFailure(.open, error)
    }
    do throws(Errno) {
      writer = try Writer(
        path: cataloguePath, files: files, unlinker: unlinker, check: check, epochs: epochs)
    } catch {
      points.stop()
      readers.stop()
      unlinker.stop()
      files.stopWatching()
      check.stop()
      throw StoreFailure(.open, error)
    }
    do {
      let session = try CatalogReader(root: root, cacheBytes: 1 << 20, health: files.health).session
      try files.rememberQuarantined(session)
      try files.remember(unmoved: catalogue.scrub.unmoved, session)
      try files.takeUp(catalogue.left, session, unlinker)
      scrub = try ScrubThread(
        options, board: scrubbed, files: files, writer: writer, epochs: epochs)
    } catch {
      writer.stop()
      points.stop()
      readers.stop()
      unlinker.stop()
      files.stopWatching()
      check.stop()
      throw error
    }
  }

  private static func ledger(
    _ options: StoreOptions, _ folders: StoreFolders, stored: Int64
  ) throws(StoreFailure) -> SpaceLedger {
    let ledger = SpaceLedger(
      maxBytes: options.maxBytes, minFreeBytes: options.minFreeBytes, disk: folders,
      freeBytes: options.freeBytes)
    ledger.setStored(stored)
    try ledger.refresh(isForced: true)
    return ledger
  }

  deinit { close() }

  /// Commits and removes what is queued, then ends the threads. Later writes fail with `.closed`.
  /// The lock is held until the last ingest of this store is gone. Blocks.
  public func close() {
    scrub?.stop()
    check.stop()
    points.stop()
    readers.stop()
    unlinker.stop()
    writer.submit { [unlinker] (session) throws(StoreFailure) in
      try session.note(LeftFiles(unlinker.leftFiles))
      try catalog(.record) { () throws(SQLiteFailure) in try session.noteUse() }
    } then: { _ in
      // Without them the next sweep has more to look at.
    }
    writer.stop()
    files.stopWatching()
  }
}

extension Store {
  /// A reader for the calling thread, which keeps at most `cacheBytes` of pages.
  public func reader(cacheBytes: Int = 4 << 20) throws(StoreFailure) -> CatalogReader {
    try CatalogReader(root: root, cacheBytes: cacheBytes, health: files.health)
  }

  /// The key ring's bytes as they are on the disk now. Blocks on the disk.
  ///
  /// - Throws: `.keyringMissing`, `.keyringExposed`, `.io`.
  public func readKeyring() throws(StoreFailure) -> [UInt8] {
    try KeyringFile(keyringPath).read()
  }

  /// Whether the store can write: for `/readyz`.
  public var health: StoreHealth { files.health.health }

  /// Since when the disk does not answer, in unix seconds; `nil` when it does.
  public var stalledSince: Int64? { files.health.stalledSince }

  /// What is wrong with the catalogue, in SQLite's words; `nil` when nothing is known.
  public var damage: String? { files.health.damage }

  /// Whether not even one more block may be stored.
  public var isFull: Bool { files.ledger.isFull }

  /// What the space is used for.
  public var space: SpaceUse { files.ledger.use }

  /// Failed writes, fsyncs, closes, unlinks and commits since the start.
  public var failureCount: Int { files.health.failureCount }

  /// Transactions committed and pieces of work in them, since the start.
  public var commitStatistics: (commits: Int, jobs: Int) { writer.statistics }

  /// Throws while nothing may be written: for loops, which then need no thread to hear it from. All
  /// threads that write may wait for a disk that stalls.
  ///
  /// - Throws: `.readOnly`.
  public func requireWritable() throws(StoreFailure) { try files.health.check(.reserve) }

  /// Promises `bytes` of space, before any of them is accepted (invariant 8).
  ///
  /// - Throws: `.full(.store)`, `.full(.disk)`, `.readOnly`.
  public func reserve(_ bytes: Int64) throws(StoreFailure) -> Reservation {
    try files.health.check(.reserve)
    let wait = files.health.waits.begin()
    defer { files.health.endWait(wait) }
    do { return try Reservation(bytes, of: files.ledger) } catch {
      if case .io(let errno) = error.kind { files.failed(errno) }
      throw error
    }
  }

  /// Promises the first of `bytes` that are announced and may come slowly, or never: there must be
  /// room for all of them now, but they hold no more than arrives. `begin` takes it with the same
  /// `expectedBytes`.
  ///
  /// - Throws: as `reserve`.
  public func reserve(announced bytes: Int64) throws(StoreFailure) -> Reservation {
    var reservation = try reserve(bytes)
    reservation.shrink(to: IngestWork.firstStep)
    return reservation
  }

  /// Begins to take an image. Makes a file: blocks on the disk for a moment.
  ///
  /// - Parameter expectedBytes: the exact number of bytes, when it is known.
  /// - Throws: `.tooLarge`, `.full(.disk)`, `.readOnly`, `.io`.
  public func begin(
    _ reservation: consuming Reservation, expectedBytes: Int64? = nil
  ) throws(StoreFailure) -> Ingest {
    try files.health.check(.ingest)
    if let expectedBytes, expectedBytes > files.limits.bytes {
      throw StoreFailure(.ingest, .tooLarge(limit: files.limits.bytes))
    }
    let wait = files.health.waits.begin()
    defer { files.health.endWait(wait) }
    return Ingest(
      try IngestWork(
        reservation, expectedBytes: expectedBytes, files: files, unlinker: unlinker, now: now))
  }

  /// Begins to take bytes of any kind that are kept for a while: they can be read back, and go with
  /// the work; it can not be settled. Makes a file: blocks on the disk for a moment.
  ///
  /// - Throws: `.full(.disk)`, `.readOnly`, `.io`.
  public func beginKeeping(
    _ reservation: consuming Reservation
  ) throws(StoreFailure) -> IngestWork {
    try files.health.check(.ingest)
    return try IngestWork(
      reservation, expectedBytes: nil, isKept: true, files: files, unlinker: unlinker, now: now)
  }

  /// Blobs that were found damaged and are still, and all that were found since the start.
  public var damagedBlobs: (current: Int, found: Int) {
    (files.damaged.current, files.damaged.found)
  }

  /// Opens an asset's file, with its row; for a cache that has neither.
  ///
  /// A file that is gone, or another one than its row says, may mean that the row is gone or
  /// changed by now: it is read once more.
  ///
  /// - Returns: the lookup, and the file when it is an asset.
  /// - Throws: `.assetDamaged` when the file is not what the row says the second time too.
  public func open(
    _ id: AssetID, reader: CatalogReader
  ) throws(StoreFailure) -> OpenedAsset {
    var damage: (name: BlobName, problem: String)?
    for _ in 0..<2 {
      let lookup = try reader.lookUp(id)
      guard case .asset(let asset) = lookup else { return OpenedAsset(lookup, file: nil) }
      let opened = try open(asset.blob, "\(id)")
      if let problem = opened.problem {
        damage = (asset.blob.name, problem)
      } else {
        return OpenedAsset(lookup, file: opened.file)
      }
    }
    if let damage {
      files.damaged.note(damage.name, damage.problem)
      files.forgetUnnamed(damage.name, reader.session)
    }
    throw StoreFailure(.read, .assetDamaged, subject: "\(id)", hint: damage?.problem)
  }

  /// Opens the file of a blob whose row was just written.
  ///
  /// - Throws: `.assetDamaged` when it is not there, or not what the row says.
  public func open(_ blob: Blob) throws(StoreFailure) -> SharedFile {
    let opened = try open(blob, "\(blob.name)")
    if let file = opened.file { return file }
    let session = try reader(cacheBytes: 0).session
    // Its row may be gone by now, and its file with it.
    if let problem = opened.problem, try session.hasRow(blob.name) {
      files.damaged.note(blob.name, problem)
      files.forgetUnnamed(blob.name, session)
    }
    throw StoreFailure(.read, .assetDamaged, subject: "\(blob.name)", hint: opened.problem)
  }

  private func open(_ blob: Blob, _ subject: String) throws(StoreFailure) -> OpenedBlob {
    do { return try files.openWhole(blob) } catch {
      // May be a loop's: the look is waited for by nobody.
      files.reads.missed(.failed(error), of: blob.name, bytes: blob.bytes)
      throw StoreFailure(.read, error, subject: subject)
    }
  }
}

/// An asset with its open file: it reads to its end, whatever is deleted meanwhile (invariant 6).
public struct OpenedAsset: ~Copyable, Sendable {
  /// What the catalogue says of the id.
  public let asset: ServedLookup
  /// The bytes; `nil` when there is no such asset.
  public var file: SharedFile?
}

extension OpenedAsset {
  init(_ lookup: AssetLookup, file: SharedFile?) {
    self.init(asset: ServedLookup(lookup), file: file)
  }
}
