// The `gc` part of the configuration: what is collected, and when.

extension Settings {
  /// When collection runs, and its policies.
  public struct Collection: Sendable, Equatable {
    /// The time from one run of the daemon to the next.
    public var interval: Duration = .seconds(600)
    /// How long an expired asset stays before `expired` takes it.
    public var grace: Duration = .seconds(600)
    /// The policies in the order of their evaluation, names unique.
    public var policies = [
      Policy(.expired), Policy(.orphans(grace: .seconds(3600))),
      Policy(.records(after: .seconds(30 * 86_400))),
    ]

    /// The defaults.
    public init() {}
  }

  /// One policy of collection.
  public struct Policy: Sendable, Equatable {
    /// The kinds, by their names in the file.
    public enum Kind: String, Sendable, CaseIterable {
      /// See `Rule`.
      case expired, idle, orphans, records
      /// See `Rule`.
      case maxAge = "max_age"
      /// See `Rule`.
      case ownerSize = "owner_size"
      /// See `Rule`.
      case totalSize = "total_size"
    }

    /// What is collected.
    public enum Rule: Sendable, Equatable {
      /// Temporary assets whose time has been over for `Collection.grace`.
      case expired
      /// Assets that were not fetched for this time.
      case idle(after: Duration, Selection)
      /// Assets older than this.
      case maxAge(limit: Duration, Selection)
      /// An owner's least recently used assets, when they pass `high` bytes, down to `low`.
      case ownerSize(high: Int64, low: Int64, Selection)
      /// Least recently used assets, when the store passes `high` bytes, down to `low`.
      case totalSize(high: Int64, low: Int64, Selection)
      /// Blobs without assets and files without rows, from this age on.
      case orphans(grace: Duration)
      /// Generations, tombstones and collection rows from this age on.
      case records(after: Duration)
    }

    /// Which assets a policy may take. Permanent ones only when `retentions` names them.
    public struct Selection: Sendable, Equatable {
      /// The retentions; never empty.
      public var retentions: [Retention] = [.temporary]
      /// The owners; empty: every one.
      public var owners: [String] = []
      /// The models; empty: every one.
      public var models: [String] = []

      /// Every temporary asset.
      public init() {}
    }

    /// The name in reports and for `assetctl gc --policy`.
    public var name: String
    /// What is collected.
    public var rule: Rule

    /// A policy; its name is its kind's unless given.
    public init(_ rule: Rule, name: String? = nil) {
      self.rule = rule
      self.name = name ?? rule.kind.rawValue
    }

    /// The policy's kind.
    public var kind: Kind { rule.kind }

    /// Which assets it may take; nil when its kind does not choose.
    public var selection: Selection? {
      switch rule {
      case .expired, .orphans, .records: nil
      case .idle(_, let selection), .maxAge(_, let selection): selection
      case .ownerSize(_, _, let selection), .totalSize(_, _, let selection): selection
      }
    }
  }
}

extension Settings.Policy.Rule {
  var kind: Settings.Policy.Kind {
    switch self {
    case .expired: .expired
    case .idle: .idle
    case .maxAge: .maxAge
    case .ownerSize: .ownerSize
    case .totalSize: .totalSize
    case .orphans: .orphans
    case .records: .records
    }
  }
}
