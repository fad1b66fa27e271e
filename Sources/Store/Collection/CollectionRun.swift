// One run over the policies, on the thread of whoever asked for it.
internal import Crypto
internal import Kernel
internal import SQLite
internal import Synchronization

/// One run over the policies.
struct CollectionRun {
  let store: Store
  let reader: CatalogReader
  let options: CollectionOptions
  let now: Int64
  /// The last note of bytes that are perhaps unused from a run that was ended before it looked.
  var notesBefore: Int64
  var assetsLeft: Int?
  /// Why the orphan sweep stopped.
  var sweepStop: String?
  /// Orphans that could not be removed.
  var stuck = 0
  var pace = CollectionPace()
  /// Whether files of the last batch may be there still.
  var hasFilesLeaving = false

  mutating func collect(
    _ policy: Policy, _ each: (CollectionItem) -> Void
  ) throws(StoreFailure) -> PolicyResult {
    let start = SystemClock.monotonicNanoseconds
    let result =
      switch policy.kind {
      case .expired(let grace):
        try collect(ExpiredPolicy(grace: grace), policy.name, each)
      case .orphans(let grace):
        try collectOrphans(
          OrphanSweep(
            policy: policy.name, grace: grace, now: now, files: store.files,
            session: reader.session, doubt: store.doubt.withLock { $0 }),
          each)
      case .records(let after):
        try collectRecords(after, policy.name)
      }
    let milliseconds = (SystemClock.monotonicNanoseconds - start) / 1_000_000
    let now = self.now
    try store.commit { (session) throws(StoreFailure) in
      try session.note(result, startedAt: now, milliseconds: milliseconds)
    }
    return result
  }

  // MARK: - Assets

  /// Assets that are chosen at a time, in the policy's order; some 70 bytes of memory each. Their
  /// rows are removed in the order of their table, and then those of their blobs in the order of
  /// theirs: neighbours leave in one transaction, and their pages are written once for all of them.
  private static let mostChosen = 100_000
  /// The same while somebody waits for space: it comes with the files.
  private static let mostChosenWhenFull = 1000

  private mutating func collect(
    _ policy: some AssetPolicy, _ name: String, _ each: (CollectionItem) -> Void
  ) throws(StoreFailure) -> PolicyResult {
    var result = PolicyResult(policy: name)
    while true {
      let most = store.files.ledger.isFull ? Self.mostChosenWhenFull : Self.mostChosen
      let limit = min(most, assetsLeft ?? most)
      var chosen = try reader.session.serials(policy, limit: limit, now: now)[...]
      let isLast = chosen.count < limit
      let before = result.assets
      var digests: [Digest] = []
      chosen.sort()
      while !chosen.isEmpty {
        if store.files.hasToEndCollections { return result }
        let serials = chosen.prefix(pace.rows)
        chosen = chosen[serials.endIndex...]
        let assets: [CollectedAsset]
        do { assets = try removeAssets(policy, serials) } catch {
          // What can go goes: it may be room that was missing.
          _ = try? dropUnused(digests, notes(digests.count))
          throw error
        }
        digests += assets.lazy.map(\.digest)
        note(assets, of: policy, in: &result, each)
      }
      result.blobs += try dropUnused(digests, notes(digests.count))
      assetsLeft = assetsLeft.map { $0 - (result.assets - before) }
      if isLast || assetsLeft == 0 || result.assets == before { return result }
    }
  }

  private func note(
    _ assets: [CollectedAsset], of policy: some AssetPolicy, in result: inout PolicyResult,
    _ each: (CollectionItem) -> Void
  ) {
    for asset in assets {
      let item = CollectionItem(
        policy: result.policy, id: asset.id, digest: asset.digest, bytes: asset.bytes,
        reason: policy.reason(expiresAt: asset.expiresAt, now: now))
      result.count(item)
      each(item)
    }
  }

  /// One transaction.
  private mutating func removeAssets(
    _ policy: some AssetPolicy, _ serials: ArraySlice<Int64>
  ) throws(StoreFailure) -> [CollectedAsset] {
    let now = self.now
    letOthersPass()
    let (assets, nanoseconds) = try store.committed { (session) throws(StoreFailure) in
      try session.collect(policy, serials, now: now)
    }
    pace.note(nanoseconds: nanoseconds)
    // The commit is durable: every cache must know (invariant 9) before the files go.
    for asset in assets { store.epochs.bump(asset.id) }
    return assets
  }

  /// The notes that were made of the last so many assets.
  private func notes(_ count: Int) -> Range<Int64> {
    notesBefore + 1..<notesBefore + 1 + Int64(count)
  }

