internal import Crypto
public import Wire

extension Store {
  /// Removes an asset: its rows durably, every cache's knowledge of it, and the file of its blob
  /// when no other asset is left on it. Then returns.
  ///
  /// - Parameter owner: whose it must be; `nil` for anyone's.
  /// - Returns: `false` when there is no such asset.
  public func delete(
    _ id: AssetID, owner: Owner?, reason: RemovalReason = .deleted
  ) async throws(StoreFailure) -> Bool {
    let result: Result<Bool, StoreFailure> = await withCheckedContinuation { continuation in
      let now = self.now
      submitWithBallast { (session) throws(StoreFailure) in
        try session.delete(id, owner: owner, reason, now: now())
      } then: { [self] result in
        switch result {
        case .failure(let failure):
          // The outcome may be that it is gone: caches look again.
          epochs.bump(id)
          continuation.resume(returning: .failure(failure))
        case .success(let (isRemoved, freed)):
          epochs.bump(id)
          guard let freed else { return continuation.resume(returning: .success(isRemoved)) }
          files.ledger.condemn(freed.diskBytes)
          unlinker.submit(
            .init(freed: [freed], then: { continuation.resume(returning: .success(isRemoved)) }))
        }
      }
    }
    return try result.get()
  }

  /// Changes an asset's life or pin; caches hear of it before the caller does.
  ///
  /// - Returns: the asset as it is now; `nil` when there is none, or it is another owner's.
  public func change(
    _ id: AssetID, owner: Owner?, _ change: AssetChange
  ) async throws(StoreFailure) -> Asset? {
    try await write(usesBallast: true, before: { [epochs] _ in epochs.bump(id) }) {
      (session) throws(StoreFailure) in
      try session.change(id, owner: owner, change)
    }
  }

  /// Adds a client's key.
  ///
  /// - Throws: `.taken` when it is another's key already.
  public func insert(_ key: AccessKey) async throws(StoreFailure) -> AccessKey {
    try await write { (session) throws(StoreFailure) in try session.insert(key) }
  }

  /// Ends the keys of this name; only one of them when there is an `id`.
  public func revokeKeys(
    _ name: String, id: Int64? = nil
  ) async throws(StoreFailure) -> KeyRevocation {
    let now = self.now
    return try await write(usesBallast: true) { (session) throws(StoreFailure) in
      try session.revokeKeys(name, id: id, now: now())
    }
  }

  /// Writes the last uses of keys that `keyUses` has collected; the daemon calls it once a minute.
  public func flushKeyUses() async throws(StoreFailure) {
    let uses = keyUses.take()
    guard !uses.isEmpty else { return }
    do throws(StoreFailure) {
      try await write { (session) throws(StoreFailure) in try session.noteUses(uses) }
    } catch {
      for (id, at) in uses { keyUses.note(id, at: at) }
      throw error
    }
  }

  /// Writes the last fetches that `accessLog` has collected; the daemon calls it once a minute. In
  /// short transactions of their own, between which others get their turn; what could not be
  /// written is kept for the next call.
  public func flushAccessLog() async throws(StoreFailure) {
    try await flushAccessLog(perJob: Self.accessesPerJob) { true }
  }

  /// The same at the end of the program, when nobody waits for a turn: in few transactions, each of
  /// which costs an fsync however much it writes.
  ///
  /// - Parameter goesOn: asked before each; when it says no, what is left is not written.
  public func flushLastAccesses(
    while goesOn: @Sendable () -> Bool
  ) async throws(StoreFailure) {
    try await flushAccessLog(perJob: Self.accessesPerLastJob, while: goesOn)
  }

  private func flushAccessLog(
    perJob count: Int, while goesOn: @Sendable () -> Bool
  ) async throws(StoreFailure) {
    var accesses = accessLog.take()[...]
    while !accesses.isEmpty {
      guard goesOn() else { return accessLog.putBack(accesses) }
      let batch = accesses.prefix(count)
      do {
        try await write(isLong: true) { (session) throws(StoreFailure) in
          try session.touch(batch)
        }
      } catch {
        accessLog.putBack(accesses)
        throw error
      }
      accesses = accesses.dropFirst(batch.count)
    }
    try await noteClock()
  }

  /// Each is a page somewhere in the catalogue: some milliseconds in all.
  static let accessesPerJob = 50
  static let accessesPerLastJob = 1000

  /// Keeps the clock's mark young enough that only a jump looks like one, whatever `gc.interval`
  /// is; at most once an hour, so that an idle store is not written for it.
  private func noteClock() async throws(StoreFailure) {
    let now = self.now()
    try await write { (session) throws(StoreFailure) in
      guard let mark = try session.integer(.clockMark) else { return }
      if now - mark > 3600, now - mark <= ClockGuard.maxForward { try session.set(.clockMark, now) }
    }
  }
}
