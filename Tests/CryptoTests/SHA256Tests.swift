import Crypto
import Testing

/// FIPS 180-4 examples and the NIST CAVP short messages (SHA256ShortMsg.rsp).
private let vectors: [(message: [UInt8], digest: String)] = [
  ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
  ([0xD3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
  ([0x11, 0xAF], "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
  (
    [0xB4, 0x19, 0x0E],
    "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"
  ),
  (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  (
    Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
  ),
  (
    Array(
      ("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu").utf8),
    "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
  ),
  (
    [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
  ),
]

// A span cannot be part of an expectation, which takes its expression apart.
private func sha256(_ message: [UInt8]) -> Digest { SHA256.digest(of: message.span) }
private func parsed(_ hex: [UInt8]) -> Digest? { Digest(hex: hex.span) }
private func digestOf(_ bytes: [UInt8]) -> Digest? { Digest(bytes.span) }

@Test(arguments: vectors.indices)
func sha256Vector(_ row: Int) {
  #expect(sha256(vectors[row].message).hex == vectors[row].digest)
}

@Test func sha256IsTheSameInPieces() {
  let message = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 7) }
  let whole = SHA256.digest(of: message.span)
  for cut in 0...message.count {
    var hash = SHA256()
    hash.update(message.span.extracting(0..<cut))
    hash.update(message.span.extracting(cut..<message.count))
    #expect(hash.finalize() == whole, "cut at \(cut)")
  }
  var hash = SHA256()
  for index in message.indices { hash.update(message.span.extracting(index..<index + 1)) }
  #expect(hash.finalize() == whole)
}

@Test func digestRoundTrips() throws {
  let text = "00ff10a5c0ffee0123456789abcdef00ba7816bf8f01cfea414140de5dae2223"
  let digest = try #require(parsed(Array(text.utf8)))
  #expect(digest.hex == text)
  #expect("\(digest)" == text)
  let bytes = digest.bytes
  #expect(bytes[0] == 0x00 && bytes[1] == 0xFF && bytes[31] == 0x23)
  #expect(Digest(bytes) == digest)
  #expect(digestOf((0..<32).map { bytes[$0] }) == digest)
  let digits = digest.hexBytes
  #expect(parsed((0..<64).map { digits[$0] }) == digest)
}

@Test func digestRefusesOtherSpellings() {
  let good = [UInt8](repeating: UInt8(ascii: "a"), count: 64)
  #expect(parsed(good) != nil)
  for foreign in Array("AFGgz/:@`\0 -".utf8) + [0x80, 0xFF] {
    for index in [0, 15, 16, 31, 32, 47, 48, 63] {
      var text = good
      text[index] = foreign
      #expect(parsed(text) == nil, "byte \(foreign) at \(index)")
    }
  }
  for count in [0, 1, 63, 65, 128] {
    #expect(parsed([UInt8](repeating: UInt8(ascii: "a"), count: count)) == nil)
  }
  for count in [0, 31, 33] { #expect(digestOf([UInt8](repeating: 0, count: count)) == nil) }
}

@Test func digestsAreOrderedByTheirBytes() {
  let digests = (0..<64).map { sha256([UInt8($0)]) }
  #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
  for place in 0..<32 {
    var bytes = InlineArray<32, UInt8>(repeating: 7)
    let lower = Digest(bytes)
    bytes[place] = 8
    #expect(lower < Digest(bytes) && !(Digest(bytes) < lower) && !(lower < lower))
  }
}
