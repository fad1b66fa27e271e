public import Crypto

/// A client's key, as the store knows it: never the key itself, only its SHA-256.
public struct AccessKey: Sendable, Hashable {
  /// What a key may do (API.md §2).
  public enum Scope: String, Sendable, Hashable, CaseIterable {
    case generate, host, read, metrics, admin
  }

  /// What a key sets where a request says nothing; `nil` leaves it to the configuration.
  public struct Defaults: Sendable, Hashable {
    /// `url` or `b64_json`.
    public var responseFormat: String?
    /// The retention of new assets.
    public var retention: Retention?
    /// `raw` or `data_url`.
    public var base64: String?

    /// Defaults; see the properties.
    public init(
      responseFormat: String? = nil, retention: Retention? = nil, base64: String? = nil
    ) {
      self.responseFormat = responseFormat
      self.retention = retention
      self.base64 = base64
    }
  }

  /// Its number in the catalogue; 0 before it is there.
  public internal(set) var id: Int64 = 0
  /// Its name, which is the owner of what it makes. An owner may have several good keys.
  public var owner: Owner
  /// SHA-256 of the key.
  public var digest: Digest
  /// What it may do.
  public var scopes: Set<Scope>
  /// Logical bytes that its owner may have; `nil` for no quota.
  public var quota: Int64?
  /// What it sets where a request says nothing.
  public var defaults: Defaults
  /// Unix seconds.
  public var createdAt: Int64
  /// Unix seconds; `nil` while it is good.
  public internal(set) var revokedAt: Int64?
  /// Unix seconds, at most a minute behind; `nil` before its first use.
  public internal(set) var lastUsedAt: Int64?

  /// A key; see the properties.
  public init(
    owner: Owner, digest: Digest, scopes: Set<Scope>, quota: Int64? = nil,
    defaults: Defaults = Defaults(), createdAt: Int64
  ) {
    self.owner = owner
    self.digest = digest
    self.scopes = scopes
    self.quota = quota
    self.defaults = defaults
    self.createdAt = createdAt
  }
}

/// What became of keys that were to end.
public enum KeyRevocation: Sendable, Hashable {
  /// There never was such a key.
  case unknown
  /// All of them had ended before.
  case alreadyRevoked
  /// At least one ended now.
  case revoked
}
