public import Crypto
public import Wire

/// One call of the front.
public struct Generation: Sendable, Hashable {
  /// How far it is.
  public enum Status: String, Sendable, Hashable {
    case queued, completed, failed, cancelled
    case inProgress = "in_progress"
  }

  /// Its id.
  public var id: GenerationID
  /// Whose it is.
  public var owner: Owner
  /// What makes two calls the same (API.md §3).
  public var fingerprint: Digest
  /// The client's `Idempotency-Key`.
  public var idempotencyKey: String?
  /// How far it is.
  public var status: Status
  /// The answer without its images; `nil` until there is one.
  public var answer: [UInt8]?
  /// Whether the whole answer went out to a client.
  public var isDelivered: Bool
  /// The model, as it was asked for.
  public var model: String?
  /// The prompt, only where `privacy.store_prompts` says so.
  public var prompt: String?
  /// Unix seconds.
  public var createdAt: Int64
  /// Unix seconds after which it may be forgotten.
  public var expiresAt: Int64

  /// A generation; see the properties.
  public init(
    id: GenerationID, owner: Owner, fingerprint: Digest, idempotencyKey: String? = nil,
    status: Status, answer: [UInt8]? = nil, isDelivered: Bool = false, model: String? = nil,
    prompt: String? = nil, createdAt: Int64, expiresAt: Int64
  ) {
    self.id = id
    self.owner = owner
    self.fingerprint = fingerprint
    self.idempotencyKey = idempotencyKey
    self.status = status
    self.answer = answer
    self.isDelivered = isDelivered
    self.model = model
    self.prompt = prompt
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }
}
