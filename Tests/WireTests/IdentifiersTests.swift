import Testing
import Wire

@Suite struct IdentifiersTests {
  let text = "img-00112233445566778899aabbccddeeff"

  @Test func oneSpelling() throws {
    let asset = try #require(AssetID(text))
    #expect(asset.description == text)
    #expect(asset.bytes[0] == 0x00 && asset.bytes[1] == 0x11 && asset.bytes[15] == 0xFF)
    #expect(asset.text[0] == UInt8(ascii: "i") && asset.text[35] == UInt8(ascii: "f"))
    let bytes = asset.bytes
    let again = AssetID(bytes: bytes.span)
    #expect(again == asset)
    #expect(GenerationID("gen-00112233445566778899aabbccddeeff")?.number == asset.number)
  }

  @Test(arguments: [
    "", "img-", "img-00112233445566778899aabbccddeef", "img-00112233445566778899aabbccddeeff0",
    "img-00112233445566778899AABBCCDDEEFF", "gen-00112233445566778899aabbccddeeff",
    "img_00112233445566778899aabbccddeeff", "img-00112233445566778899aabbccddeefg",
    "img-0011223344556677-8899aabbccddeef",
  ])
  func otherSpellingsAreRefused(text: String) {
    #expect(AssetID(text) == nil)
  }

  @Test func orderIsThatOfTheTexts() throws {
    let small = try #require(AssetID("img-0f000000000000000000000000000000"))
    let large = try #require(AssetID("img-f0000000000000000000000000000000"))
    #expect(small < large)
    let short = AssetID(bytes: [UInt8](repeating: 1, count: 15).span)
    #expect(short == nil)
  }
}
