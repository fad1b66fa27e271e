// Content-Type (RFC 9110 §8.3) and Content-Disposition (RFC 6266, RFC 8187).
import Testing

@testable import Wire

@Suite struct ContentTypeTests {
  @Test func readsTypesAndParameters() {
    let value = Array("Multipart/Form-Data; Boundary=\"a b\\\"c\" ;charset=utf-8;".utf8)
    guard let type = ContentType(value.span) else {
      Issue.record("not read")
      return
    }
    #expect(holds(type.matches("multipart/form-data", in: value.span)))
    #expect(holds(type.hasType("multipart", in: value.span)))
    #expect(holds(!type.hasType("multi", in: value.span)))
    #expect(type.parameter("boundary", in: value.span) == Array("a b\"c".utf8))
    #expect(type.parameter("charset", in: value.span) == Array("utf-8".utf8))
    #expect(type.parameter("version", in: value.span) == nil)
  }

  @Test(arguments: [
    "", "text", "text/", "/plain", "text/plain/x", "text plain", "text/pl ain", "text/plain;a",
    "text/plain;a=", "text/plain;=b", "text/plain; a = b", "text/plain;a=\"b",
    "text/plain;a=\"b\"c",
    "text/plain;a=\"b\\", "text/plain,text/html", "text/\u{E9}",
  ])
  func refuses(_ value: String) {
    #expect(ContentType(Array(value.utf8).span) == nil)
  }

  @Test func isBoundedAndUnambiguous() {
    let many = "a/b" + String(repeating: ";c=d", count: ContentType.maxParameters + 1)
    #expect(ContentType(Array(many.utf8).span) == nil)
    let long = "a/b;c=" + String(repeating: "d", count: ContentType.maxLength)
    #expect(ContentType(Array(long.utf8).span) == nil)
    let twice = Array("a/b;c=d;C=e".utf8)
    #expect(ContentType(twice.span)?.parameter("c", in: twice.span) == nil)
  }
}

@Suite struct ContentDispositionTests {
  private func value(_ name: String) -> String {
    let bytes = ContentDisposition.attachment.value(fileName: Array(name.utf8).span)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [
    ("", "attachment"),
    ("a b.png", "attachment; filename=\"a b.png\""),
    ("\u{E9}t\u{E9}.png", "attachment; filename=\"_t_.png\"; filename*=UTF-8''%C3%A9t%C3%A9.png"),
    ("a\"b\\c.png", "attachment; filename=\"a_b_c.png\"; filename*=UTF-8''a%22b_c.png"),
    ("100%.png", "attachment; filename=\"100_.png\"; filename*=UTF-8''100%25.png"),
    ("../../etc/passwd", "attachment; filename=\".._.._etc_passwd\""),
    ("a\r\nSet-Cookie: b", "attachment; filename=\"a__Set-Cookie: b\""),
    ("a\u{0}b", "attachment; filename=\"a_b\""),
    ("a\u{202E}gnp.exe", "attachment; filename=\"a_gnp.exe\""),
    ("\u{1F600}", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80"),
  ])
  func writesSafeNames(_ name: String, _ expected: String) {
    #expect(value(name) == expected)
  }

  @Test func malformedTextIsRepaired() {
    let bytes = ContentDisposition.inline.value(fileName: ([0x61, 0xFF, 0x62] as [UInt8]).span)
    let expected = "inline; filename=\"a_b\"; filename*=UTF-8''a%EF%BF%BDb"
    #expect(String(decoding: bytes, as: UTF8.self) == expected)
  }

  @Test func longNamesAreCutBetweenCharacters() {
    let name = String(repeating: "a", count: 199) + "\u{E9}\u{E9}"
    #expect(value(name) == "attachment; filename=\"\(String(repeating: "a", count: 199))\"")
  }

  @Test(arguments: [
    (String(repeating: "a", count: 300) + ".png", String(repeating: "a", count: 196) + ".png"),
    (String(repeating: "a", count: 196) + ".png", String(repeating: "a", count: 196) + ".png"),
    (String(repeating: "a", count: 300) + ".", String(repeating: "a", count: 199) + "."),
    ("a." + String(repeating: "b", count: 300), "a." + String(repeating: "b", count: 198)),
    ("." + String(repeating: "b", count: 300), "." + String(repeating: "b", count: 199)),
  ])
  func longNamesKeepTheirExtension(_ name: String, _ expected: String) {
    #expect(value(name) == "attachment; filename=\"\(expected)\"")
  }
}
