import Testing
import Wire

/// Names that others choose, cut for errors and logs.
@Suite struct ShortTextTests {
  @Test(arguments: [
    ("", ""), ("abc", "abc"), ("abcdefgh", "abcdefgh"), ("abcdefghi", "abcde…"),
    ("ééééé", "éé…"), ("abcdé1234", "abcd…"), ("abc\u{1F98A}xyz", "abc…"),
  ])
  func cut(_ text: String, _ expected: String) {
    #expect(text.cut(toBytes: 8) == expected)
  }

  /// One character may have any number of bytes.
  @Test func bytesAreCounted() {
    let tall = "a" + String(repeating: "\u{301}", count: 500_000)
    #expect(tall.count == 1)
    #expect(tall.shownName.utf8.count <= 100 && tall.shownName.utf8.first == 0x61)
  }
}
