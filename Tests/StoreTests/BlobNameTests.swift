import Crypto
import Testing

@testable import Store

@Suite struct BlobNameTests {
  let digest = SHA256.digest(of: [1].span)

  @Test(arguments: [0, 1, 0x0102_0304, .max] as [UInt32])
  func nameIsReadAsItWasWritten(tail: UInt32) {
    let name = BlobName(digest: digest, tail: tail)
    #expect(BlobName("\(name)") == name)
    #expect("\(name)".utf8.count == 73)
    #expect(name.path == "\(digest.hex.prefix(2))/\(name)")
  }

  @Test func otherSpellingsAreNone() {
    let good = "\(BlobName(digest: digest, tail: 0xABCD))"
    let bad = [
      "", good + "0", String(good.dropLast()), good.uppercased(),
      good.replacingOccurrences("-", "_"), "é" + good.dropFirst(2),
    ]
    for text in bad { #expect(BlobName(text) == nil) }
  }

  @Test(arguments: [("", false), ("a", true), ("a\nb", false), ("gw 1", true)])
  func ownersHaveOneLine(name: String, isGood: Bool) {
    #expect((Owner(name) != nil) == isGood)
    #expect(Owner(String(repeating: "x", count: 65)) == nil)
  }
}

extension String {
  fileprivate func replacingOccurrences(_ old: Character, _ new: Character) -> String {
    String(map { $0 == old ? new : $0 })
  }
}
