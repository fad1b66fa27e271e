// Ranges (RFC 9110 §14) and preconditions (§13), alone and together.
import Testing

@testable import Wire

@Suite struct ByteRangeTests {
  @Test(arguments: [
    ("§14.1.2 first 500", "bytes=0-499", 10_000, ByteRange.part(offset: 0, length: 500)),
    ("§14.1.2 second 500", "bytes=500-999", 10_000, .part(offset: 500, length: 500)),
    ("§14.1.2 final 500", "bytes=-500", 10_000, .part(offset: 9_500, length: 500)),
    ("§14.1.2 from 9500", "bytes=9500-", 10_000, .part(offset: 9_500, length: 500)),
    ("§14.1.2 all", "bytes=0-", 10_000, .part(offset: 0, length: 10_000)),
    ("§14.1.2 last byte", "bytes=-1", 10_000, .part(offset: 9_999, length: 1)),
    ("§14.1.2 first byte", "bytes=0-0", 10_000, .part(offset: 0, length: 1)),
    ("§14.1.2 end past the end", "bytes=9999-20000", 10_000, .part(offset: 9_999, length: 1)),
    ("§14.1.2 suffix past the start", "bytes=-20000", 10_000, .part(offset: 0, length: 10_000)),
    ("§14.1 unit in any case", "BYTES=1-2", 10, .part(offset: 1, length: 2)),
    ("§14.1.1 huge end", "bytes=1-99999999999999999999", 10, .part(offset: 1, length: 9)),
    ("§14.1.1 largest end", "bytes=0-9223372036854775807", 10, .part(offset: 0, length: 10)),
    ("§14.1.1 huge suffix", "bytes=-99999999999999999999", 10, .part(offset: 0, length: 10)),
    ("§15.5.17 start at the end", "bytes=10-", 10, .unsatisfiable),
    ("§15.5.17 huge start", "bytes=99999999999999999999-", 10, .unsatisfiable),
    ("§15.5.17 huge both", "bytes=99999999999999999998-99999999999999999999", 10, .unsatisfiable),
    ("§14.1.2 empty suffix", "bytes=-0", 10, .unsatisfiable),
    ("§14.1.2 nothing to send", "bytes=0-", 0, .unsatisfiable),
    ("§14.1.2 suffix of nothing", "bytes=-5", 0, .whole),
    ("§14.2 several", "bytes=0-1,3-4", 10, .whole),
    ("§14.2 list of one", "bytes=0-1,", 10, .whole),
    ("§14.1.1 backwards", "bytes=5-4", 10, .whole),
    ("§14.2 other unit", "items=0-1", 10, .whole),
    ("§14.1.1 no numbers", "bytes=-", 10, .whole),
    ("§14.1.1 no dash", "bytes=5", 10, .whole),
    ("§14.1.1 space", "bytes= 0-1", 10, .whole),
    ("§14.1.1 space before =", "bytes =0-1", 10, .whole),
    ("§14.1.1 sign", "bytes=+0-1", 10, .whole),
    ("§14.1.1 hex", "bytes=0x0-1", 10, .whole),
    ("§14.1.1 two dashes", "bytes=0--1", 10, .whole),
    ("§14.1.1 trailing space", "bytes=0-1 ", 10, .whole),
    ("§14.1.1 empty", "bytes=", 10, .whole),
    ("§14.1.1 unit alone", "bytes", 10, .whole),
  ])
  func reads(_ rule: String, _ value: String, _ size: Int64, _ expected: ByteRange) {
    #expect(ByteRange(Array(value.utf8).span, size: size) == expected, "\(rule)")
  }
}

@Suite struct DeliveryPlanTests {
  static let etag = String(repeating: "0123456789abcdef", count: 4)
  static let other = String(repeating: "f", count: 64)
  /// 784111777.
  static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
  static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
  static let later = "Sun, 06 Nov 1994 08:49:38 GMT"

