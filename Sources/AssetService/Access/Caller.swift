internal import Store

/// Who makes a call of the API, and what it may do.
struct Caller: Sendable {
  /// Whose assets it makes, and sees.
  let owner: Owner
  let scopes: Set<AccessKey.Scope>
  /// The key's own defaults and quota; `nil` without a key.
  let key: AccessKey?

  /// Everyone on this machine, when no key is asked for.
  static let open = Caller(owner: .local, scopes: [.generate, .host, .read], key: nil)
  /// Who may open the admin socket.
  static let operatorOnSocket = Caller(
    owner: .local, scopes: Set(AccessKey.Scope.allCases), key: nil)

  var isAdmin: Bool { scopes.contains(.admin) }

  /// Whose assets it may see and change: its own, or everyone's.
  var visibleOwner: Owner? { isAdmin ? nil : owner }

  /// - Throws: 403 when the key has not this scope. An admin may do everything.
  func require(_ scope: AccessKey.Scope) throws(Failure) {
    guard scopes.contains(scope) || isAdmin else {
      throw Failure(
        403, .permission, "insufficient_scope", "This key has no \"\(scope.rawValue)\" scope.")
    }
  }
}
