import Testing

@testable import AssetService

struct LoopCountersTests {
  /// Whatever codes upstreams make up, the page stays small and each label is a word.
  @Test func codesAreWordsAndFew() {
    let counters = LoopCounters()
    counters.refused(400, "a\"b")
    counters.refused(400, String(repeating: "a", count: 41))
    counters.refused(404, nil)
    for number in 0..<1000 { counters.refused(400, "code_\(number)") }
    let counts = counters.refusalCounts
    #expect(counts.count <= 101)
    #expect(counts[.init(status: 404, code: "none")] == 1)
    #expect(counts.values.reduce(0, +) == 1003)
    #expect(counts[.init(status: 400, code: "other")] ?? 0 > 900)
    #expect(counts.keys.allSatisfy { $0.code.utf8.count <= 40 && !$0.code.contains("\"") })
  }

  @Test func turnsAreCountedByLength() {
    let counters = LoopCounters()
    for nanoseconds: Int64 in [1, 1_000_000, 1_000_001, 2_000_000_000] {
      counters.turnEnded(nanoseconds: nanoseconds)
    }
    #expect(counters.turns.indices.map { counters.turns[$0].current } == [2, 1, 0, 0, 1])
    #expect(counters.longestTurn.current == 2_000_000_000)
  }
}
