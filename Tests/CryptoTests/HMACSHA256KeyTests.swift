import Crypto
import Testing

// A span cannot be part of an expectation, which takes its expression apart.
private func key(_ secret: [UInt8]) -> HMACSHA256Key { HMACSHA256Key(secret.span) }

private func hex(_ key: HMACSHA256Key, _ message: [UInt8]) -> String {
  Digest(key.mac(of: message.span)).hex
}

/// RFC 4231 section 4. Case 5 truncates to 128 bits.
private let vectors: [(section: String, key: [UInt8], data: [UInt8], mac: String)] = [
  (
    "4.2", [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
  ),
  (
    "4.3", Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
  ),
  (
    "4.4", [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
  ),
  (
    "4.5", Array(1...25), [UInt8](repeating: 0xCD, count: 50),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
  ),
  (
    "4.6", [UInt8](repeating: 0x0C, count: 20), Array("Test With Truncation".utf8),
    "a3b6167473100ee06e0c796c2955552b"
  ),
  (
    "4.7", [UInt8](repeating: 0xAA, count: 131),
    Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
  ),
  (
    "4.8", [UInt8](repeating: 0xAA, count: 131),
    Array(
      ("This is a test using a larger than block-size key and a larger than block-size data. "
        + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
  ),
]

@Test(arguments: vectors.indices)
func hmacVector(_ row: Int) {
  let secretKey = key(vectors[row].key)
  let mac = hex(secretKey, vectors[row].data)
  #expect(mac.hasPrefix(vectors[row].mac), "RFC 4231 section \(vectors[row].section)")
  #expect(hex(secretKey, vectors[row].data) == mac, "a key serves many messages")
}

@Test func aKeyOfAWholeBlockIsNotHashed() {
  // hmac.new(bytes(range(64)), b"block", "sha256").hexdigest() and the same with range(65).
  let block = key(Array(0..<64))
  #expect(
    hex(block, Array("block".utf8))
      == "0c4195064dd4ca79599d2b8508c3f4c5f3805080dd6b451ca30e7d2da73a2c3d")
  let longer = key(Array(0..<65))
  #expect(
    hex(longer, Array("block".utf8))
      == "14f952ab1b86c57b32f958d5d1eff16dcf0b87097624748296dc953e05da894b")
}

@Test func aKeyIsNeverPrinted() {
  let secretKey = key([UInt8](repeating: 0x41, count: 32))
  var dumped = ""
  dump(secretKey, to: &dumped)
  #expect("\(secretKey)" == "HMACSHA256Key")
  #expect(String(reflecting: secretKey) == "HMACSHA256Key")
  #expect(dumped == "- HMACSHA256Key\n")
}
