internal import Crypto
internal import Kernel
internal import SQLite
internal import Synchronization

extension Store {
  /// Removes what the policies name, in short batches between the writer's other work: one
  /// transaction of at most 500 assets, then their files, then the next. Blocks until it is done:
  /// for a worker thread or a thread of its own.
  ///
  /// - Parameter each: hears of every asset and orphan that is gone, after its commit.
  /// - Throws: `.busy` when a collection is running, `.readOnly`, `.full(.disk)`, `.io`, `.sqlite`;
  ///   what was removed until then stays removed.
  public func collect(
    _ policies: [Policy], _ options: CollectionOptions = CollectionOptions(),
    each: (CollectionItem) -> Void = { _ in }
  ) throws(StoreFailure) -> CollectionReport {
    let isFirst = isCollecting.withLock { isCollecting in
      defer { isCollecting = true }
      return !isCollecting
    }
    guard isFirst else { throw StoreFailure.collectionRuns }
    defer { isCollecting.withLock { $0 = false } }
    defer { ballast.make() }

    try requireSoundCatalogue()
    let start = SystemClock.monotonicNanoseconds
    var report = CollectionReport()
    let reader = try reader()
    let now = self.now()
    var options = options
    report.clockJump = try clockJump(reader, now, options)
    if report.clockJump == nil {
      try commit { (session) throws(StoreFailure) in
        try session.set(.clockMark, now)
        try session.makeRoomForCollection()
      }
      defer { _ = try? commit { (session) throws(StoreFailure) in try session.giveUpRoom() } }
      if options.sweepsNextFolder { options.folders = try nextFolder() }
      var run = CollectionRun(
        store: self, reader: reader, options: options, now: now,
        notesBefore: try reader.session.lastPerhapsUnused(), assetsLeft: options.limit)
      for policy in policies { report.results.append(try run.collect(policy, each)) }
      try run.finishTheLastOne()
      report.sweepStop = run.sweepStop
      report.stuck = run.stuck
      unlinker.drain()
    }
    report.nanoseconds = SystemClock.monotonicNanoseconds - start
    return report
  }

  /// Runs a piece of a collection in the writer's next transaction. On a full disk the ballast is
  /// given up, once, so that there is room for the log.
  func commit<Value: Sendable>(
    _ body: @escaping @Sendable (CatalogSession) throws(StoreFailure) -> Value
  ) throws(StoreFailure) -> Value {
    try committed(body).value
  }

  /// The same, and how many nanoseconds the writer was busy with it.
  ///
  /// - Parameter then: runs right after the commit, on the writer's thread: what must be known
  ///   before its next work, such as the sums after a failed commit.
  func committed<Value: Sendable>(
    _ body: @escaping @Sendable (CatalogSession) throws(StoreFailure) -> Value,
    then: @escaping @Sendable (Value) -> Void = { _ in }
  ) throws(StoreFailure) -> (value: Value, nanoseconds: Int64) {
    do {
      return try writer.wait(body, then: then)
    } catch {
      guard error.kind == .full(.disk), ballast.release() else { throw error }
      return try writer.wait(body, then: then)
    }
  }

  /// Ends a collection that is running, and those that are asked for later, after the batch that is
  /// under way: a drain does not wait for them. What was removed until then stays removed.
  /// One that waits for the look through the catalogue waits no longer.
  public func stopCollecting() {
    files.endsCollections.store(true, ordering: .relaxed)
    check.giveUp()
  }
}

extension StoreFailure {
  /// A second collection is refused: the one that runs takes what it would have taken.
  public static let collectionRuns = StoreFailure(.collect, .busy, hint: "a collection is running")
}

extension Store {
  /// The folder whose turn it is in the sweep; the one after it is next.
  private func nextFolder() throws(StoreFailure) -> Range<Int> {
    try commit { (session) throws(StoreFailure) in
      let folder = Int(try session.integer(.nextFolder) ?? 0) & 255
      try session.set(.nextFolder, Int64(folder + 1) & 255)
      return folder..<folder + 1
    }
  }
}

extension CatalogSession {
  /// Pages that hold what is collected lie anywhere: they are read once, not once a batch, and the
  /// log takes several batches before it is brought home.
  fileprivate func makeRoomForCollection() throws(StoreFailure) {
    isCollecting = true
    try catalog(.collect) { () throws(SQLiteFailure) in
      try connection.setCache(bytes: 4 * Writer.cacheBytes)
    }
  }

  fileprivate func giveUpRoom() throws(StoreFailure) {
    isCollecting = false
    try catalog(.collect) { () throws(SQLiteFailure) in
      try connection.setCache(bytes: Writer.cacheBytes)
    }
  }
}

/// One run over the policies.
private struct CollectionRun {
  let store: Store
  let reader: CatalogReader
  let options: CollectionOptions
  let now: Int64
  /// The last note of bytes that are perhaps unused from a run that was ended before it looked.
  let notesBefore: Int64
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

