// A key's quota before money is spent: what its owner has, what the owner's running orders were
// promised, and what is asked must fit (API.md §3, "Money is spent once").
//
//     promise ──► promised ──correct (what arrived)──► promised ──publish──► a row counts it
//                    └──────────── let go of it: no image, or none that is stored ──► free
internal import Synchronization
public import Wire

/// What each owner's running orders were promised, in logical bytes.
///
/// A promise ends after its rows are durable, so for a moment both count: rows that are read while
/// no promise ends leave nothing out, and a promise whose generation has its row already is left
/// out of the sum where it matters.
final class OwnerPromises: Sendable {
  /// A piece of work that bytes are kept for: it may have its row already.
  enum Work: Hashable {
    case order(GenerationID)
    /// An upload, from the moment at which its quota is looked at to the end of its transaction.
    case upload(AssetID)
  }
  private struct State {
    var promised: [Owner: [Work: Int64]] = [:]
    /// How many promises ended: what was read of the rows before is too old then.
    var ended = 0

    func sum(of owner: Owner, without published: Set<Work> = []) -> Int64 {
      (promised[owner] ?? [:]).reduce(0) { published.contains($1.key) ? $0 : $0 + $1.value }
    }

    func orders(of owner: Owner) -> Int64 {
      (promised[owner] ?? [:]).reduce(0) {
        if case .order = $1.key { $0 + $1.value } else { $0 }
      }
    }
  }
  /// What the rows say.
  struct Rows {
    /// The owner's bytes.
    let stored: () throws(StoreFailure) -> Int64
    /// Whether a piece of work has its row.
    let hasRow: (Work) throws(StoreFailure) -> Bool
  }
  private let state = Mutex(State())

  /// What an owner's running orders were promised.
  func promised(to owner: Owner) -> Int64 { state.withLock { $0.sum(of: owner) } }

  /// The same beside one order, without what `hasRow` counts already.
  func promised(
    to owner: Owner, beside id: GenerationID,
    hasRow: (GenerationID) throws(StoreFailure) -> Bool
  ) throws(StoreFailure) -> Int64 {
    let open = state.withLock { $0.promised[owner] ?? [:] }
    var sum: Int64 = 0
    for case (.order(let other), let bytes) in open where other != id {
      if try !hasRow(other) { sum += bytes }
    }
    return sum
  }

  /// Promises `bytes` to an order, if they fit into `quota` beside what is stored and promised.
  func take(
    _ bytes: Int64, for work: Work, of owner: Owner, quota: Int64, _ rows: Rows
  ) throws(StoreFailure) {
    while true {
      let (before, open) = state.withLock {
        ($0.ended, Array(($0.promised[owner] ?? [:]).keys))
      }
      // Before and after: a row that came in between may be in the sum or not.
      let published = try Self.published(open, rows)
      let stored = try rows.stored()
      guard try published == Self.published(open, rows) else { continue }
      let used = state.withLock { state -> Int64? in
        guard state.ended == before else { return nil }
        let used = stored + state.sum(of: owner, without: published)
        let (sum, overflow) = used.addingReportingOverflow(bytes)
        if !overflow, sum <= quota { state.promised[owner, default: [:]][work] = bytes }
        return used
      }
      guard let used else { continue }
      guard bytes <= quota - used else {
        throw StoreFailure(
          .reserve, .full(.quota), subject: owner.name,
          figures: SpaceFigures(used: used, limit: quota, asked: bytes))
      }
      return
    }
  }

  private static func published(
    _ open: [Work], _ rows: Rows
  ) throws(StoreFailure) -> Set<Work> {
    var published: Set<Work> = []
    for work in open where try rows.hasRow(work) { published.insert(work) }
    return published
  }

  /// Keeps `bytes` for an upload whose quota is looked at now, within its transaction: an order
  /// that asks from here on counts them, before it can see the row.
  ///
  /// - Returns: what the owner's running orders were promised.
  func enter(_ bytes: Int64, for upload: AssetID, of owner: Owner) -> Int64 {
    state.withLock { state in
      state.promised[owner, default: [:]][.upload(upload)] = bytes
      return state.orders(of: owner)
    }
  }

  /// Changes what an order is promised, whatever the quota says.
  func set(_ bytes: Int64, for id: GenerationID, of owner: Owner) {
    state.withLock { $0.promised[owner, default: [:]][.order(id)] = bytes }
  }

  func end(_ work: Work, of owner: Owner) {
    state.withLock { state in
      state.promised[owner]?[work] = nil
      if state.promised[owner]?.isEmpty == true { state.promised[owner] = nil }
      state.ended += 1
    }
  }
}

/// Bytes of an owner's quota that one order was promised; they are free when this goes.
public final class OwnerPromise: Sendable {
  private let promises: OwnerPromises
  private let owner: Owner
  let id: GenerationID
  /// What it was promised before it was bought, whatever arrived.
  let bytes: Int64

  init(_ id: GenerationID, of owner: Owner, _ bytes: Int64, in promises: OwnerPromises) {
    self.bytes = bytes
    self.promises = promises
    self.owner = owner
    self.id = id
  }

  /// The order has brought so many bytes: they are what it needs, more or less than was thought.
  public func correct(to arrived: Int64) { promises.set(arrived, for: id, of: owner) }

  deinit { promises.end(.order(id), of: owner) }
}

extension Store {
  /// Promises an order `bytes` of its owner's quota, exactly, whatever runs beside it; without a
  /// quota the bytes are only counted.
  ///
  /// - Throws: `.full(.quota)` with its figures.
  public func promise(
    _ bytes: Int64, for id: GenerationID, of owner: Owner, quota: Int64?, reader: CatalogReader
  ) throws(StoreFailure) -> OwnerPromise {
    if let quota {
      let rows = OwnerPromises.Rows(
        stored: { () throws(StoreFailure) in try reader.totals(of: owner).bytes },
        hasRow: { (work) throws(StoreFailure) in
          switch work {
          case .order(let id): try reader.generation(id) != nil
          case .upload(let id): try reader.asset(id) != nil
          }
        })
      try promises.take(bytes, for: .order(id), of: owner, quota: quota, rows)
    } else {
      promises.set(bytes, for: id, of: owner)
    }
    return OwnerPromise(id, of: owner, bytes, in: promises)
  }
}