  /// Removes those blobs of these that no asset is on any more, and then the notes of them. The
  /// files of a transaction are on their way out when it has ended, and gone before the next one
  /// begins: on a slow disk the files of a whole collection would wait before a stop.
  ///
  /// - Returns: how many they were.
  private mutating func dropUnused(
    _ digests: [Digest], _ notes: Range<Int64>
  ) throws(StoreFailure) -> Int {
    var rest = digests.sorted()[...]
    var count = 0
    while !rest.isEmpty {
      if store.files.hasToEndCollections { return count }
      let some = rest.prefix(pace.rows)
      rest = rest[some.endIndex...]
      letOthersPass()
      let (freed, nanoseconds) = try store.committed { (session) throws(StoreFailure) in
        try session.dropUnused(some)
      } then: { [store] in
        store.condemn($0)
      }
      pace.note(nanoseconds: nanoseconds)
      store.unlink(freed)
      hasFilesLeaving = !freed.isEmpty
      count += freed.count
    }
    for first in stride(from: notes.lowerBound, to: notes.upperBound, by: Self.notesAtOnce) {
      let some = first...min(notes.upperBound, first + Int64(Self.notesAtOnce)) - 1
      letOthersPass()
      _ = try store.committed { (session) throws(StoreFailure) in
        try session.forgetPerhapsUnused(some)
      }
    }
    return count
  }

  /// Notes that lie together, on some 50 pages.
  private static let notesAtOnce = 5000

  /// Looks at what a run before this one has left, before the sweep takes that for something else.
  mutating func finishTheLastOne() throws(StoreFailure) {
    let last = try reader.session.lastNoteToFinish(store.doubt.withLock { $0 })
    for first in stride(from: 1, through: last, by: Self.mostChosen) {
      let end = min(last, first + Int64(Self.mostChosen) - 1)
      let digests = try reader.session.perhapsUnused(first...end)
      _ = try dropUnused(digests, first..<end + 1)
      if store.files.hasToEndCollections { return }
    }
    if last > 0 { notesBefore = 0 }
  }

  /// Leaves the writer to whoever came while it was busy with the last batch, and lets that batch's
  /// files go.
  private mutating func letOthersPass() {
    let start = SystemClock.monotonicNanoseconds
    if hasFilesLeaving { store.unlinker.drain() }
    hasFilesLeaving = false
    let pause = pace.pause(jobsDone: store.writer.statistics.jobs)
    let rest = pause - (SystemClock.monotonicNanoseconds - start)
    if rest > 0 { KernelThread.sleep(nanoseconds: rest) }
  }

  // MARK: - Orphans and records

  private mutating func collectOrphans(
    _ sweep: OrphanSweep, _ each: (CollectionItem) -> Void
  ) throws(StoreFailure) -> PolicyResult {
    var result = PolicyResult(policy: sweep.policy)
    func remove(_ orphans: [OrphanSweep.Orphan]) throws(StoreFailure) {
      for orphan in orphans {
        if store.files.hasToEndCollections { return }
        guard let isRemoved = try store.remove(orphan) else {
          stuck += 1
          continue
        }
        guard isRemoved else { continue }
        let item = sweep.item(orphan)
        result.count(item)
        each(item)
      }
    }
    try remove(sweep.leftovers())
    var round = store.sweepRound.withLock { $0 }
    sweepStop = try sweep.run(options, &round) { (orphans) throws(StoreFailure) in
      try remove(orphans)
    }
    store.sweepRound.withLock { $0 = round }
    if let sweepStop {
      try store.keep(sweepStop: sweepStop)
    } else if !store.files.hasToEndCollections, !options.allowsLarge {
      try store.endDoubt()
    } else if !store.files.hasToEndCollections, options.folders.count == 256 {
      try store.endDoubt()
      try store.endSweepStop()
    }
    return result
  }

  private mutating func collectRecords(
    _ after: Int64, _ name: String
  ) throws(StoreFailure) -> PolicyResult {
    var result = PolicyResult(policy: name)
    let time = now - after
    for table in RecordsPolicy.tables {
      while !store.files.hasToEndCollections {
        let limit = pace.rows
        letOthersPass()
        let (removed, nanoseconds) = try store.committed { (session) throws(StoreFailure) in
          try session.remove(table, before: time, limit: limit)
        }
        pace.note(nanoseconds: nanoseconds)
        result.records += removed
        if removed < limit { break }
      }
    }
    return result
  }
}
