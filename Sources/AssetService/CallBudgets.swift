// Overload of one kind must not starve another: each kind of call has a number that may run at
// once, and who comes beyond it hears so at once instead of taking memory and descriptors. Nor does
// one key take all places: slow uploads hold theirs for as long as they dribble.
internal import HTTPServer
internal import Net
internal import Store
internal import Synchronization
internal import Wire

/// How many calls of each kind run, over all loops.
final class CallBudgets: Sendable {
  /// What a call costs while it runs.
  enum Kind: CaseIterable {
    case generation, ingest, query
  }
  private struct Running {
    var total = 0
    var byOwner: [Owner: Int] = [:]
  }
  private let limits: ServiceLimits
  private let running = Mutex<[Kind: Running]>([:])

  init(_ limits: ServiceLimits) { self.limits = limits }

  /// Counts a call until the pass goes. `owner` is whose key makes it; `nil` when all callers are
  /// one, or it is an operator's.
  ///
  /// - Throws: 503 with `Retry-After` when as many run as may, in all or of this owner.
  func enter(_ kind: Kind, of owner: Owner?) throws(Failure) -> CallPass {
    let limit = limit(of: kind)
    let fits = running.withLock { all in
      var now = all[kind, default: Running()]
      guard now.total < limit else { return false }
      if let owner {
        let own = now.byOwner[owner, default: 0]
        guard own < Self.share(of: limit) else { return false }
        now.byOwner[owner] = own + 1
      }
      now.total += 1
      all[kind] = now
      return true
    }
    guard fits else { throw .busy }
    return CallPass(kind, owner, self)
  }

  /// What one owner may have of a limit: a quarter is left to others.
  static func share(of limit: Int) -> Int { max(1, limit - limit / 4) }

  /// Calls of a kind that run now.
  func running(_ kind: Kind) -> Int { running.withLock { $0[kind]?.total ?? 0 } }

  fileprivate func leave(_ kind: Kind, of owner: Owner?) {
    running.withLock { all in
      all[kind]?.total -= 1
      guard let owner, let own = all[kind]?.byOwner[owner] else { return }
      all[kind]?.byOwner[owner] = own > 1 ? own - 1 : nil
    }
  }

  private func limit(of kind: Kind) -> Int {
    switch kind {
    case .generation: limits.generations
    case .ingest: limits.ingests
    case .query: limits.queries
    }
  }
}

/// One running call; it counts until the last reference to this goes.
final class CallPass: Sendable {
  private let kind: CallBudgets.Kind
  private let owner: Owner?
  private let budgets: CallBudgets

  fileprivate init(_ kind: CallBudgets.Kind, _ owner: Owner?, _ budgets: CallBudgets) {
    self.kind = kind
    self.owner = owner
    self.budgets = budgets
  }

  deinit { budgets.leave(kind, of: owner) }

  /// The same answer; while a body that takes memory leaves, the call counts.
  func covering(_ response: Response) -> Response {
    let length: Int64
    let produce: BodyProducer
    switch response.body {
    case .stream(let bytes, let producer): (length, produce) = (bytes, producer)
    case .bytes(let bytes) where bytes.count > Self.smallBytes:
      length = Int64(bytes.count)
      produce = { try await $0.write(bytes.span) }
    case .bytes, .file, .none, .written: return response
    }
    var covered = response
    covered.body = .stream(length: length) { writer in
      defer { withExtendedLifetime(self) {} }
      try await produce(writer)
    }
    return covered
  }

  /// A connection's own buffer has room for so much.
  private static let smallBytes = 64 << 10
}

extension Route {
  /// What a call of this costs; `nil` for what must be answered under any load.
  func budget(of method: Method) -> CallBudgets.Kind? {
    switch self {
    case .generations: .generation
    case .convert: .ingest
    case .assets: method == .post ? .ingest : .query
    case .asset, .links, .models, .model: .query
    case .health, .readiness, .metrics, .openAPI, .admin: nil
    }
  }
}
