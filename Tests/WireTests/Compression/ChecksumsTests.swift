import Testing
import Wire

@Suite struct ChecksumsTests {
  @Test(arguments: [
    ("", 0, 1),
    ("123456789", 0xCBF4_3926, 0x091E_01DE),  // the check value of CRC-32; of Adler-32
    ("IEND", 0xAE42_6082, 0x2D70121),  // the last chunk of every PNG
    ("Wikipedia", 0xADAA_C02E, 0x11E6_0398),
  ])
  func knownValues(text: String, crc: UInt32, adler: UInt32) {
    let bytes = Array(text.utf8)
    var (crcs, adlers) = (CRC32(), Adler32())
    for byte in bytes {
      crcs.update([byte].span)
      adlers.update([byte].span)
    }
    #expect(crcs.value == crc)
    #expect(adlers.value == adler)
    var (whole, wholeAdler) = (CRC32(), Adler32())
    whole.update(bytes.span)
    wholeAdler.update(bytes.span)
    #expect(whole.value == crc)
    #expect(wholeAdler.value == adler)
  }

  /// The sums would overflow if they were reduced any later (RFC 1950 §9).
  @Test func adlerOfManyGreatBytes() {
    let bytes = [UInt8](repeating: 255, count: 20_000)
    var adler = Adler32()
    adler.update(bytes.span)
    let sums = bytes.reduce((a: 1, b: 0)) { sums, byte in
      let a = (sums.a + Int(byte)) % 65521
      return (a, (sums.b + a) % 65521)
    }
    #expect(Int(adler.value) == sums.b << 16 | sums.a)
  }
}
