// Signed links that expire: made and checked without state and without I/O.
internal import Crypto
public import Wire

/// What a token says.
public enum LinkVerdict: Hashable, Sendable {
  /// Ours and in time: the asset, and the second at which the link ends (unix).
  case valid(AssetID, expiry: Int64)
  /// Ours, but its time is over.
  case expired(AssetID)
  /// Not ours: malformed, altered, or of an unknown or retired key.
  case invalid
}

/// Makes and checks the tokens of links with the keys of one ring; a new ring is a new verifier.
///
/// A value without locks: every event loop may hold its own.
public struct LinkVerifier: Sendable {
  /// The characters of a token.
  public static let tokenLength = Token.textLength
  /// The greatest expiry of a token, unix seconds; later ones are made this one.
  public static let lastExpiry = Token.lastExpiry

  private struct Entry {
    let id: UInt8
    let key: HMACSHA256Key
  }

  private let signing: Entry
  /// All that verify, the signing one first, since most links are new.
  private let entries: [Entry]

  /// The verifier of a ring's keys, the retired ones left out.
  public init(_ ring: KeyRing) {
    let signing = Entry(id: ring.signing.id, key: ring.signing.macKey)
    let others = ring.keys.filter { $0.state == .verifying }
    self.signing = signing
    entries = [signing] + others.map { Entry(id: $0.id, key: $0.macKey) }
  }

  /// Checks the characters of a token at `now` (unix seconds). Does not allocate.
  ///
  /// In this order: length, alphabet, version, key id, mac, time; so nothing is said about the time
  /// of a token that is not ours.
  public func verify(token text: Span<UInt8>, now: Int64) -> LinkVerdict {
    guard let token = Token(text: text) else { return .invalid }
    for index in entries.indices where entries[index].id == token.keyID {
      guard token.isSigned(by: entries[index].key) else { return .invalid }
      let expiry = token.expiry
      return now < expiry ? .valid(token.asset, expiry: expiry) : .expired(token.asset)
    }
    return .invalid
  }

  /// The 52 characters, as ASCII, of a token for `asset` until `expiry` (unix seconds, brought into
  /// 0...lastExpiry). Does not allocate.
  public func mint(asset: AssetID, expiry: Int64) -> InlineArray<52, UInt8> {
    let expiry = min(max(expiry, 0), Token.lastExpiry)
    return Token(asset: asset, expiry: expiry, keyID: signing.id, key: signing.key).text
  }

  /// The same as text.
  public func mintedText(asset: AssetID, expiry: Int64) -> String {
    let text = mint(asset: asset, expiry: expiry)
    return String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
  }
}
