public import Kernel
public import SQLite

/// The figures of a limit that is reached, in bytes.
public struct SpaceFigures: Sendable, Hashable {
  /// What is used or promised.
  public let used: Int64
  /// What may be.
  public let limit: Int64
  /// What was asked for beside.
  public let asked: Int64

  init(used: Int64, limit: Int64, asked: Int64) {
    self.used = used
    self.limit = limit
    self.asked = asked
  }
}

/// Why the store could not do what it was asked: what was done, what kind of failure, on what, and
/// what an operator may do. No HTTP status: those are given in one place, far above.
public struct StoreFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// What the store was doing.
  public enum Operation: String, Sendable {
    case open, reserve, ingest, settle, publish, read, delete, change, record, collect
    case keys

    /// Whether something was to be stored by it.
    public var isWrite: Bool {
      switch self {
      case .reserve, .ingest, .settle, .publish, .record, .change, .delete: true
      case .open, .read, .collect, .keys: false
      }
    }
  }

  /// Which limit is reached.
  public enum Limit: Sendable, Hashable {
    /// `storage.max_bytes`.
    case store
    /// `storage.min_free_bytes`, or the file system itself.
    case disk
    /// The key's own quota.
    case quota
  }

  /// The closed list of kinds.
  public enum Kind: Sendable, Hashable {
    /// No room for it.
    case full(Limit)
    /// The store takes no writes until it is repaired; reads go on.
    case readOnly
    /// A commit failed with an I/O error: what it was to change is or is not changed.
    case outcomeUnknown
    /// Too many writes wait already.
    case busy
    /// The store was closed meanwhile.
    case closed
    /// There is no such thing, or it belongs to someone else.
    case notFound
    /// The name is taken.
    case taken
    /// These bytes were taken down and are refused.
    case blocked
    /// More bytes than `limits.image_bytes`.
    case tooLarge(limit: Int64)
    /// More pixels than `limits.image_pixels`.
    case tooManyPixels(limit: Int64)
    /// None of the hosted image types.
    case notAnImage
    /// Another number of bytes than announced.
    case lengthMismatch(expected: Int64, found: Int64)
    /// Another content than announced.
    case digestMismatch
    /// Another process has the store open.
    case locked
    /// A newer program wrote the catalogue.
    case newerSchema(found: Int, known: Int)
    /// The catalogue can not be read.
    case damaged
    /// An asset's file is missing, or not what its row says.
    case assetDamaged
    /// There are blobs or a key ring, and no catalogue.
    case catalogueMissing
    /// The key ring is gone while there is a catalogue, or others may read it.
    case keyringMissing, keyringExposed
    /// The key ring is another user's.
    case keyringForeign
    /// `incoming/` and `blobs/` lie on two file systems.
    case twoFileSystems
    /// The system refused a call.
    case io(Errno)
    /// SQLite refused a call.
    case sqlite(SQLiteFailure)
  }

  /// What was being done.
  public let operation: Operation
  /// What kind of failure it is.
  public let kind: Kind
  /// The path, id or name that it is about.
  public let subject: String?
  /// What the operator can do.
  public let hint: String?
  /// Of `.full`: how much, where that is known.
  public let figures: SpaceFigures?

  /// A failure; see the properties.
  public init(
    _ operation: Operation, _ kind: Kind, subject: String? = nil, hint: String? = nil,
    figures: SpaceFigures? = nil
  ) {
    self.operation = operation
    self.kind = kind
    self.subject = subject
    self.hint = hint
    self.figures = figures
  }

  init(_ operation: Operation, _ errno: Errno, subject: String? = nil) {
    self.init(operation, errno.isNoSpace ? .full(.disk) : .io(errno), subject: subject)
  }

  init(_ operation: Operation, _ failure: SQLiteFailure, subject: String? = nil) {
    if failure.isFull {
      self.init(operation, .full(.disk), subject: subject)
    } else if failure.isBusy {
      self.init(
        operation, .busy, subject: subject, hint: "another program holds the catalogue's lock")
    } else if failure.isOfDisk, operation != .read, operation != .open {
      self.init(operation, .readOnly, subject: subject, hint: "\(failure)")
    } else if failure.isDamage {
      self.init(
        operation, .damaged, subject: subject,
        hint: StoreFailure.restoreHint)
    } else {
      self.init(operation, .sqlite(failure), subject: subject)
    }
  }

  /// Beside blobs or a key ring there is no catalogue.
  init(catalogueMissing path: String) {
    self.init(
      .open, .catalogueMissing, subject: path,
      hint: StoreFailure.restoreHint + "; nothing was changed")
  }

  /// What an operator can do without a good catalogue. A log that belongs to another file would be
  /// written into the restored one.
  static let restoreHint =
    "stop the daemon, keep a copy of the folder, and restore catalog.sqlite from a backup, without "
    + "a catalog.sqlite-wal and -shm of the other one; without a backup, begin a new store and "
    + "give it the images: find OLD/blobs -type f -print0 | xargs -0 assetctl put --storage NEW "
    + "--retention permanent --truncated keeps their bytes, but not their ids, owners and links "
    + "(assetctl rebuild, which will make a catalogue from the blobs, is not in this version)"

  /// One sentence for a log or a terminal.
  public var description: String {
    let about = subject.map { " (\($0))" } ?? ""
    let advice = hint.map { "; \($0)" } ?? ""
    let sums = figures.map { "; used \($0.used), limit \($0.limit), asked \($0.asked)" } ?? ""
    return "\(operation.rawValue): \(sentence)\(about)\(sums)\(advice)"
  }

  private var sentence: String {
    switch kind {
    case .full(.store): "the store has reached its limit (storage.max_bytes)"
    case .full(.disk): "the disk has no room left (storage.min_free_bytes)"
    case .full(.quota): "the owner has reached its quota"
    case .readOnly: "the store is read-only until it is repaired"
    case .outcomeUnknown: "the commit failed; whether it took place is not known"
    case .busy: "too many writes are waiting"
    case .closed: "the store is closed"
    case .notFound: "not found"
    case .taken: "the name is taken"
    case .blocked: "these bytes were taken down"
    case .tooLarge(let limit): "more than \(limit) bytes"
    case .tooManyPixels(let limit): "more than \(limit) pixels"
    case .notAnImage: "not a PNG, JPEG, WebP, GIF or AVIF image"
    case .lengthMismatch(let expected, let found): "\(found) bytes instead of \(expected)"
    case .digestMismatch: "the bytes do not have the announced digest"
    case .locked: "another process has this store open"
    case .newerSchema(let found, let known):
      "the catalogue has version \(found), this program knows up to \(known)"
    case .assetDamaged: "the file of the image is damaged or missing"
    case .damaged: "the catalogue is damaged"
    case .catalogueMissing: "there is no catalogue, or an empty one, beside blobs or a key ring"
    case .keyringMissing: "the key ring is missing beside an existing catalogue"
    case .keyringExposed: "the key ring may be read by others"
    case .keyringForeign: "the key ring belongs to another user"
    case .twoFileSystems: "incoming/ and blobs/ must lie on one file system"
    case .io(let errno): "\(errno)"
    case .sqlite(let failure): "\(failure)"
    }
  }
}

/// Runs a call of Kernel as part of a store operation.
func kernel<Result: ~Copyable>(
  _ operation: StoreFailure.Operation, _ subject: @autoclosure () -> String? = nil,
  _ body: () throws(Errno) -> Result
) throws(StoreFailure) -> Result {
  do {
    return try body()
  } catch {
    throw StoreFailure(operation, error, subject: subject())
  }
}

/// Runs a call of SQLite as part of a store operation.
func catalog<Result: ~Copyable>(
  _ operation: StoreFailure.Operation, _ subject: @autoclosure () -> String? = nil,
  _ body: () throws(SQLiteFailure) -> Result
) throws(StoreFailure) -> Result {
  do {
    return try body()
  } catch {
    throw StoreFailure(operation, error, subject: subject())
  }
}
