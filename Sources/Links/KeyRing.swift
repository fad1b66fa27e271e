internal import Crypto

/// The keys that sign links: one signs, others still verify, the retired verify no more.
///
/// A value; each change gives a new ring. Prints no secret. How it is kept is in KeyRingJSON.swift;
/// the file itself is the caller's.
public struct KeyRing: Sendable {
  /// What a key may do.
  public enum State: String, Hashable, Sendable {
    /// Signs new links and verifies; exactly one key of a ring.
    case signing
    /// Verifies the links that it signed, or will sign after a rotation on another node.
    case verifying
    /// Does nothing: its links are dead.
    case retired
  }

  /// One key.
  public struct Key: Sendable {
    /// The byte that names it in tokens.
    public let id: UInt8
    /// When it was made; unix seconds.
    public let createdAt: Int64
    /// What it may do.
    public let state: State
    let secret: InlineArray<32, UInt8>

    var macKey: HMACSHA256Key { HMACSHA256Key(secret.span) }

    func becoming(_ state: State) -> Key {
      Key(id: id, createdAt: createdAt, state: state, secret: secret)
    }
  }

  /// All keys, in the order of the file.
  public let keys: [Key]
  /// The key that signs.
  public let signing: Key

  /// A ring of keys whose ids differ and of which one signs.
  init(_ keys: [Key]) throws(KeyRingFailure) {
    var seen: Set<UInt8> = []
    for (index, key) in keys.enumerated() where !seen.insert(key.id).inserted {
      throw .malformed(path: "keys[\(index)].id", problem: "\(key.id) is there twice")
    }
    let signing = keys.filter { $0.state == .signing }
    guard let only = signing.first, signing.count == 1 else {
      throw .malformed(
        path: "keys", problem: "\(signing.count) keys are \"signing\", it must be exactly one")
    }
    self.keys = keys
    self.signing = only
  }

  private init(_ keys: [Key], signing: Key) {
    self.keys = keys
    self.signing = signing
  }

  /// A ring with one new key; `now` is unix seconds.
  public static func create(now: Int64) -> KeyRing {
    let key = Key(id: 1, createdAt: now, state: .signing, secret: SystemRandom.bytes32())
    return KeyRing([key], signing: key)
  }

  /// The ring with a new key that verifies, to be spread over all nodes before it signs.
  ///
  /// Ids are 1 to 255: 0 was given by earlier versions, whose rings are read as they are. Throws
  /// `.full` when all sign or verify; before that, the oldest retired one makes room.
  public func adding(now: Int64) throws(KeyRingFailure) -> (ring: KeyRing, id: UInt8) {
    var kept = keys
    var free = Self.freeID(beside: kept)
    if free == nil {
      let oldest = kept.firstIndex { $0.state == .retired && $0.id != 0 }
      guard let oldest else { throw .full }
      kept.remove(at: oldest)
      free = Self.freeID(beside: kept)
    }
    guard let id = free else { throw .full }
    let key = Key(id: id, createdAt: now, state: .verifying, secret: SystemRandom.bytes32())
    return (KeyRing(kept + [key], signing: signing), id)
  }

  /// The ring in which key `id`, that verifies now, signs, and the one that signed verifies.
  ///
  /// Throws `.unknownKey`, or `.retiredKey` since a retired key never comes back. The signing key
  /// itself changes nothing.
  public func signing(with id: UInt8) throws(KeyRingFailure) -> KeyRing {
    let key = try key(id)
    guard key.state != .retired else { throw .retiredKey(id) }
    let next = key.becoming(.signing)
    let changed = keys.map { old in
      if old.id == id { return next }
      return old.state == .signing ? old.becoming(.verifying) : old
    }
    return KeyRing(changed, signing: next)
  }

  private static func freeID(beside keys: [Key]) -> UInt8? {
    let used = Set(keys.map(\.id))
    return (1...UInt8.max).first { !used.contains($0) }
  }

  /// The ring with a new key that signs; the old one verifies until it is retired.
  public func rotated(now: Int64) throws(KeyRingFailure) -> KeyRing {
    let added = try adding(now: now)
    return try added.ring.signing(with: added.id)
  }

  /// The ring in which key `id` is retired: the links that it signed are dead.
  ///
  /// Throws `.unknownKey`, or `.signingKey`: rotate first. A retired key changes nothing.
  public func retiring(_ id: UInt8) throws(KeyRingFailure) -> KeyRing {
    guard try key(id).state != .signing else { throw .signingKey(id) }
    return KeyRing(keys.map { $0.id == id ? $0.becoming(.retired) : $0 }, signing: signing)
  }

  private func key(_ id: UInt8) throws(KeyRingFailure) -> Key {
    guard let key = keys.first(where: { $0.id == id }) else { throw .unknownKey(id) }
    return key
  }
}

extension KeyRing.Key: CustomStringConvertible, CustomReflectable {
  /// `key 1 (signing)`; never the secret.
  public var description: String { "key \(id) (\(state.rawValue))" }
  /// Shows nothing beside the description, so that a dump of a ring has no secret.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a key ring was refused, or a change to one. Never holds a part of a secret.
public enum KeyRingFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is not JSON; the place and the reason.
  case syntax(String)
  /// A member is missing, unknown or wrong: where (`keys[1].secret`), and what is wrong.
  case malformed(path: String, problem: String)
  /// No such key.
  case unknownKey(UInt8)
  /// The key signs, so it cannot be retired.
  case signingKey(UInt8)
  /// The key is retired, so it cannot sign.
  case retiredKey(UInt8)
  /// All ids from 1 to 255 are in use.
  case full

  /// One sentence for an operator.
  public var description: String {
    switch self {
    case .syntax(let reason): "key ring: not JSON: \(reason)"
    case .malformed(let path, let problem): "key ring: \(path): \(problem)"
    case .unknownKey(let id): "key ring: there is no key \(id)"
    case .signingKey(let id): "key ring: key \(id) signs; rotate before it is retired"
    case .retiredKey(let id): "key ring: key \(id) is retired and cannot sign"
    case .full: "key ring: all 255 ids are in use; retire some"
    }
  }
}
