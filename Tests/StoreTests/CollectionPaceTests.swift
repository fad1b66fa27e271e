import Testing

@testable import Store

@Suite struct CollectionPaceTests {
  private let millisecond: Int64 = 1_000_000

  /// Alone with the writer: it takes what 25 ms hold, at most to the double each time.
  @Test func batchesGrowToWhatFits() {
    var pace = CollectionPace()
    var rows: [Int] = []
    for batch in 0..<6 {
      #expect(pace.pause(jobsDone: batch) == 0)
      rows.append(pace.rows)
      // A tenth of a millisecond each.
      pace.note(nanoseconds: Int64(pace.rows) * millisecond / 10)
    }
    #expect(rows == [50, 100, 200, 250, 250, 250])
    pace.note(nanoseconds: 250 * millisecond)
    #expect(pace.rows == 125, "one slow fsync says little")
  }

  @Test func batchesHaveBounds() {
    var pace = CollectionPace()
    for _ in 0..<10 { pace.note(nanoseconds: 1) }
    #expect(pace.rows == CollectionPace.mostRows)
    for _ in 0..<20 { pace.note(nanoseconds: 1000 * millisecond) }
    #expect(pace.rows == CollectionPace.fewestRows)
    pace.note(nanoseconds: 0)
    #expect(pace.rows == 2 * CollectionPace.fewestRows)
  }

  /// Others get the writer for as long as the last batch had it, and batches are short.
  @Test func othersGetTheirTurn() {
    var pace = CollectionPace()
    #expect(pace.pause(jobsDone: 100) == 0, "nothing is known yet")
    pace.note(nanoseconds: 25 * millisecond)
    #expect(pace.rows == 50)
    // The batch itself, and three others.
    #expect(pace.pause(jobsDone: 104) == 25 * millisecond)
    pace.note(nanoseconds: 25 * millisecond)
    #expect(pace.rows == 25)
    pace.note(nanoseconds: 12 * millisecond)
    #expect(pace.rows == 16)
    #expect(pace.pause(jobsDone: 105) == 0, "nobody came")
  }
}

@Suite struct LogPaceTests {
  private let millisecond: Int64 = 1_000_000

  /// The log takes what the disk brings home in 20 ms, at most half or double of it each time.
  @Test func logsGrowToWhatFits() {
    var pace = LogPace()
    var pages: [Int] = []
    for _ in 0..<5 {
      pages.append(pace.pages)
      // A hundredth of a millisecond each.
      pace.note(pages: pace.pages, nanoseconds: Int64(pace.pages) * millisecond / 100)
    }
    #expect(pages == [1000, 2000, 2000, 2000, 2000])
    pace.note(pages: 2000, nanoseconds: 200 * millisecond)
    #expect(pace.pages == 1000, "one slow fsync says little")
  }

  @Test func logsHaveBounds() {
    var pace = LogPace()
    for _ in 0..<10 { pace.note(pages: pace.pages, nanoseconds: 1) }
    #expect(pace.pages == LogPace.mostPages)
    pace.note(pages: pace.pages, nanoseconds: 0)
    #expect(pace.pages == LogPace.mostPages)
    for _ in 0..<10 { pace.note(pages: pace.pages, nanoseconds: 1000 * millisecond) }
    #expect(pace.pages == LogPace.fewestPages)
  }
}
