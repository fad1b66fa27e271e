internal import Kernel
internal import SQLite
internal import Synchronization

extension Store {
  /// Removes what the policies name, in short batches between the writer's other work: transactions
  /// of at most 500 assets, then those of their blobs, the files of each before the next. Blocks
  /// until it is done: for a worker thread or a thread of its own.
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
      // Also when the first commit fails: its work may have been done before.
      defer { _ = try? commit { (session) throws(StoreFailure) in try session.giveUpRoom() } }
      try commit { (session) throws(StoreFailure) in
        try session.set(.clockMark, now)
        try session.makeRoomForCollection()
      }
      if options.sweepsNextFolder { options.folders = try nextFolder() }
      var run = CollectionRun(
        store: self, reader: reader, options: options, now: now,
        notesBefore: try reader.session.lastPerhapsUnused(), assetsLeft: options.limit)
      try run.finishTheLastOne()
      for policy in policies { report.results.append(try run.collect(policy, each)) }
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
      guard error.kind == .full(.disk) else { throw error }
      // The writer has brought the log home, so that its file takes more without growing.
      _ = ballast.release()
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
  func unlink(_ freed: [FreedBlob]) {
    if !freed.isEmpty { unlinker.submit(batch: .init(freed: freed)) }
  }

  /// Removes an orphan; `false` when it was none any more, `nil` when its file can not be removed:
  /// the others do not wait for it.
  func remove(_ orphan: OrphanSweep.Orphan) throws(StoreFailure) -> Bool? {
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
