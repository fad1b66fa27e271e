import Crypto
import Foundation
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

/// A store of one test in a folder that is removed with it, with a clock that the test sets.
final class ScratchStore: Sendable {
  let path: String
  let clock: TestClock
  private let opened: Mutex<Store?>

  var store: Store {
    guard let store = opened.withLock({ $0 }) else { preconditionFailure("closed") }
    return store
  }

  init(
    maxBytes: Int64? = nil, limits: ImageLimits = ImageLimits(), copyOf other: String? = nil,
    onDisk: Bool = false,
    freeBytes: (@Sendable () -> Int64)? = nil, scrub: ScrubPace? = nil,
    check: CatalogueCheck.Manner = CatalogueCheck.Manner(), stallLimit: Int64? = nil,
    report: @escaping @Sendable (StoreEvent) -> Void = { _ in }
  ) throws {
    let folder = onDisk ? NSTemporaryDirectory() : ScratchStore.scratch
    path = folder + "assetd-store-" + UUID().uuidString
    clock = TestClock()
    if let other { try FileManager.default.copyItem(atPath: other, toPath: path) }
    var options = ScratchStore.options(path, clock)
    options.maxBytes = maxBytes
    options.limits = limits
    options.report = report
    options.freeBytes = freeBytes
    options.check = check
    options.scrub = scrub
    if let stallLimit { options.stallLimit = stallLimit }
    opened = Mutex(try Store(options))
  }

  /// In memory where there is room for it: a test of order needs no disk, and fsync of a busy one
  /// takes seconds.
  static let scratch: String = {
    let memory = "/dev/shm/"
    let room = try? Directory.open(path: memory).space().freeBytes
    return room ?? 0 > 2 << 30 ? memory : NSTemporaryDirectory()
  }()

  static func options(_ path: String, _ clock: TestClock) -> StoreOptions {
    var options = StoreOptions(
      root: path, minFreeBytes: 0, newKeyring: { Array("{}".utf8) }, now: { clock.now })
    // Tests hold threads for as long as it takes.
    options.stallLimit = .max
    return options
  }

  /// Ends the store; nothing of any test may be left of what its ingests took.
  deinit {
    if let store = opened.withLock({ $0 }) {
      store.close()
      if !store.files.inFlight.isEmpty || store.space.reserved != 0 {
        Issue.record("\(store.files.inFlight) is still in flight, \(store.space) in use")
      }
    }
    try? FileManager.default.removeItem(atPath: path)
  }

  /// A copy of the folder as it is now; the caller removes it.
  func copy() throws -> String {
    let copy = path + "-" + UUID().uuidString
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    return copy
  }

  /// Ingests and publishes in one go.
  func put(_ bytes: [UInt8], _ new: NewAsset = .temporary()) async throws -> PublishedAsset {
    try await store.publish(try settle(bytes), as: new)
  }

  func settle(_ bytes: [UInt8]) throws -> SettledBlob {
    var ingest = try store.begin(try store.reserve(Int64(bytes.count)))
    try ingest.write(bytes.span)
    return try ingest.settle()
  }

