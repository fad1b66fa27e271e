// How a collection shares the writer: nobody waits longer than 50 ms for it (STORE.md, "Retention
// and collection"), and whoever is alone with it gets all of it.

/// How much the next batch removes, and how long the writer is left to others before it. Pure: the
/// times come in.
struct CollectionPace: Sendable {
  /// Rows of the next batch: few at first, since nobody knows how fast the disk is.
  private(set) var rows = 50
  /// Whether others had work for the writer since the batch before.
  private var hasCompany = false
  /// What the last batch took, in nanoseconds.
  private var last: Int64 = 0
  /// Jobs that the writer had done at the last look.
  private var jobsSeen: Int?

  static let mostRows = 500
  static let fewestRows = 10
  /// What a batch may take, COMMIT and its fsync included, in nanoseconds.
  static let alone: Int64 = 25_000_000
  static let inCompany: Int64 = 8_000_000

  /// To be called before a batch: how many nanoseconds to leave the writer to others first. As
  /// long as the last batch took when there are others, so that half of the time is theirs.
  ///
  /// - Parameter jobsDone: all jobs that the writer has done.
  mutating func pause(jobsDone: Int) -> Int64 {
    // The last batch was one of them.
    hasCompany = jobsSeen.map { jobsDone - $0 > 1 } ?? false
    jobsSeen = jobsDone
    return hasCompany ? last : 0
  }

  /// To be called after a batch that kept the writer busy for so long.
  mutating func note(nanoseconds: Int64) {
    last = nanoseconds
    let target = hasCompany ? Self.inCompany : Self.alone
    let fitting = nanoseconds > 0 ? Int64(rows) * target / nanoseconds : Int64(rows) * 2
    // One slow fsync says little: towards what fits, at most by half or to the double.
    rows = Int(min(max(fitting, Int64(rows / 2)), Int64(rows * 2)))
    rows = min(max(rows, Self.fewestRows), Self.mostRows)
  }
}
