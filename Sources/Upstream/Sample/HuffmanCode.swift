/// A canonical prefix code (RFC 1951 §3.2.2): the more frequent a symbol, the fewer its bits.
struct HuffmanCode {
  /// Bits per symbol; 0 for a symbol that does not occur.
  let lengths: [UInt8]
  /// The bits themselves, already reversed, as DEFLATE sends codes from their first bit on.
  let codes: [UInt16]

  /// The code with these lengths: codes of one length are consecutive, in the order of symbols.
  init(lengths: [UInt8]) {
    var counts = [UInt16](repeating: 0, count: 16)
    for length in lengths where length > 0 { counts[Int(length)] += 1 }
    var next = [UInt16](repeating: 0, count: 16)
    for length in 1..<16 { next[length] = (next[length - 1] &+ counts[length - 1]) &<< 1 }
    self.lengths = lengths
    codes = lengths.map { length in
      guard length > 0 else { return 0 }
      defer { next[Int(length)] &+= 1 }
      return Self.reversed(next[Int(length)], bits: length)
    }
  }

  /// The best code for these frequencies in which no symbol takes more than `limit` bits.
  init(frequencies: [Int], limit: Int) {
    var weights = frequencies
    var lengths = Self.unlimitedLengths(weights)
    while lengths.contains(where: { $0 > limit }) {
      // Flattening costs a fraction of a percent, is rare, and ends: equal weights are shallow.
      weights = weights.map { ($0 + 1) / 2 }
      lengths = Self.unlimitedLengths(weights)
    }
    self.init(lengths: lengths.map { UInt8($0) })
  }

  /// How many bits a text with these frequencies takes.
  func cost(of frequencies: [Int]) -> Int {
    zip(frequencies, lengths).reduce(0) { $0 + $1.0 * Int($1.1) }
  }

  /// Huffman's method with two queues: leaves by weight, and joined nodes, which are born in order.
  private static func unlimitedLengths(_ weights: [Int]) -> [Int] {
    var lengths = [Int](repeating: 0, count: weights.count)
    let leaves = weights.indices.filter { weights[$0] > 0 }.sorted { weights[$0] < weights[$1] }
    guard leaves.count > 1 else {
      // A code of one symbol still needs one bit (RFC 1951 §3.2.7).
      for leaf in leaves { lengths[leaf] = 1 }
      return lengths
    }
    var weight = leaves.map { weights[$0] }
    var parent = [Int](repeating: 0, count: 2 * leaves.count - 1)
    var nextLeaf = 0
    var nextJoined = leaves.count
    for joined in leaves.count..<parent.count {
      weight.append(0)
      for _ in 0..<2 {
        let leafIsLighter =
          nextLeaf < leaves.count
          && (nextJoined == joined || weight[nextLeaf] <= weight[nextJoined])
        let child = leafIsLighter ? nextLeaf : nextJoined
        if leafIsLighter { nextLeaf += 1 } else { nextJoined += 1 }
        weight[joined] += weight[child]
        parent[child] = joined
      }
    }
    var depth = [Int](repeating: 0, count: parent.count)
    for node in (0..<parent.count - 1).reversed() { depth[node] = depth[parent[node]] + 1 }
    for (node, symbol) in leaves.enumerated() { lengths[symbol] = depth[node] }
    return lengths
  }

  private static func reversed(_ code: UInt16, bits: UInt8) -> UInt16 {
    var (rest, turned) = (code, UInt16(0))
    for _ in 0..<bits {
      turned = turned << 1 | rest & 1
      rest >>= 1
    }
    return turned
  }
}
