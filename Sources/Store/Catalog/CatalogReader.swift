public import Crypto
internal import SQLite
public import Wire

/// A read-only connection to the catalogue, for one thread: every event loop has its own.
///
/// A point read is one prepared statement, 3 to 5 µs while its pages are cached. Reading sees the
/// last commit; it never waits for the writer (WAL).
public final class CatalogReader {
  let session: CatalogSession

  /// Opens the catalogue of the store at `root`, which must be there; a daemon may be running.
  /// `cacheBytes` of its pages are kept in memory at most.
  public convenience init(root: String, cacheBytes: Int = 4 << 20) throws(StoreFailure) {
    try self.init(root: root, cacheBytes: cacheBytes, health: nil)
  }

  /// - Parameter health: hears of damage, and of a disk that fails.
  init(root: String, cacheBytes: Int, health: HealthMonitor?) throws(StoreFailure) {
    let path = root + "/" + Layout.catalogue
    do {
      let connection = try Connection(
        path: path, access: .readOnly, cacheBytes: cacheBytes)
      try connection.version(upTo: Schema.migrations.count)
      session = CatalogSession(connection, health: health)
    } catch let error as SchemaFailure {
      if case .sqlite(let failure) = error { health?.noteFailedOpening(failure) }
      throw StoreFailure(.open, error, subject: path)
    } catch let error as SQLiteFailure {
      health?.noteFailedOpening(error)
      throw StoreFailure(.open, error, subject: path)
    } catch {
      throw StoreFailure(.open, .damaged, subject: path)
    }
  }

  /// The asset of this id; it may have expired.
  public func asset(_ id: AssetID) throws(StoreFailure) -> Asset? { try session.asset(id) }

  /// The asset of this id, or what is left of one that was removed.
  public func lookUp(_ id: AssetID) throws(StoreFailure) -> AssetLookup { try session.lookUp(id) }

  /// The images of a generation, in their order.
  public func assets(of generation: GenerationID) throws(StoreFailure) -> [Asset] {
    try session.assets(of: generation)
  }

  /// A page of assets, newest first; `nil` when `query.after` never was there, is another owner's
  /// than the query's, or is forgotten. Not for a loop: see `Store.list`.
  public func assets(_ query: AssetQuery) throws(StoreFailure) -> AssetPage? {
    try session.assets(query)
  }

  /// The generation of this id.
  public func generation(_ id: GenerationID) throws(StoreFailure) -> Generation? {
    try session.generation(id)
  }

  /// The newest generation of `owner` with this fingerprint.
  public func generation(
    _ fingerprint: Digest, of owner: Owner
  ) throws(StoreFailure) -> Generation? {
    try session.generation(fingerprint, of: owner)
  }

  /// The newest generation of `owner` with this `Idempotency-Key`.
  public func generation(key: String, of owner: Owner) throws(StoreFailure) -> Generation? {
    try session.generation(key: key, of: owner)
  }

  /// The key with this SHA-256; `nil` when there is none or it is revoked.
  public func key(_ digest: Digest) throws(StoreFailure) -> AccessKey? { try session.key(digest) }

  /// All keys, revoked ones too, oldest first.
  public func keys() throws(StoreFailure) -> [AccessKey] { try session.keys() }

  /// Whether these bytes were taken down: they are not to be delivered again.
  public func isBlocked(_ digest: Digest) throws(StoreFailure) -> Bool {
    try session.isBlocked(digest)
  }

  /// The sums over the whole store.
  public func totals() throws(StoreFailure) -> StoreTotals { try session.totals() }

  /// The sums of one owner.
  public func totals(of owner: Owner) throws(StoreFailure) -> OwnerTotals {
    try session.totals(of: owner)
  }

  /// The sums of the owners with most bytes.
  public func ownerTotals(limit: Int = 100) throws(StoreFailure) -> [OwnerTotals] {
    try session.ownerTotals(limit: limit)
  }
}

extension StoreFailure {
  init(_ operation: Operation, _ failure: SchemaFailure, subject: String) {
    switch failure {
    case .newer(let found, let known):
      self.init(
        operation, .newerSchema(found: found, known: known), subject: subject,
        hint: "start the newer assetd, or restore a backup of this version")
    case .sqlite(let failure): self.init(operation, failure, subject: subject)
    }
  }
}
