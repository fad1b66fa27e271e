// What may be collected, and why. A policy that collects assets is one condition in SQL
// (`CatalogSQL`), one file each: the same text plans and deletes, so that a dry run names exactly
// what a run deletes (G2).
public import Crypto
internal import SQLite
public import Wire

/// One entry of `gc.policies`.
public struct Policy: Sendable, Hashable {
  /// What it collects.
  public enum Kind: Sendable, Hashable {
    /// Temporary assets past their expiry and this many seconds.
    case expired(grace: Int64)
    /// Blobs without assets, files without rows, old `incoming/`, older than this many seconds.
    case orphans(grace: Int64)
    /// Generations, tombstones and collection rows, this many seconds after they were of use.
    case records(after: Int64)
  }

  /// What it is called in reports; the kind's name where the configuration gives none.
  public var name: String
  /// What it collects.
  public var kind: Kind

  /// A policy; see the properties.
  public init(_ kind: Kind, name: String? = nil) {
    self.kind = kind
    self.name =
      name
      ?? {
        switch kind {
        case .expired: "expired"
        case .orphans: "orphans"
        case .records: "records"
        }
      }()
  }

  /// What the built-in configuration collects.
  public static let builtIn = [
    Policy(.expired(grace: 600)), Policy(.orphans(grace: 3600)),
    Policy(.records(after: 30 * 24 * 3600)),
  ]
}

extension Policy {
  /// Whether it collects assets, and which.
  var ofAssets: (any AssetPolicy)? {
    switch kind {
    case .expired(let grace): ExpiredPolicy(grace: grace)
    case .orphans, .records: nil
    }
  }
}

/// A policy that collects assets: a condition on a row of `assets`, and an order to do it in.
protocol AssetPolicy: Sendable {
  /// Of the chosen assets, deletes those that meet the condition; never a pinned one.
  var removal: CatalogSQL { get }
  /// Selects what meets the condition, in its order, behind a place in it; follows an index.
  var candidates: CatalogSQL { get }
  /// The same from the start, and of each asset its serial only.
  var serials: CatalogSQL { get }
  /// Counts them.
  var count: CatalogSQL { get }
  /// Binds what that asks for.
  func bindTime(_ statement: Statement, now: Int64)
  /// Binds what the others ask for.
  func bind(_ statement: Statement, now: Int64, limit: Int64)
  /// Binds the place of the asset behind which to go on; `nil`: from the start.
  func bindPlace(_ statement: Statement, after last: CollectedAsset?)
  /// Why this asset goes, for people.
  func reason(expiresAt: Int64?, now: Int64) -> String
}

/// One thing that a collection removes, or would remove.
public struct CollectionItem: Sendable, Hashable {
  /// The name of the policy.
  public let policy: String
  /// The asset; `nil` for an orphan.
  public let id: AssetID?
  /// Its bytes' SHA-256; `nil` for a file in `incoming/`.
  public let digest: Digest?
  /// How many bytes it has.
  public let bytes: Int64
  /// Why it goes.
  public let reason: String
}

/// What one policy removed, or would remove.
public struct PolicyResult: Sendable, Hashable {
  /// The name of the policy.
  public let policy: String
  /// Assets.
  public var assets = 0
  /// Bytes of those assets, or of orphaned files.
  public var bytes: Int64 = 0
  /// Files.
  public var blobs = 0
  /// Rows that are not assets.
  public var records = 0

  init(policy: String) { self.policy = policy }

  mutating func count(_ item: CollectionItem) {
    if item.id != nil { assets += 1 } else { blobs += 1 }
    bytes += item.bytes
  }
}

/// What a collection did, or would do.
public struct CollectionReport: Sendable, Hashable {
  /// One for each policy, in their order.
  public internal(set) var results: [PolicyResult] = []
  /// The clock jumped by so many seconds, and nothing was collected for that reason.
  public internal(set) var clockJump: Int64?
  /// Why no orphan was removed, or no more of them: an operator is to look before
  /// `CollectionOptions.allowsLarge` is said.
  public internal(set) var sweepStop: String?
  /// Orphans that could not be removed: they stay, and count as awaiting removal.
  public internal(set) var stuck = 0
  /// How long it took.
  public internal(set) var nanoseconds: Int64 = 0
}

/// How a collection is run.
public struct CollectionOptions: Sendable {
  /// Stop after so many assets; `nil` for no limit.
  public var limit: Int?
  /// Which of the 256 folders the `orphans` policy looks at.
  public var folders: Range<Int>
  /// Look at one folder instead, each time at the next: so that the cost of what the daemon does by
  /// itself does not grow with the store.
  public var sweepsNextFolder = false
  /// Believe the clock although it jumped: for an operator who has looked at it.
  public var acceptsClock: Bool
  /// Sweep orphans although that is stopped, or would take much of the store: for an operator who
  /// has looked at them.
  public var allowsLarge: Bool

  /// Options; see the properties.
  public init(
    limit: Int? = nil, folders: Range<Int> = 0..<256, acceptsClock: Bool = false,
    allowsLarge: Bool = false
  ) {
    self.limit = limit
    self.folders = folders.clamped(to: 0..<256)
    self.acceptsClock = acceptsClock
    self.allowsLarge = allowsLarge
  }
}
