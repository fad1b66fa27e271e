import Testing
import Wire

/// A macro's operand may not hold a Span.
private func decode(_ text: [UInt8], count: Int) -> [UInt8]? {
  var bytes = [UInt8](repeating: 0, count: count)
  var output = bytes.mutableSpan
  return Base64URL.decodeCanonical(text.span, into: &output) ? bytes : nil
}
private func encode(_ bytes: [UInt8]) -> String { Base64URL.encode(bytes.span) }

@Suite struct Base64URLTests {
  @Test func aTokenIs52Characters() {
    let bytes = (0..<39).map { UInt8(255 - $0 * 6) }
    let text = encode(bytes)
    #expect(text.utf8.count == 52 && !text.contains("="))
    #expect(decode([UInt8](text: text), count: 39) == bytes)
  }

  @Test func everyLength() {
    for count in 0...50 {
      let bytes = Base64Tests.random(count)
      #expect(decode([UInt8](text: encode(bytes)), count: count) == bytes)
    }
  }

  /// RFC 4648 §3.5: one value, one text. Every other byte in every place is refused or another
  /// value.
  @Test func oneSpelling() {
    for count in [1, 2, 3, 39] {
      let bytes = Base64Tests.random(count)
      let text = [UInt8](text: encode(bytes))
      for place in text.indices {
        for byte in UInt8(0)...255 where byte != text[place] {
          var other = text
          other[place] = byte
          #expect(decode(other, count: count) != bytes)
        }
      }
      #expect(decode(text + [0x3D], count: count) == nil)
      #expect(decode(Array(text.dropLast()), count: count) == nil)
    }
  }

  @Test(arguments: ["-_-_", "____", "-___"]) func bothOwnCharacters(text: String) {
    #expect(decode([UInt8](text: text), count: 3) != nil)
    let standard = text.replacing("-", with: "+").replacing("_", with: "/")
    #expect(decode([UInt8](text: standard), count: 3) == nil)
  }

  @Test func leftOverBitsAreRefused() {
    #expect(decode([UInt8](text: "Zg"), count: 1) == [0x66])
    #expect(decode([UInt8](text: "Zh"), count: 1) == nil)
    #expect(decode([UInt8](text: "Zm9"), count: 2) == nil)
  }
}
