// Overload of one kind must not starve another: each kind of call has a number that may run at
// once, and who comes beyond it hears so at once instead of taking memory and descriptors.
internal import HTTPServer
internal import Net
internal import Synchronization
internal import Wire

/// How many calls of each kind run, over all loops.
final class CallBudgets: Sendable {
  /// What a call costs while it runs.
  enum Kind {
    case generation, ingest, query
  }
  private let limits: ServiceLimits
  private let generations = Atomic<Int>(0)
  private let ingests = Atomic<Int>(0)
  private let queries = Atomic<Int>(0)

  init(_ limits: ServiceLimits) { self.limits = limits }

  /// Counts a call until the pass goes.
  ///
  /// - Throws: 503 with `Retry-After` when as many run as may.
  func enter(_ kind: Kind) throws(Failure) -> CallPass {
    guard change(kind, by: 1) <= limit(of: kind) else {
      _ = change(kind, by: -1)
      throw .busy
    }
    return CallPass(kind, self)
  }

  /// Calls of a kind that run now.
  func running(_ kind: Kind) -> Int { change(kind, by: 0) }

  fileprivate func leave(_ kind: Kind) { _ = change(kind, by: -1) }

  private func change(_ kind: Kind, by amount: Int) -> Int {
    switch kind {
    case .generation: generations.wrappingAdd(amount, ordering: .relaxed).newValue
    case .ingest: ingests.wrappingAdd(amount, ordering: .relaxed).newValue
    case .query: queries.wrappingAdd(amount, ordering: .relaxed).newValue
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
  private let budgets: CallBudgets

  init(_ kind: CallBudgets.Kind, _ budgets: CallBudgets) {
    self.kind = kind
    self.budgets = budgets
  }

  deinit { budgets.leave(kind) }

  /// The same answer; while a body that takes memory leaves, the call counts.
  func covering(_ response: Response) -> Response {
    let length: Int64
    let produce: BodyProducer
    switch response.body {
    case .stream(let bytes, let producer): (length, produce) = (bytes, producer)
    case .bytes(let bytes) where bytes.count > Self.smallBytes:
      length = Int64(bytes.count)
      produce = { try await $0.write(bytes.span) }
    case .bytes, .file, .none: return response
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
