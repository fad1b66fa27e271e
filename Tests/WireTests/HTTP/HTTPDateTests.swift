// RFC 9110 §5.6.7.
import Testing

@testable import Wire

@Suite struct HTTPDateTests {
  static let now: Int64 = 1_700_000_000  // November 2023

  private func parse(_ text: String, now: Int64 = now) -> Int64? {
    HTTPDate.parse(Array(text.utf8).span, now: now)
  }

  private func format(_ seconds: Int64) -> String {
    let text = HTTPDate.format(seconds)
    return String(decoding: (0..<29).map { text[$0] }, as: UTF8.self)
  }

  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ])
  func readsTheThreeForms(_ text: String) {
    #expect(parse(text) == 784_111_777)
  }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
    (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (Int64.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
  ])
  func formats(_ seconds: Int64, _ expected: String) {
    #expect(format(seconds) == expected)
  }

  @Test func readsWhatItWrites() {
    for step in stride(from: Int64(-62_167_219_200), through: 253_402_300_799, by: 86_399 * 97) {
      #expect(parse(format(step)) == step)
    }
  }

  @Test func twoDigitYearsAreAtMostFiftyAhead() {
    #expect(parse("Sunday, 06-Nov-73 08:49:37 GMT") == parse("Mon, 06 Nov 2073 08:49:37 GMT"))
    #expect(parse("Sunday, 06-Nov-74 08:49:37 GMT") == parse("Mon, 06 Nov 1974 08:49:37 GMT"))
  }

  @Test(arguments: [
    "", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
    "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT",
    "Sun, 06 Nob 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sumday, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sun, 06 Nov 1994 08.49.37 GMT",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,",
  ])
  func refuses(_ text: String) {
    #expect(parse(text) == nil)
  }

  @Test func leapSecondsCount() {
    #expect(parse("Sat, 31 Dec 2016 23:59:60 GMT") == parse("Sun, 01 Jan 2017 00:00:00 GMT"))
  }
}
