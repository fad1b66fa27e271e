import Testing
import Wire

/// What is certainly no image, beside the hosted types.
@Suite struct ImageHeaderTests {
  private static let filler = String(repeating: "x", count: 40)

  private func holdsNone(_ bytes: [UInt8]) -> Bool { ImageHeader.holdsNone(prefix: bytes.span) }

  @Test(arguments: [
    "", "null", "None", "undefined", "<!DOCTYPE html><html><body>Not found</body></html>",
    "{\"error\":{\"message\":\"The image could not be made.\"}}", "Ein Fehler: ä ö ü. " + filler,
    "\u{FEFF}<html>" + filler,
  ])
  func textIsNone(text: String) {
    #expect(holdsNone(Array(text.utf8)))
  }

  @Test(arguments: [
    "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
    "<?xml version=\"1.0\"?>\n<!-- made by x -->\n<SVG xmlns=\"http://www.w3.org/2000/svg\"/>",
    "BM\u{0}" + filler, "\u{1}\u{2}" + filler,
  ])
  func anythingElseMayBeOne(text: String) {
    #expect(!holdsNone(Array(text.utf8)))
  }

  @Test func aCutCharacterIsText() {
    let bytes = Array(Self.filler.utf8) + [0xC3]
    #expect(holdsNone(bytes))
    #expect(!holdsNone(bytes + [0xFF]))
  }
}