  /// Files under `blobs/`, by their names.
  func blobFiles() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: path + "/blobs")
      .filter { $0.count > 2 }.sorted()
  }

  func incomingFiles() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path + "/incoming")
  }

  /// Rows of `count` assets that have expired, each on bytes of its own, without files: to remove
  /// one that is not there is success.
  func fill(_ count: Int) async throws {
    let now = clock.now
    let ledger = store.files.ledger
    try await store.write { (session) throws(StoreFailure) in
      try catalog(.collect) { () throws(SQLiteFailure) in
        try session.connection.execute(
          """
          CREATE TEMP TABLE made (n INTEGER PRIMARY KEY, digest BLOB NOT NULL);
          WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers
            WHERE n < \(count))
            INSERT INTO made SELECT n, randomblob(32) FROM numbers;
          INSERT INTO blobs (digest, tail, bytes, media_type, width, height, stored_at)
            SELECT digest, n, 4000, 'image/png', 10, 10, \(now) FROM made;
          INSERT INTO assets (id, digest, bytes, owner, retention, created_at, expires_at, used_at)
            SELECT randomblob(16), digest, 4000, 'local', 'temporary', \(now), \(now) - n % 97,
              \(now) FROM made;
          DROP TABLE made;
          """)
      }
      ledger.setStored(try session.totals().diskBytes)
    }
  }

  /// Plants a file that no row names.
  @discardableResult
  func plantOrphan(_ digest: Digest, modified: Int64) throws -> BlobName {
    let name = BlobName(digest: digest, tail: 5)
    let folder = try Directory.open(path: path + "/blobs/" + name.folder)
    let file = try folder.file("\(name)", .createNew)
    try file.write(image(1).span, at: 0)
    try file.setModified(modified)
    return name
  }

  /// The whole content behind an asset, as a reader gets it.
  func content(_ id: AssetID) throws -> [UInt8]? {
    let opened = try store.open(id, reader: try store.reader())
    return try opened.file?.readAll(limit: 1 << 26)
  }

  /// Removes an asset that is the only one on its bytes, and its file, before it returns.
  func remove(_ asset: Asset) {
    do {
      let freed = try store.commit { (session) throws(StoreFailure) in
        try session.delete(asset.id, owner: nil, .deleted, now: 0).freed
      }
      store.release(freed.map { [$0] } ?? [])
      store.unlinker.drain()
    } catch { Issue.record(error) }
  }

  /// No row without its file, no file without its row, and the sums are the sums.
  func expectWhole(_ place: SourceLocation = #_sourceLocation) throws {
    store.unlinker.drain()
    let reader = try store.reader()
    var rows: Set<String> = []
    for folder in 0..<256 {
      for name in try reader.session.blobRows(inFolder: folder).names { rows.insert(name.path) }
    }
    #expect(try Set(blobFiles()) == rows, sourceLocation: place)
    #expect(try incomingFiles().isEmpty, sourceLocation: place)
    let totals = try reader.totals()
    #expect(totals.blobs == rows.count, sourceLocation: place)
    #expect(
      store.space == SpaceUse(stored: totals.diskBytes, reserved: 0, awaitingUnlink: 0),
      sourceLocation: place)
  }
}

/// A wall clock that stands still until the test moves it.
final class TestClock: Sendable {
  /// Later than any file that a test makes: what it dates back is still younger than its store.
  static let start = SystemClock.wallSeconds + 10_000_000
  private let seconds = Atomic<Int64>(start)
  var now: Int64 { seconds.load(ordering: .relaxed) }
  func advance(_ by: Int64) { seconds.wrappingAdd(by, ordering: .relaxed) }
}

extension SpaceUse {
  init(stored: Int64, reserved: Int64, awaitingUnlink: Int64) {
    self.init()
    self.stored = stored
    self.reserved = reserved
    self.awaitingUnlink = awaitingUnlink
  }
}

extension NewAsset {
  static func temporary(
    until: Int64 = TestClock.start + 3600, owner: Owner = .local, reuse: Bool = false
  ) -> NewAsset {
    NewAsset(owner: owner, lifetime: .temporary(until: until), reuse: reuse)
  }
  static func permanent(owner: Owner = .local, reuse: Bool = false) -> NewAsset {
    NewAsset(owner: owner, lifetime: .permanent, reuse: reuse)
  }
}

/// A PNG by its header (ISO/IEC 15948 §11.2.2), and bytes that depend on the seed.
func image(
  _ seed: Int, bytes: Int = 1000, width: UInt32 = 640, height: UInt32 = 480
) -> [UInt8] {
  var image: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
  image += Array("IHDR".utf8)
  for value in [width, height] {
    image += (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) }
  }
  var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1
  while image.count < bytes {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    image.append(UInt8(truncatingIfNeeded: state >> 33))
  }
  return image
}

func owner(_ name: String) -> Owner {
  guard let owner = Owner(name) else { preconditionFailure("bad name") }
  return owner
}
