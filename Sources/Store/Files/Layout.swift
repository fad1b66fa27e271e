// The folders of a store (STORE.md, "On disk"), made and checked once at the start.
internal import Kernel

/// The names under `storage.root`.
enum Layout {
  static let blobs = "blobs"
  static let incoming = "incoming"
  static let quarantine = "quarantine"
  static let snapshots = "snapshots"
  static let catalogue = "catalog.sqlite"
  /// SQLite's log and its index.
  static let catalogueFiles = [catalogue, catalogue + "-wal", catalogue + "-shm"]
  static let keyring = "keyring.json"
  static let lock = "lock"
  static let ballast = "ballast"
  static let adminSocket = "admin.sock"
  /// Made for a moment, to see whether a file can be made.
  static let probe = "probe"

  /// `00` to `ff`.
  static func folder(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }
}

/// The open folders of a store, under its lock.
final class StoreFolders: Sendable {
  let root: Directory
  let blobs: BlobDirectory
  let incoming: Directory
  let quarantine: Directory
  /// Whether reading a file of the store may wait.
  let waiting: DiskWaiting
  /// Whether there are blobs or a key ring: a catalogue belongs to them.
  let wasAStore: Bool
  /// Held as long as this value lives (flock(2)): one process per root.
  private let lock: File

  private init(
    _ root: consuming Directory, _ blobs: consuming Directory, _ incoming: consuming Directory,
    _ quarantine: consuming Directory, wasAStore: Bool, lock: consuming File, isOneDevice: Bool
  ) {
    self.wasAStore = wasAStore
    waiting = isOneDevice ? DiskWaiting(lock) : .untold
    self.root = root
    self.blobs = BlobDirectory(blobs)
    self.incoming = incoming
    self.quarantine = quarantine
    self.lock = lock
  }

  /// Takes the lock, then makes what is missing, and empties `incoming/` (invariant 5).
  ///
  /// - Throws: `.locked`, `.catalogueMissing` and `.damaged` before anything is changed,
  ///   `.twoFileSystems`, `.io`.
  static func open(_ path: String) throws(StoreFailure) -> StoreFolders {
    let root = try kernel(.open, path) { () throws(Errno) in
      let isNew = try Directory.make(path: path)
      let root = try Directory.open(path: path)
      // Else a power cut takes all of a new store, whatever in it was synced. A folder that may be
      // written and not read can not be opened for that.
      if isNew, let parent = try? root.directory("..") { try parent.sync() }
      return root
    }
    let lock = try takeLock(in: root, path + "/" + Layout.lock)
    let wasAStore = try requireCatalogue(in: root, path)
    try PreparedCatalogue.refuseForeign(path + "/" + Layout.catalogue, wasAStore: wasAStore)
    let made = try kernel(.open, path) { () throws(Errno) in
      try root.keepStorePrivate(isNew: !wasAStore)
      return try make(in: root)
    }
    let isOneDevice = try kernel(.open, path) { () throws(Errno) in
      try made.blobs.status().device == made.incoming.status().device
    }
    guard isOneDevice else { throw StoreFailure(.open, .twoFileSystems, subject: path) }
    try kernel(.open, path) { () throws(Errno) in
      // What can not be removed (a folder, an immutable file) keeps no store from starting: the
      // orphan sweep looks at it again.
      for name in try made.incoming.names() { _ = try? made.incoming.remove(name) }
      try root.remove(Layout.probe)
    }
    let isAllOne = try kernel(.open, path) { () throws(Errno) in
      try root.status().device == made.blobs.status().device
    }
    return StoreFolders(
      root, made.blobs, made.incoming, made.quarantine, wasAStore: wasAStore, lock: lock,
      isOneDevice: isAllOne)
  }

  private static func takeLock(
    in root: borrowing Directory, _ path: String
  ) throws(StoreFailure) -> File {
    let lock = try kernel(.open, path) { () throws(Errno) in
      try root.file(Layout.lock, .readWriteOrCreate, mode: 0o600)
    }
    guard try kernel(.open, path, { () throws(Errno) in try lock.tryLock() }) else {
      throw StoreFailure(
        .open, .locked, subject: path, hint: "stop it, or name another --storage")
    }
    return lock
  }

  /// Refuses a root that was a store and has lost its catalogue: with a new one, every blob would
  /// be an orphan. Only a root without blobs and without a key ring is made new.
  ///
  /// - Returns: whether it was a store.
  private static func requireCatalogue(
    in root: borrowing Directory, _ path: String
  ) throws(StoreFailure) -> Bool {
    let (wasAStore, isThere) = try kernel(.open, path) { () throws(Errno) in
      let bytes = try root.status(of: Layout.catalogue)?.bytes ?? 0
      let hasKeyring = try root.status(of: Layout.keyring) != nil
      let hasBlobs = try hasKeyring ? false : hasBlobs(root)
      return (hasKeyring || hasBlobs, bytes > 0)
    }
    guard wasAStore, !isThere else { return wasAStore }
    throw StoreFailure(catalogueMissing: path + "/" + Layout.catalogue)
  }

  private static func hasBlobs(_ root: borrowing Directory) throws(Errno) -> Bool {
    guard try root.status(of: Layout.blobs) != nil else { return false }
    let blobs = BlobDirectory(try root.directory(Layout.blobs))
    for number in 0..<256 where try !blobs.names(inFolder: number).isEmpty { return true }
    return false
  }

  private struct Made: ~Copyable {
    let blobs: Directory
    let incoming: Directory
    let quarantine: Directory
  }

  /// All folders, and their names on the disk before the first file needs them.
  private static func make(in root: borrowing Directory) throws(Errno) -> Made {
    for name in [Layout.incoming, Layout.quarantine, Layout.snapshots, Layout.blobs] {
      try root.makeDirectory(name)
    }
    let blobs = try root.directory(Layout.blobs)
    var isChanged = false
    for number in 0..<256 where try blobs.makeDirectory(Layout.folder(number)) { isChanged = true }
    if isChanged { try blobs.sync() }
    try root.sync()
    return Made(
      blobs: blobs, incoming: try root.directory(Layout.incoming),
      quarantine: try root.directory(Layout.quarantine))
  }
}
