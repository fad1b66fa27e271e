// The orphan sweep removes what no row names, so a catalogue that lost its rows would cost every
// blob. It has a brake (STORE.md, "Orphan sweep"): before the files of a folder go, it looks
// whether that can be right. Once stopped it stays stopped, over restarts, until an operator has
// looked and said `assetctl gc --allow-large`.
//
//     sweeping ──a whole round would take > 1,000 files and 20 % of all, the catalogue is younger
//        ▲       than a file that would go, older than several (`SweepDoubt`), or it was
//        │       rebuilt──► stopped (`meta`, sweep_stop)
//        └──────────── a whole sweep with allowsLarge ◄─────────────┘

internal import Synchronization

/// What a round over the 256 folders has taken so far, when it is done in several runs.
struct SweepRound: Sendable {
  /// Orphans and files, orphans among them.
  var orphans = 0
  var files = 0
  /// Whether all folders were counted in this round and it was not too much.
  var isCounted = false
  /// Whether some could not be looked at.
  var hasGap = false

  /// Whether that many orphans are more than crashes and failed unlinks leave.
  var isTooMuch: Bool { orphans > SweepRound.maxOrphans && orphans * 5 > files }

  static let maxOrphans = 1000

  /// Fewer orphans in each folder are no more than `maxOrphans` in all.
  private static let fewInFolder = 4

  /// Whether this folder alone makes a look at all of them worth its cost.
  static func isSuspicious(_ folder: OrphanSweep.Folder) -> Bool {
    folder.orphans.count >= fewInFolder && folder.orphans.count * 5 > folder.files
  }

  mutating func add(_ folder: OrphanSweep.Folder) {
    orphans += folder.orphans.count
    files += folder.files
    if folder.hasGap { hasGap = true }
  }

  var sentence: String {
    "a whole round would take \(orphans) of \(files) files"
  }
}

extension OrphanSweep {
  /// Goes through folders; `take` gets the orphans of one after the other.
  ///
  /// - Parameter round: what earlier runs of this round have taken.
  /// - Returns: why it stopped, when it did.
  func run(
    _ options: CollectionOptions, _ round: inout SweepRound,
    take: ([Orphan]) throws(StoreFailure) -> Void
  ) throws(StoreFailure) -> String? {
    if options.allowsLarge {
      for number in options.folders where !files.hasToEndCollections {
        try take(try folder(number).orphans)
      }
      return nil
    }
    if let stop = try session.text(.sweepStop) { return stop }
    if let stop = try stop(doubt) { return stop }
    let madeAt = try session.integer(.createdAt)
    let isRebuilt = try session.integer(.rebuiltAt) != nil
    for number in options.folders {
      if files.hasToEndCollections { return nil }
      if number == 0 { round = SweepRound() }
      let folder = try folder(number)
      if isRebuilt, !folder.orphans.isEmpty {
        return "the catalogue was rebuilt, and does not name \(folder.orphans.count) files"
      }
      if let stop = folder.stop(madeAt: madeAt) { return stop }
      round.add(folder)
      if round.isTooMuch { return round.sentence }
      if !round.isCounted, options.folders.count == 256 || SweepRound.isSuspicious(folder) {
        guard var whole = try count() else { return nil }
        whole.orphans += round.orphans - folder.orphans.count
        whole.files += round.orphans - folder.orphans.count
        if whole.isTooMuch { return whole.sentence }
        // What was not seen is counted by a later run, and not again by this one.
        round.isCounted = !whole.hasGap || options.folders.count == 256
      }
      try take(folder.orphans)
    }
    return nil
  }

  /// What a whole round would take now; `nil` when collections are to end.
  private func count() throws(StoreFailure) -> SweepRound? {
    var round = SweepRound()
    for number in 0..<256 {
      if files.hasToEndCollections { return nil }
      round.add(try folder(number))
    }
    return round
  }
}

extension OrphanSweep.Folder {
  /// A file that was there before the catalogue: it had a row in another one.
  fileprivate func stop(madeAt: Int64?) -> String? {
    guard let madeAt else { return nil }
    for case .file(let name, _, let modified) in orphans where modified < madeAt {
      return "the catalogue is younger than a file that it does not name (\(name))"
    }
    return nil
  }
}

/// Why the sweep has stopped, and how often.
struct SweepStop: Sendable {
  var reason: String?
  /// Runs that stopped, since the start.
  var count = 0
  /// Whether the catalogue has the reason.
  var isKept = true
}

extension Store {
  /// Why the orphan sweep has stopped, for an operator; `nil` while it goes on.
  public var orphanSweepStop: String? { sweepStop.withLock { $0.reason } }

  /// Runs of the orphan sweep that stopped, since the start.
  public var orphanSweepStops: Int { sweepStop.withLock { $0.count } }

  /// Throws when the catalogue is known to be damaged, once all of it was looked at, and when it
  /// can not be looked at.
  func requireSoundCatalogue() throws(StoreFailure) {
    do { try check.wait() } catch {
      throw StoreFailure(
        .collect, .sqlite(error),
        hint: "the catalogue could not be looked through for damage; that is tried again")
    }
    guard let damage = files.health.damage else { return }
    throw StoreFailure(.collect, .damaged, subject: damage, hint: StoreFailure.restoreHint)
  }

  /// Keeps in the catalogue, over restarts, why the sweep has stopped.
  func keep(sweepStop reason: String) throws(StoreFailure) {
    let isKept = sweepStop.withLock { stop in
      let isKept = stop.isKept && stop.reason == reason
      stop = SweepStop(reason: reason, count: stop.count + 1, isKept: isKept)
      return isKept
    }
    if isKept { return }
    try commit { (session) throws(StoreFailure) in try session.set(.sweepStop, reason) }
    // Not before: what a failed commit did not keep the next run does.
    sweepStop.withLock { $0.isKept = true }
  }

  /// An operator had the whole sweep carried out: it goes on by itself from here.
  func endSweepStop() throws(StoreFailure) {
    try commit { (session) throws(StoreFailure) in
      try session.remove(.sweepStop)
      try session.remove(.rebuiltAt)
    }
    sweepStop.withLock { $0.reason = nil }
  }
}
