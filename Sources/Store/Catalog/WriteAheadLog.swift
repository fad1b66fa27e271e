// When the writer brings the log home, and when it lets the log's file shrink.
internal import SQLite

extension CatalogSession {
  /// Pages after which the log is brought home when nobody waits, and when somebody does.
  private static let fewPages = 1000
  private static let manyPages = 4000
  /// A log's file above this is cut to nothing once no reader needs it: a long read, or a
  /// collection, may have made it any size.
  private static let largePages = 4096
  /// How long the end of a store waits for its readers, in milliseconds.
  private static let lastPatience: Int32 = 200

  /// Copies the log into the catalogue when it has become long. What fails here fails no commit:
  /// the log still has all of it, and the next time tries again.
  ///
  /// - Returns: how many pages it has, when they were counted and could not all be copied.
  func bringLogHome(isBusy: Bool) -> Int? {
    var rest: Int?
    let written = connection.pagesWritten
    let added = Connection.pages(from: pagesAtCheckpoint, to: written)
    if added >= (isBusy ? Self.manyPages : Self.fewPages) {
      pagesAtCheckpoint = written
      guard let log = try? connection.checkpointed(.passive) else { return nil }
      isLogLarge = log.pages >= Self.largePages
      if !log.isWhole { rest = log.pages }
    }
    // Waits for nobody: while a reader is still in the log, its file stays.
    if isLogLarge, !isBusy { isLogLarge = !cutLog(patience: 0) }
    return rest
  }

  /// Brings all of the log home and leaves no file of it, if no reader holds it for long.
  func emptyLog() { _ = cutLog(patience: Self.lastPatience) }

  private func cutLog(patience: Int32) -> Bool {
    connection.setPatience(patience)
    defer { connection.setPatience(Connection.usualPatience) }
    return (try? connection.checkpoint(.truncate)) ?? false
  }
}