  /// What is answered to a request with these fields: status, offset, length.
  private func plan(_ fields: [String], method: String = "GET") -> [Int64] {
    let lines = fields.map { $0 + "\r\n" }.joined()
    let bytes = Array("\(method) / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
    let (head, outcome) = parseInPieces(bytes, [bytes.count])
    #expect(outcome == .complete(headLength: bytes.count))
    let plan = DeliveryPlan(
      of: RepresentationFacts(lastModified: 784_111_777, size: 1000),
      etag: Array(Self.etag.utf8).span, asked: head, in: bytes.span, now: 1_700_000_000)
    return [Int64(plan.status), plan.offset, plan.length]
  }

  static let whole: [Int64] = [200, 0, 1000]
  static let part: [Int64] = [206, 0, 10]
  static let notModified: [Int64] = [304, 0, 0]
  static let failed: [Int64] = [412, 0, 0]

  @Test(arguments: [
    ("§13.1.2 same", ["If-None-Match: \"\(etag)\""], notModified),
    ("§13.1.2 weak compares", ["If-None-Match: W/\"\(etag)\""], notModified),
    ("§13.1.2 any", ["If-None-Match: *"], notModified),
    ("§13.1.2 other", ["If-None-Match: \"\(other)\""], whole),
    ("§13.1.2 list", ["If-None-Match: \"\(other)\", W/\"x\" , \"\(etag)\""], notModified),
    ("§13.1.2 lines", ["If-None-Match: \"\(other)\"", "If-None-Match: \"\(etag)\""], notModified),
    ("§8.8.3 comma inside a tag", ["If-None-Match: \"a,\(etag)\""], whole),
    ("§8.8.3 backslash is plain", ["If-None-Match: \"\\\", \"\(etag)\""], notModified),
    ("§8.8.3 no quotes", ["If-None-Match: \(etag)"], whole),
    ("§8.8.3 unclosed", ["If-None-Match: \"\(etag)"], whole),
    ("§8.8.3 upper case is another tag", ["If-None-Match: \"\(etag.uppercased())\""], whole),
    ("§8.8.3 w/ is no weakness", ["If-None-Match: w/\"\(etag)\""], whole),
    ("§13.1.1 same", ["If-Match: \"\(etag)\""], whole),
    ("§13.1.1 any", ["If-Match: *"], whole),
    ("§13.1.1 other", ["If-Match: \"\(other)\""], failed),
    ("§13.1.1 weak never", ["If-Match: W/\"\(etag)\""], failed),
    ("§13.1.1 list", ["If-Match: \"\(other)\",\"\(etag)\""], whole),
    ("§13.1.1 empty", ["If-Match:"], failed),
    ("§13.1.3 same", ["If-Modified-Since: \(date)"], notModified),
    ("§13.1.3 later", ["If-Modified-Since: \(later)"], notModified),
    ("§13.1.3 earlier", ["If-Modified-Since: \(earlier)"], whole),
    ("§13.1.3 no date", ["If-Modified-Since: yesterday"], whole),
    ("§13.1.3 If-None-Match wins", ["If-None-Match: \"x\"", "If-Modified-Since: \(date)"], whole),
    ("§13.1.4 same", ["If-Unmodified-Since: \(date)"], whole),
    ("§13.1.4 earlier", ["If-Unmodified-Since: \(earlier)"], failed),
    ("§13.1.4 no date", ["If-Unmodified-Since: 0"], whole),
    (
      "§13.1.4 If-Match wins", ["If-Match: \"\(etag)\"", "If-Unmodified-Since: \(earlier)"], whole
    ),
    ("§13.2.2 If-Match before If-None-Match", ["If-Match: \"x\"", "If-None-Match: *"], failed),
    ("§13.2.2 then If-None-Match", ["If-Match: *", "If-None-Match: *"], notModified),
    ("§14.2 range", ["Range: bytes=0-9"], part),
    ("§14.2 unsatisfiable", ["Range: bytes=1000-"], [416, 0, 0]),
    ("§14.2 two lines", ["Range: bytes=0-9", "Range: bytes=0-9"], whole),
    ("§13.2.1 304 before range", ["Range: bytes=0-9", "If-None-Match: *"], notModified),
    ("§13.2.1 304 before 416", ["Range: bytes=1000-", "If-None-Match: *"], notModified),
    ("§13.2.1 412 before range", ["Range: bytes=0-9", "If-Match: \"x\""], failed),
    ("§13.1.5 same tag", ["Range: bytes=0-9", "If-Range: \"\(etag)\""], part),
    ("§13.1.5 other tag", ["Range: bytes=0-9", "If-Range: \"\(other)\""], whole),
    ("§13.1.5 weak tag", ["Range: bytes=0-9", "If-Range: W/\"\(etag)\""], whole),
    ("§13.1.5 list", ["Range: bytes=0-9", "If-Range: \"\(etag)\", \"x\""], whole),
    ("§13.1.5 same date", ["Range: bytes=0-9", "If-Range: \(date)"], part),
    ("§13.1.5 later date", ["Range: bytes=0-9", "If-Range: \(later)"], whole),
    ("§13.1.5 nonsense", ["Range: bytes=0-9", "If-Range: *"], whole),
    ("§13.1.5 before 416", ["Range: bytes=1000-", "If-Range: \"\(other)\""], whole),
    ("§13.1.5 without Range", ["If-Range: \"\(other)\""], whole),
    ("no fields", [], whole),
  ])
  func answers(_ rule: String, _ fields: [String], _ expected: [Int64]) {
    #expect(plan(fields) == expected, "\(rule)")
    // HEAD has the same conditions, and no ranges (§14.2).
    let head = expected[0] == 206 || expected[0] == 416 ? Self.whole : expected
    #expect(plan(fields, method: "HEAD") == head, "\(rule), HEAD")
  }

  @Test func otherMethodsFailInsteadOfNotModified() {
    #expect(plan(["If-None-Match: *"], method: "PUT") == Self.failed)  // §13.1.2
    #expect(plan(["If-Modified-Since: \(Self.date)"], method: "PUT") == Self.whole)  // §13.1.3
  }
}
