public import Crypto
public import Wire

/// Whose asset it is: the name of a key, or `local` in open mode.
public struct Owner: Hashable, Sendable, CustomStringConvertible {
  /// The name, 1 to 64 bytes.
  public let name: String

  /// The owner of this name; `nil` when it is empty, longer than 64 bytes, or has control
  /// characters.
  public init?(_ name: String) {
    guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { return nil }
    self.name = name
  }

  init(stored name: String) { self.name = name }

  /// Everyone, when no key is asked for.
  public static let local = Owner(stored: "local")
  /// Nobody: what `rebuild` found without a row.
  public static let recovered = Owner(stored: "recovered")

  /// The name.
  public var description: String { name }
}

/// The two kinds of life an asset may have.
public enum Retention: String, Sendable, Hashable, CaseIterable {
  /// Until its expiry.
  case temporary
  /// Until it is deleted, or a policy that names permanent assets collects it.
  case permanent
}

/// How long an asset lives.
public enum Lifetime: Hashable, Sendable {
  /// Until these unix seconds.
  case temporary(until: Int64)
  /// Without end.
  case permanent

  /// The kind of it.
  public var retention: Retention { expiresAt == nil ? .permanent : .temporary }

  /// Unix seconds; `nil` for permanent.
  public var expiresAt: Int64? {
    switch self {
    case .temporary(let until): until
    case .permanent: nil
    }
  }

  init(expiresAt: Int64?) {
    self = expiresAt.map { .temporary(until: $0) } ?? .permanent
  }

  /// Whether links that were made for `other` may have a later end than this.
  func endsBefore(_ other: Lifetime) -> Bool {
    guard let expiresAt else { return false }
    return expiresAt < other.expiresAt ?? .max
  }

  /// The one that ends later; of two kinds, `other`.
  func extended(by other: Lifetime) -> Lifetime {
    guard let mine = expiresAt, let theirs = other.expiresAt else { return other }
    return .temporary(until: max(mine, theirs))
  }
}

/// The bytes behind assets: one file, its type and its size.
public struct Blob: Hashable, Sendable {
  /// The file that holds them.
  public let name: BlobName
  /// How many.
  public let bytes: Int64
  /// The type by magic bytes, and the dimensions.
  public let image: ImageFacts
  /// When they were stored, in unix seconds.
  public let storedAt: Int64

  /// SHA-256 of the bytes.
  public var digest: Digest { name.digest }

  /// What the disk gives for them: whole blocks of 4 KiB.
  public var diskBytes: Int64 { Disk.blocks(bytes) }

  init(name: BlobName, bytes: Int64, image: ImageFacts, storedAt: Int64) {
    self.name = name
    self.bytes = bytes
    self.image = image
    self.storedAt = storedAt
  }
}

/// How disk limits are counted.
enum Disk {
  static let blockBytes: Int64 = 4096

  /// `bytes` rounded up to whole blocks; never overflows.
  static func blocks(_ bytes: Int64) -> Int64 {
    let (sum, overflow) = max(bytes, 0).addingReportingOverflow(blockBytes - 1)
    return overflow ? Int64.max : sum & ~(blockBytes - 1)
  }
}

/// One hosted image.
public struct Asset: Hashable, Sendable {
  /// Its id.
  public let id: AssetID
  /// Its bytes; other assets may share them.
  public let blob: Blob
  /// Whose it is.
  public let owner: Owner
  /// How long it lives.
  public let lifetime: Lifetime
  /// Whether no policy may collect it.
  public let isPinned: Bool
  /// Unix seconds.
  public let createdAt: Int64
  /// When it was last fetched, in unix seconds, to the minute; `nil` when never.
  public let lastAccessAt: Int64?
  /// The model that made it, as it was asked for.
  public let model: String?
  /// The generation that it belongs to.
  public let generation: GenerationID?
  /// Its place among the images of the generation, from 0.
  public let index: Int
}

/// Why an asset was removed before its expiry.
public enum RemovalReason: String, Sendable, Hashable {
  /// Its owner deleted it.
  case deleted
  /// A policy collected it.
  case collected
  /// Its bytes were taken down.
  case takenDown = "taken_down"
}

/// What is left of an asset that was deleted, or collected before its expiry.
public struct Tombstone: Hashable, Sendable {
  /// Unix seconds.
  public let removedAt: Int64
  /// Who removed it.
  public let reason: RemovalReason
  /// Whether it had a permanent URL.
  public let wasPermanent: Bool
  /// Whose it was; `nil` where an early version of the program buried it.
  public let owner: Owner?
}

/// What the catalogue says of an id.
public enum AssetLookup: Hashable, Sendable {
  /// There is such an asset; it may have expired.
  case asset(Asset)
  /// There was one.
  case removed(Tombstone)
  /// There never was one, or it is forgotten.
  case unknown
}
