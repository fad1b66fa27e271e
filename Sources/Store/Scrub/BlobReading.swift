// One file of the scrub: read from its start to its end, and hashed.
internal import Crypto
internal import Kernel
internal import SQLite

/// What the scrub has to know of a blob's row.
struct ScrubRow: Sendable, Hashable {
  let name: BlobName
  let bytes: Int64
}

/// What a look at a blob's file says.
enum BlobVerdict: Hashable {
  /// There is more to read.
  case unfinished
  case whole
  case missing
  /// It is no file, or has another size than its row says; its bytes may be its own, and the row
  /// wrong.
  case misfit(String)
  /// It does not hash to its name.
  case altered(String)
  case unreadable(Errno)
}

/// A blob's file that is being read.
struct BlobReading: ~Copyable {
  private let row: ScrubRow
  private let file: File
  private let status: FileStatus
  /// The most bytes that are worth reading.
  private let most: Int64
  /// Whether its bytes were not in memory: they do not stay there, and push nobody out.
  private let wasCold: Bool
  private var hash = SHA256()
  private var offset: Int64 = 0

  /// Opens the file of this row; `nil` when it is gone.
  ///
  /// - Parameter fromDisk: whether what memory has of it is not to be believed.
  static func begin(
    _ row: ScrubRow, _ files: StoreFiles, fromDisk: Bool
  ) throws(Errno) -> BlobReading? {
    guard let file = try files.folders.blobs.open(row.name) else { return nil }
    if fromDisk { file.forget() }
    let status = try file.status()
    return BlobReading(row, file, status, most: max(row.bytes, files.limits.bytes))
  }

  private init(_ row: ScrubRow, _ file: consuming File, _ status: FileStatus, most: Int64) {
    self.row = row
    self.status = status
    self.most = most
    wasCold = file.isCold(at: 0)
    self.file = file
  }

  /// Reads at most one buffer.
  mutating func readOn(
    into buffer: inout [UInt8]
  ) throws(Errno) -> (BlobVerdict, bytes: Int) {
    guard status.kind == .regular, status.bytes <= most else { return (.misfit(misfit), 0) }
    var span = buffer.mutableSpan
    let count = try file.read(into: &span, at: offset)
    hash.update(buffer.span.extracting(0..<count))
    offset += Int64(count)
    if wasCold { file.forget() }
    guard count == 0 || offset >= status.bytes else { return (.unfinished, count) }
    let digest = exchange(&hash, with: SHA256()).finalize()
    if digest != row.name.digest { return (.altered("its bytes hash to \(digest.hex)"), count) }
    return (status.bytes == row.bytes ? .whole : .misfit(misfit), count)
  }

  private var misfit: String {
    status.kind == .regular
      ? "the file has \(status.bytes) bytes instead of \(row.bytes)" : "it is no file"
  }
}

extension CatalogSession {
  /// The first blob after this digest, in their order; the first of all after `nil`.
  func blob(after digest: Digest?) throws(StoreFailure) -> ScrubRow? {
    let row = try catalog(.read) { () throws(SQLiteFailure) in
      try one(.nextBlob) {
        // One zero is less than every digest.
        if let digest { $0.bind(1, digest) } else { $0.bind(1, [UInt8(0)].span) }
      } _: { row in
        row.digest(0).map {
          ScrubRow(
            name: BlobName(digest: $0, tail: UInt32(truncatingIfNeeded: row.integer(1))),
            bytes: row.integer(2))
        }
      }
    }
    guard let row else { return nil }
    guard let row else { throw StoreFailure(.read, .damaged, subject: "blobs") }
    return row
  }
}
