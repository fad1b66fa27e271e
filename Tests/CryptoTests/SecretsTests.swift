import Crypto
import Testing

private func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  constantTimeEquals(left.span, right.span)
}

@Test func equalityIsOfEveryByte() {
  for count in [0, 1, 16, 32, 33] {
    let left = [UInt8](repeating: 0x5A, count: count)
    #expect(equal(left, left))
    #expect(!equal(left, left + [0]))
    for index in left.indices {
      for bit in 0..<8 {
        var right = left
        right[index] ^= 1 << bit
        #expect(!equal(left, right), "byte \(index) bit \(bit)")
      }
    }
  }
}

@Test func randomBytesFillAndDiffer() {
  var seen: Set<[UInt8]> = []
  var ones = [Int](repeating: 0, count: 16)
  for _ in 0..<1_000 {
    let bytes = SystemRandom.bytes16()
    seen.insert((0..<16).map { bytes[$0] })
    for index in 0..<16 { ones[index] += bytes[index].nonzeroBitCount }
  }
  #expect(seen.count == 1_000)
  // 8,000 fair bits per place: the mean is 4,000 and 500 are eleven standard deviations.
  #expect(ones.allSatisfy { (3_500...4_500).contains($0) })
  let key = SystemRandom.bytes32()
  #expect((0..<32).contains { key[$0] != 0 })
  var odd = InlineArray<7, UInt8>(repeating: 0)
  SystemRandom.fill(&odd)
  #expect((0..<7).contains { odd[$0] != 0 })
}

@Test func wipedBytesAreZero() {
  var key = InlineArray<32, UInt8>(repeating: 9)
  wipe(&key)
  #expect((0..<32).allSatisfy { key[$0] == 0 })
  var bytes: [UInt8] = [1, 2, 3]
  wipe(&bytes)
  #expect(bytes == [0, 0, 0])
}
