import Testing
import Wire

/// A macro's operand may not hold a Span.
private func decode(_ text: String) -> [UInt8]? { Hex.decode(text.utf8.span) }

@Suite struct HexTests {
  @Test func everyByteRoundTrips() {
    let bytes = [UInt8](0...255)
    let text = Hex.encode(bytes.span)
    #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff"))
    #expect(decode(text) == bytes)
  }

  @Test(arguments: ["a", "0g", "AB", "a\u{e9}", " 1", "0x10"])
  func otherSpellingsAreRefused(text: String) {
    #expect(decode(text) == nil)
  }

  @Test func eitherCaseWhereTheFormatIsNotOurs() {
    for value in UInt8(0)...255 {
      let expected = UInt8(String(UnicodeScalar(value)), radix: 16)
      #expect(Hex.value(anyCase: value) == (value < 128 ? expected : nil))
    }
  }
}
