import Testing
import Wire

@Suite struct DataURLTests {
  @Test(arguments: [
    ("data:image/png;base64,AA", 22), ("data:;base64,AA", 13), ("DATA:IMAGE/PNG;BASE64,", 22),
    ("data:image/webp;charset=utf-8;name=x.webp;base64,", 49), ("data:image/png; base64 ,A", 24),
    ("data:image/png,AA", nil), ("data:base64,AA", nil), ("data:x;base64;name=a,AA", nil),
    ("data:x;base6,", nil), ("data:x;base644,", nil), ("data", nil), ("", nil),
    ("dat\u{1A}:;base64,", nil),
    ("https://h/;base64,", nil), ("data\u{1A};base64,", nil), (" data:;base64,", nil),
    ("data:" + String(repeating: "x", count: 499) + ";base64,", 512),
    ("data:" + String(repeating: "x", count: 500) + ";base64,", nil),
  ])
  func payload(text: String, start: Int?) {
    let found = DataURL.payloadStart(text.utf8.span)
    #expect(found == start)
  }
}
