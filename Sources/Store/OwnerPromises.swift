// A key's quota before money is spent: what its owner has, what the owner's running orders were
// promised, and what is asked must fit (API.md §3, "Money is spent once").
//
//     promise ──► promised ──correct (what arrived)──► promised ──publish──► its rows count it
//                    └──────────── let go of it: no image, or none that is stored ──► free
//
// Promises are made, and rows that use them written, on the writer's thread: nothing comes between
// what is read of the rows and what is promised beside them, so both are exact.
internal import Synchronization
public import Wire

/// What each owner's running orders were promised, in logical bytes.
final class OwnerPromises: Sendable {
  fileprivate struct Promise {
    var bytes: Int64
    /// Its generation's rows count these bytes.
    var hasRows = false
  }
  private let state = Mutex<[Owner: [GenerationID: Promise]]>([:])

  /// What an owner's running orders were promised and have no rows for, one of them left out.
  func promised(to owner: Owner, beside id: GenerationID? = nil) -> Int64 {
    state.withLock { $0.sum(of: owner, beside: id) }
  }

  /// Promises `bytes` to an order, if they fit into `quota` beside what is stored and promised. On
  /// the writer's thread.
  ///
  /// - Throws: `.full(.quota)` with its figures.
  func take(
    _ bytes: Int64, for id: GenerationID, of owner: Owner, quota: Int64, stored: Int64
  ) throws(StoreFailure) {
    let used = state.withLock { state in
      let used = stored + state.sum(of: owner)
      let (sum, overflow) = used.addingReportingOverflow(bytes)
      if !overflow, sum <= quota { state[owner, default: [:]][id] = Promise(bytes: bytes) }
      return used
    }
    guard bytes <= quota - used else {
      throw StoreFailure(
        .reserve, .full(.quota), subject: owner.name,
        figures: SpaceFigures(used: used, limit: quota, asked: bytes))
    }
  }

  /// Changes what an order is promised, whatever the quota says.
  func set(_ bytes: Int64, for id: GenerationID, of owner: Owner) {
    state.withLock { $0[owner, default: [:]][id, default: Promise(bytes: bytes)].bytes = bytes }
  }

  /// Whether the order's rows count its bytes from here on. On the writer's thread, within the
  /// transaction that writes them.
  func note(hasRows: Bool, for id: GenerationID, of owner: Owner) {
    state.withLock { $0[owner]?[id]?.hasRows = hasRows }
  }

  func end(_ id: GenerationID, of owner: Owner) {
    state.withLock { state in
      state[owner]?[id] = nil
      if state[owner]?.isEmpty == true { state[owner] = nil }
    }
  }
}

extension [Owner: [GenerationID: OwnerPromises.Promise]] {
  fileprivate func sum(of owner: Owner, beside id: GenerationID? = nil) -> Int64 {
    (self[owner] ?? [:]).reduce(0) {
      $1.key == id || $1.value.hasRows ? $0 : $0 + $1.value.bytes
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

  func note(hasRows: Bool) { promises.note(hasRows: hasRows, for: id, of: owner) }

  deinit { promises.end(id, of: owner) }
}

extension Store {
  /// Promises an order `bytes` of its owner's quota, exactly, whatever runs beside it; without a
  /// quota the bytes are only counted. With one it takes a turn of the writer.
  ///
  /// - Throws: `.full(.quota)` with its figures, or why the catalogue can not be written.
  public func promise(
    _ bytes: Int64, for id: GenerationID, of owner: Owner, quota: Int64?
  ) async throws(StoreFailure) -> OwnerPromise {
    guard let quota else {
      promises.set(bytes, for: id, of: owner)
      return OwnerPromise(id, of: owner, bytes, in: promises)
    }
    do throws(StoreFailure) {
      try await write { [promises] (session) throws(StoreFailure) in
        let stored = try session.totals(of: owner).bytes
        try promises.take(bytes, for: id, of: owner, quota: quota, stored: stored)
      }
    } catch {
      // It may have been taken, and the transaction have failed later.
      promises.end(id, of: owner)
      throw error
    }
    return OwnerPromise(id, of: owner, bytes, in: promises)
  }
}
