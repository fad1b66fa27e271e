// When the writer brings the log home, and when it lets the log's file shrink.
internal import Kernel
internal import SQLite

/// How many pages the log takes, while there is more to write, before it is brought home: every
/// commit waits meanwhile, so as many as the disk writes and syncs in `target`. Pure.
struct LogPace: Sendable {
  private(set) var pages = fewestPages

  static let fewestPages = 1000
  /// Half of the ballast: on a full disk there is room for a batch of a collection after it.
  static let mostPages = 2000
  /// What a checkpoint may take, in nanoseconds: with a batch of a collection before it, nobody
  /// waits longer than 50 ms (STORE.md, "Retention and collection").
  static let target: Int64 = 20_000_000

  /// To be called after a checkpoint of so many pages.
  mutating func note(pages copied: Int, nanoseconds: Int64) {
    let fitting = nanoseconds > 0 ? Int64(copied) * Self.target / nanoseconds : .max
    // One slow fsync says little: towards what fits, at most by half or to the double.
    let next = min(max(fitting, Int64(pages / 2)), Int64(pages * 2))
    pages = Int(min(max(next, Int64(Self.fewestPages)), Int64(Self.mostPages)))
  }
}

extension CatalogSession {
  /// Pages after which the log is brought home when nobody waits and no collection runs.
  private static let fewPages = 1000
  /// A log's file above this is cut to nothing once no reader needs it: a long read, or a
  /// collection, may have made it any size.
  private static let largePages = 4096
  /// How long the end of a store waits for its readers, in milliseconds.
  private static let lastPatience: Int32 = 200

  /// Copies the log into the catalogue when it has become long. A failure here fails no commit,
  /// since the log still has all of it; the store's health hears of it, as a log that can not be
  /// brought home grows until the disk is full.
  ///
  /// - Returns: how many pages it has, when they were counted and could not all be copied.
  func bringLogHome(isBusy: Bool) -> Int? {
    var rest: Int?
    let written = connection.pagesWritten
    let added = Connection.pages(from: pagesAtCheckpoint, to: written)
    let hasMore = isBusy || isCollecting
    if added >= (hasMore ? logPace.pages : Self.fewPages) {
      pagesAtCheckpoint = written
      let start = SystemClock.monotonicNanoseconds
      let checkpoint = try? noting { () throws(SQLiteFailure) in
        try connection.checkpointed(.passive)
      }
      guard let log = checkpoint else { return nil }
      if hasMore, log.isWhole {
        logPace.note(pages: added, nanoseconds: SystemClock.monotonicNanoseconds - start)
      }
      isLogLarge = log.pages >= Self.largePages
      if !log.isWhole { rest = log.pages }
    }
    // Waits for nobody: while a reader is still in the log, its file stays.
    if isLogLarge, !hasMore { isLogLarge = !cutLog(patience: 0) }
    return rest
  }

  /// Brings the log home for want of room: its file then takes more without growing.
  func makeRoomInLog() {
    _ = try? noting { () throws(SQLiteFailure) in try connection.checkpointed(.passive) }
    pagesAtCheckpoint = connection.pagesWritten
  }

  /// Brings all of the log home and leaves no file of it, if no reader holds it for long.
  func emptyLog() { _ = cutLog(patience: Self.lastPatience) }

  private func cutLog(patience: Int32) -> Bool {
    connection.setPatience(patience)
    defer { connection.setPatience(Connection.usualPatience) }
    let isCut = try? noting { () throws(SQLiteFailure) in try connection.checkpoint(.truncate) }
    return isCut ?? false
  }
}
