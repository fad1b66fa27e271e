internal import Crypto
internal import Kernel
internal import Synchronization
internal import Wire

extension Store {
  /// What `collect` would remove now: exactly that, on a store that nothing else changes (G2).
  /// Changes nothing. Blocks on the disk.
  ///
  /// - Parameter each: hears of every asset and orphan, in the order of the policies.
  public func plan(
    _ policies: [Policy], _ options: CollectionOptions = CollectionOptions(),
    each: (CollectionItem) -> Void = { _ in }
  ) throws(StoreFailure) -> CollectionReport {
    try requireSoundCatalogue()
    let start = SystemClock.monotonicNanoseconds
    var report = CollectionReport()
    let reader = try reader()
    let now = self.now()
    report.clockJump = try clockJump(reader, now, options)
    if report.clockJump == nil {
      var planner = Planner(
        reader: reader, files: files, options: options, now: now,
        round: sweepRound.withLock { $0 }, doubt: doubt.withLock { $0 }, assetsLeft: options.limit,
        hasOverlap: policies.count { $0.ofAssets != nil } > 1)
      for policy in policies { report.results.append(try planner.plan(policy, each)) }
      report.sweepStop = planner.sweepStop
    }
    report.nanoseconds = SystemClock.monotonicNanoseconds - start
    return report
  }

  /// How many assets `collect` would remove now, without a look at each: an asset that two policies
  /// name counts twice. Blocks on the disk.
  public func count(
    _ policies: [Policy], _ options: CollectionOptions = CollectionOptions()
  ) throws(StoreFailure) -> Int {
    let reader = try reader()
    let now = self.now()
    if try clockJump(reader, now, options) != nil { return 0 }
    var sum = 0
    for policy in policies {
      if let policy = policy.ofAssets { sum += try reader.session.count(policy, now: now) }
    }
    return min(sum, options.limit ?? sum)
  }

  /// The seconds by which the clock jumped, when it did and that matters.
  func clockJump(
    _ reader: CatalogReader, _ now: Int64, _ options: CollectionOptions
  ) throws(StoreFailure) -> Int64? {
    if options.acceptsClock { return nil }
    let mark = try reader.session.integer(.clockMark) ?? now
    let running = SystemClock.monotonicNanoseconds / 1_000_000_000
    let verdict = clockGuard.withLock { $0.judge(wall: now, mark: mark, running: running) }
    if case .jumped(let seconds) = verdict { return seconds }
    return nil
  }
}

/// One dry run. What it keeps does not grow with the store: of several policies for assets, the
/// assets that they name; of assets that share their bytes with others, how many others are left.
struct Planner {
  let reader: CatalogReader
  let files: StoreFiles
  let options: CollectionOptions
  let now: Int64
  var round: SweepRound
  let doubt: SweepDoubt?
  var assetsLeft: Int?
  /// Why the orphan sweep would stop.
  var sweepStop: String?
  /// Whether a policy may name what one before it has.
  let hasOverlap: Bool
  /// What policies before this one take already.
  var taken: Set<AssetID> = []
  /// Of bytes that several assets are on, one of them taken: how many are not.
  var left: [Digest: Int] = [:]

  mutating func plan(
    _ policy: Policy, _ each: (CollectionItem) -> Void
  ) throws(StoreFailure) -> PolicyResult {
    switch policy.kind {
    case .expired(let grace):
      try plan(ExpiredPolicy(grace: grace), policy.name, each)
    case .orphans(let grace):
      try planOrphans(
        OrphanSweep(
          policy: policy.name, grace: grace, now: now, files: files, session: reader.session,
          doubt: doubt, taken: try leftByTheLastOne()),
        each)
    case .records(let after):
      try planRecords(after, policy.name)
    }
  }

  private mutating func plan(
    _ policy: some AssetPolicy, _ name: String, _ each: (CollectionItem) -> Void
  ) throws(StoreFailure) -> PolicyResult {
    var result = PolicyResult(policy: name)
    var last: CollectedAsset?
    while true {
      let page = try reader.session.candidates(policy, now: now, after: last, limit: Self.page)
      for asset in page {
        guard assetsLeft != 0, !files.hasToEndCollections else { return result }
        if hasOverlap, !taken.insert(asset.id).inserted { continue }
        if try takesLast(of: asset.digest) { result.blobs += 1 }
        let item = CollectionItem(
          policy: name, id: asset.id, digest: asset.digest, bytes: asset.bytes,
          reason: policy.reason(expiresAt: asset.expiresAt, now: now))
        result.count(item)
        each(item)
        assetsLeft = assetsLeft.map { $0 - 1 }
      }
      guard page.count == Self.page else { return result }
      last = page.last
    }
  }

  /// Rows that are read at once: a statement that goes on for minutes keeps the log from being
  /// brought home.
  static let page = 500

  /// Takes one asset of these bytes.
  ///
  /// - Returns: whether none is left on them.
  private mutating func takesLast(of digest: Digest) throws(StoreFailure) -> Bool {
    let rest: Int
    if let known = left[digest] {
      rest = known - 1
    } else {
      rest = try reader.session.assetCount(on: digest) - 1
    }
    left[digest] = rest > 0 ? rest : nil
    return rest == 0
  }

  private mutating func planOrphans(
    _ sweep: OrphanSweep, _ each: (CollectionItem) -> Void
  ) throws(StoreFailure) -> PolicyResult {
    var result = PolicyResult(policy: sweep.policy)
    func count(_ orphans: [OrphanSweep.Orphan]) {
      for orphan in orphans {
        let item = sweep.item(orphan)
        result.count(item)
        each(item)
      }
    }
    count(sweep.leftovers())
    sweepStop = try sweep.run(options, &round) { count($0) }
    return result
  }

  /// What a run finishes before anything else, and counts nowhere.
  private func leftByTheLastOne() throws(StoreFailure) -> Set<Digest> {
    let last = try reader.session.lastNoteToFinish(doubt)
    return last > 0 ? Set(try reader.session.perhapsUnused(1...last)) : []
  }

  private func planRecords(_ after: Int64, _ name: String) throws(StoreFailure) -> PolicyResult {
    var result = PolicyResult(policy: name)
    for table in RecordsPolicy.tables {
      result.records += try reader.session.count(table, before: now - after)
    }
    return result
  }
}
