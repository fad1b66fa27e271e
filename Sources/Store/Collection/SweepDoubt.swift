// A catalogue that was restored from a backup does not name what was stored after the backup: to
// the orphan sweep, images that somebody paid for look like what a crash leaves. So the catalogue
// keeps when it was last written to (`meta`, used_at). A start that finds `blobs/` changed after
// that notes the time in between (doubt_from, doubt_to), over further starts; before the sweep
// takes anything it looks how many files of that time have no row. A crash leaves some, within
// seconds after the mark; more stop it, until an operator has said `assetctl gc --allow-large`.
internal import Kernel
internal import SQLite
internal import Synchronization

/// A span of time whose files the catalogue may have lost, in unix seconds.
struct SweepDoubt: Sendable, Hashable {
  /// When the catalogue was last written to, as far as it knows.
  let from: Int64
  /// When it was opened.
  let to: Int64

  /// More files without rows than this are lost rows: the most that an order, whose images are
  /// stored one by one and named together, can leave.
  static let few = 10
  /// How old the mark becomes while the catalogue is written to, in seconds, and how much later
  /// than it `blobs/` may have changed all the same.
  static let interval: Int64 = 10

  /// The doubt that a start has.
  ///
  /// - Parameters:
  ///   - before: what was not cleared up before this start.
  ///   - mark: when the catalogue was last written to.
  ///   - change: when `blobs/` last got or lost a name.
  init?(before: SweepDoubt?, mark: Int64, change: Int64, start: Int64) {
    // A copy of the folder may have made all files younger: what is in doubt stays so.
    guard before != nil || change > mark + SweepDoubt.interval else { return nil }
    self.init(from: min(before?.from ?? mark, mark), to: start)
  }

  init(from: Int64, to: Int64) {
    self.from = from
    self.to = to
  }

  func sentence(_ lost: Int) -> String {
    "the catalogue was last written to at \(from) (unix seconds), and does not name \(lost) files "
      + "that were stored after that: it may be an older one"
  }
}

extension CatalogSession {
  /// What a start was in doubt of, when that was not cleared up.
  func doubt() throws(StoreFailure) -> SweepDoubt? {
    guard let from = try integer(.doubtFrom), let to = try integer(.doubtTo) else { return nil }
    return SweepDoubt(from: from, to: to)
  }

  func set(_ doubt: SweepDoubt) throws(StoreFailure) {
    try set(.doubtFrom, doubt.from)
    try set(.doubtTo, doubt.to)
  }

  func endDoubt() throws(StoreFailure) {
    try remove(.doubtFrom)
    try remove(.doubtTo)
  }

  /// Notes that the catalogue is in use now, when the mark is ten seconds old: by the files' own
  /// clock.
  func noteUse() throws(SQLiteFailure) {
    let now = SystemClock.wallSeconds
    if usedAt == nil {
      usedAt = try one(.meta, { $0.bind(1, CatalogueFact.usedAt.rawValue) }) { $0.integer(0) }
    }
    // Also when the clock was set back.
    if let usedAt, now >= usedAt, now - usedAt < SweepDoubt.interval { return }
    try note(.usedAt, now)
    usedAt = now
  }
}

extension OrphanSweep {
  /// Why nothing may be taken: files of the time in doubt that no row names, however young they
  /// are.
  ///
  /// - Throws: `.io` when a part of `blobs/` can not be read: what was not seen clears up nothing,
  ///   and the run that fails leaves the doubt to the next one.
  func stop(_ doubt: SweepDoubt?) throws(StoreFailure) -> String? {
    guard let doubt else { return nil }
    var lost = 0
    var gap: (folder: Int, errno: Errno)?
    for number in 0..<256 where !files.hasToEndCollections {
      let found = try unnamed(inFolder: number)
      if let errno = found.gap { gap = gap ?? (number, errno) }
      for file in found.files
      where file.status.modified > doubt.from && file.status.modified <= doubt.to {
        lost += 1
      }
    }
    if lost > SweepDoubt.few { return doubt.sentence(lost) }
    guard let gap else { return nil }
    throw StoreFailure(
      .collect, .io(gap.errno), subject: "blobs/" + Layout.folder(gap.folder),
      hint: "the catalogue may be an older one: no file is taken before all of them were looked at")
  }
}

extension Store {
  /// The sweep has looked at what was in doubt, or an operator has.
  func endDoubt() throws(StoreFailure) {
    guard doubt.withLock({ $0 != nil }) else { return }
    try commit { (session) throws(StoreFailure) in try session.endDoubt() }
    // Not before: a commit that fails leaves it to the next run.
    doubt.withLock { $0 = nil }
  }
}