  /// Assets that are chosen at a time, in the policy's order; 40 bytes of memory each. Their rows
  /// are removed in the order of their table, and then those of their blobs in the order of theirs:
  /// neighbours leave in one transaction, and their pages are written once for all of them.
  private static let mostChosen = 100_000

  private mutating func collect(
    _ policy: some AssetPolicy, _ name: String, _ each: (CollectionItem) -> Void
  ) throws(StoreFailure) -> PolicyResult {
    var result = PolicyResult(policy: name)
    while true {
      let limit = min(Self.mostChosen, assetsLeft ?? Self.mostChosen)
      var chosen = try reader.session.serials(policy, limit: limit, now: now)[...]
      let isLast = chosen.count < limit
      let before = result.assets
      var digests: [Digest] = []
      chosen.sort()
      while !chosen.isEmpty {
        if store.files.hasToEndCollections { return result }
        let serials = chosen.prefix(pace.rows)
        chosen = chosen[serials.endIndex...]
        let assets = try removeAssets(policy, serials)
        digests += assets.lazy.map(\.digest)
        note(assets, of: policy, in: &result, each)
      }
      result.blobs += try dropUnused(digests, (notesBefore + 1)...Int64.max)
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

  /// Removes those blobs of these that no asset is on any more, and then these notes of them. The
  /// files of a transaction are on their way out when it has ended, and gone before the next one
  /// begins: on a slow disk the files of a whole collection would wait before a stop.
  ///
  /// - Returns: how many they were.
  private mutating func dropUnused(
    _ digests: [Digest], _ notes: ClosedRange<Int64>
  ) throws(StoreFailure) -> Int {
    var rest = digests.sorted()[...]
    var count = 0
    while !rest.isEmpty {
      if store.files.hasToEndCollections { return count }
      let some = rest.prefix(pace.rows)
      rest = rest[some.endIndex...]
      let areLast = rest.isEmpty
      letOthersPass()
      let (freed, nanoseconds) = try store.committed { (session) throws(StoreFailure) in
        if areLast { try session.forgetPerhapsUnused(notes) }
        return try session.dropUnused(some)
      } then: { [store] in
        store.condemn($0)
      }
      pace.note(nanoseconds: nanoseconds)
      store.unlink(freed)
      hasFilesLeaving = !freed.isEmpty
      count += freed.count
    }
    return count
  }

  /// Looks at what a run before this one left when it was ended: after the orphans, which a dry run
  /// counts these blobs among.
  mutating func finishTheLastOne() throws(StoreFailure) {
    for first in stride(from: 1, through: notesBefore, by: Self.mostChosen) {
      let notes = first...min(notesBefore, first + Int64(Self.mostChosen) - 1)
      _ = try dropUnused(try reader.session.perhapsUnused(notes), notes)
    }
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

extension Store {
  /// Hands files whose rows are durably gone to the unlinker; on the writer's thread.
  func release(_ freed: [FreedBlob]) {
    condemn(freed)
    if !freed.isEmpty { unlinker.submit(.init(freed: freed)) }
  }

  /// Counts files whose rows are durably gone. On the writer's thread: after a failed commit that
  /// thread reads the sums anew, and what is subtracted later than that would be subtracted twice.
  func condemn(_ freed: [FreedBlob]) {
    if !freed.isEmpty { files.ledger.condemn(freed.reduce(0) { $0 + $1.diskBytes }) }
  }

  /// Removes files that were condemned.
  fileprivate func unlink(_ freed: [FreedBlob]) {
    if !freed.isEmpty { unlinker.submit(batch: .init(freed: freed)) }
  }

  /// Removes an orphan; `false` when it was none any more, `nil` when its file can not be removed:
  /// the others do not wait for it.
  fileprivate func remove(_ orphan: OrphanSweep.Orphan) throws(StoreFailure) -> Bool? {
    switch orphan {
    case .file(let name, let bytes, _):
      let isRemoved = remove(.blobs(name), bytes) { () throws(Errno) in
        try files.remove(name)
      }
      if isRemoved != nil { files.damaged.forget(name, isRepaired: false) }
      return isRemoved
    case .incoming(let name, let bytes):
      return remove(.incoming(name), bytes) { () throws(Errno) in
        try files.folders.incoming.remove(name)
      }
    case .row(let blob):
      let freed = try committed { (session) throws(StoreFailure) in
        try session.dropIfUnused(blob.name.digest)
      } then: { [self] freed in
        if let freed { condemn([freed]) }
      }.value
      guard let freed else { return false }
      unlink([freed])
      unlinker.drain()
      return true
    }
  }

  private func remove(
    _ place: StuckFiles.Place, _ bytes: Int64, _ unlink: () throws(Errno) -> Bool
  ) -> Bool? {
    do throws(Errno) {
      let isRemoved = try unlink()
      files.stuck.forget(place)
      return isRemoved
    } catch {
      files.health.noteFailedRemoval(error)
      files.stuck.keep(place, Disk.blocks(bytes))
      return nil
    }
  }
}
