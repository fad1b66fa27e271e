import Testing

@testable import Upstream

@Suite struct HuffmanCodeTests {
  /// The example of RFC 1951 §3.2.2: ABCDEFGH with lengths 3, 3, 3, 3, 3, 2, 4, 4.
  @Test func canonicalCodes() {
    let code = HuffmanCode(lengths: [3, 3, 3, 3, 3, 2, 4, 4])
    let sent = ["010", "011", "100", "101", "110", "00", "1110", "1111"]
    for (symbol, bits) in sent.enumerated() {
      #expect(code.codes[symbol] == UInt16(String(bits.reversed()), radix: 2))
    }
  }

  @Test(arguments: [
    ([0, 0, 0], 15, [0, 0, 0]),
    ([0, 9, 0], 15, [0, 1, 0]),  // §3.2.7: one symbol takes one bit
    ([1, 9], 15, [1, 1]),
    ([1, 1, 2, 4], 15, [3, 3, 2, 1]),
    ([1, 1, 1, 1], 15, [2, 2, 2, 2]),
  ])
  func lengths(frequencies: [Int], limit: Int, lengths: [UInt8]) {
    #expect(HuffmanCode(frequencies: frequencies, limit: limit).lengths == lengths)
  }

  /// Frequencies that grow like Fibonacci's numbers make the deepest of all trees.
  @Test(arguments: [(19, 7), (30, 15), (40, 15)])
  func limit(symbols: Int, limit: Int) {
    var frequencies = [1, 1]
    while frequencies.count < symbols { frequencies.append(frequencies.suffix(2).reduce(0, +)) }
    let lengths = HuffmanCode(frequencies: frequencies, limit: limit).lengths.map { Int($0) }
    #expect(lengths.max() ?? 0 <= limit)
    // Kraft: the code is complete.
    #expect(lengths.reduce(0) { $0 + 1 << (limit - $1) } == 1 << limit)
  }
}
