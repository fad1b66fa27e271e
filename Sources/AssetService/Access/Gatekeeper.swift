// Who is calling (API.md §2): the admin socket's owner, a key, or in open mode anyone on this
// machine who is no web page.
internal import Configuration
internal import Crypto
internal import Foundation
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Wire

/// Authenticates the calls of the API; one per loop.
final class Gatekeeper {
  private let mode: Settings.Auth.Mode
  private let bootstrapKey: Digest?
  private let openMode: OpenMode
  private let store: Store
  private let reader: CatalogReader
  private let wrongKeys: WrongKeys
  private let bases: BaseSettings

  init(_ context: ServiceContext, reader: CatalogReader) {
    let settings = context.settings
    mode = settings.auth.mode
    bootstrapKey = settings.auth.bootstrapKey.secret.map { Self.digest(of: $0.value) }
    openMode = OpenMode(
      publicHost: settings.publicURL?.host, corsOrigins: settings.corsOrigins)
    store = context.store
    self.reader = reader
    wrongKeys = context.wrongKeys
    bases = context.bases
  }

  /// The caller of a request to `route`.
  ///
  /// - Throws: 401 without a good key, 429 after many wrong ones, 403 for a web page in open mode,
  ///   415 for a body that is labelled as what the route does not take.
  func caller(of request: Request, to route: Route) async throws -> Caller {
    if request.peer.isLocalSocket { return .operatorOnSocket }
    let caller: Caller
    switch mode {
    case .open:
      try openMode.check(request)
      caller = .open
    case .keys: caller = try await callerWithKey(request)
    }
    try route.checkBody(of: request, mustFit: mode == .open)
    return caller
  }

  private func callerWithKey(_ request: Request) async throws -> Caller {
    guard let text = request.value(of: .authorization), let key = Self.bearer(text) else {
      throw Failure(
        401, .authentication, "missing_api_key",
        "A key is needed: send \"Authorization: Bearer <key>\".")
    }
    let digest = Self.digest(of: key)
    if let bootstrapKey, bootstrapKey == digest {
      return Caller(owner: .bootstrap, scopes: Set(AccessKey.Scope.allCases), key: nil)
    }
    let known = try await store.read(atOnce: reader) { reader in try reader.key(digest) }
    guard let found = known else { throw refusal(of: request) }
    store.keyUses.note(found.id, at: store.now())
    return Caller(owner: found.owner, scopes: found.scopes, key: found)
  }

  private func refusal(of request: Request) -> Failure {
    let now = SystemClock.monotonicNanoseconds
    if let address = bases.client(of: request),
      let seconds = wrongKeys.count(from: address, now: now)
    {
      return .tooManyWrongKeys(retryAfter: seconds)
    }
    return Failure(401, .authentication, "invalid_api_key", "This key is not known, or revoked.")
  }

  private static func bearer(_ value: String) -> String? {
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    let key = parts[1].trimmingCharacters(in: .whitespaces)
    return key.isEmpty ? nil : key
  }

  /// Keys are random and long: a plain digest hides them, and comparing digests tells nothing.
  static func digest(of key: String) -> Digest {
    var hash = SHA256()
    hash.update(key.utf8.span)
    return hash.finalize()
  }
}

extension Owner {
  /// The holder of the key that `auth.bootstrap_key_env` names.
  static let bootstrap = Owner("bootstrap") ?? .local
}
