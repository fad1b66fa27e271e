/// The codes of a dynamic block as they stand at its head (RFC 1951 §3.2.7): their lengths,
/// run-length coded, and these coded once more.
struct CodeHeader {
  let literals: HuffmanCode
  let distances: HuffmanCode

  private let literalCount: Int
  private let distanceCount: Int
  private let runs: [Run]
  private let runCode: HuffmanCode
  private let runCodeCount: Int

  /// Symbols 0...15 are a length; 16 repeats the last one, 17 and 18 repeat zero.
  private struct Run {
    let symbol: Int
    var extra: UInt32 = 0
    var extraBits: UInt64 { symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0 }
  }

  init(literals: HuffmanCode, distances: HuffmanCode) {
    self.literals = literals
    self.distances = distances
    literalCount = max(257, Self.used(literals.lengths))
    distanceCount = max(1, Self.used(distances.lengths))
    runs = Self.runs(
      literals.lengths.prefix(literalCount) + distances.lengths.prefix(distanceCount))
    var frequencies = [Int](repeating: 0, count: 19)
    for run in runs { frequencies[run.symbol] += 1 }
    let code = HuffmanCode(frequencies: frequencies, limit: 7)
    runCode = code
    runCodeCount = max(4, Self.used(Self.order.map { code.lengths[$0] }))
  }

  /// The size of the header in bits.
  var cost: Int {
    runs.reduce(14 + 3 * runCodeCount) {
      $0 + Int(runCode.lengths[$1.symbol]) + Int($1.extraBits)
    }
  }

  func write(to bits: inout BitWriter) {
    bits.put(UInt32(literalCount - 257), bits: 5)
    bits.put(UInt32(distanceCount - 1), bits: 5)
    bits.put(UInt32(runCodeCount - 4), bits: 4)
    for symbol in Self.order.prefix(runCodeCount) {
      bits.put(UInt32(runCode.lengths[symbol]), bits: 3)
    }
    for run in runs {
      bits.put(runCode, run.symbol)
      bits.put(run.extra, bits: run.extraBits)
    }
  }

  /// The order in which the lengths of the run code stand: the likeliest to be zero come last.
  private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  private static func used(_ lengths: [UInt8]) -> Int {
    (lengths.lastIndex { $0 > 0 } ?? -1) + 1
  }

  private static func runs(_ lengths: ArraySlice<UInt8>) -> [Run] {
    var runs: [Run] = []
    var rest = lengths
    while let length = rest.first {
      let same = rest.prefix { $0 == length }.count
      rest = rest.dropFirst(same)
      runs += length == 0 ? zeros(same) : repeats(length, same)
    }
    return runs
  }

  private static func zeros(_ count: Int) -> [Run] {
    switch count {
    case 0: []
    case 1...2: [Run](repeating: Run(symbol: 0), count: count)
    case 3...10: [Run(symbol: 17, extra: UInt32(count - 3))]
    case 11...138: [Run(symbol: 18, extra: UInt32(count - 11))]
    default: [Run(symbol: 18, extra: 127)] + zeros(count - 138)
    }
  }

  private static func repeats(_ length: UInt8, _ count: Int) -> [Run] {
    var runs = [Run(symbol: Int(length))]
    var left = count - 1
    while left >= 3 {
      let step = min(left, 6)
      runs.append(Run(symbol: 16, extra: UInt32(step - 3)))
      left -= step
    }
    return runs + [Run](repeating: Run(symbol: Int(length)), count: left)
  }
}
