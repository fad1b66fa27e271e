/// One block of DEFLATE (RFC 1951 §3.2.3): literals and matches, gathered until they are worth a
/// Huffman code of their own.
struct DeflateBlock {
  /// Symbols per block: few enough that closing one takes well under a millisecond.
  static let capacity = 8192

  /// A literal is its byte; a match is its length with its distance in the upper half.
  private var symbols: [UInt32] = []
  private var literalFrequencies = [Int](repeating: 0, count: 286)
  private var distanceFrequencies = [Int](repeating: 0, count: 30)

  init() {
    symbols.reserveCapacity(Self.capacity)
  }

  var isFull: Bool { symbols.count >= Self.capacity }

  @inline(__always)
  mutating func append(literal: UInt8) {
    symbols.append(UInt32(literal))
    literalFrequencies[Int(literal)] &+= 1
  }

  /// `length` 3...258, `distance` 1...32768.
  mutating func append(length: Int, distance: Int) {
    symbols.append(UInt32(distance << 16 | length))
    literalFrequencies[LengthCode(length).symbol] += 1
    distanceFrequencies[DistanceCode(distance).symbol] += 1
  }

  /// Writes the block with the cheaper of the fixed and its own code, and starts an empty one.
  mutating func close(isLast: Bool, to bits: inout BitWriter) {
    literalFrequencies[Self.endOfBlock] = 1
    let header = CodeHeader(
      literals: HuffmanCode(frequencies: literalFrequencies, limit: 15),
      distances: HuffmanCode(frequencies: distanceFrequencies, limit: 15))
    let ownCost = header.cost + cost(header.literals, header.distances)

    bits.put(isLast ? 1 : 0, bits: 1)
    if ownCost < cost(Self.fixedLiterals, Self.fixedDistances) {
      bits.put(2, bits: 2)
      header.write(to: &bits)
      write(header.literals, header.distances, to: &bits)
    } else {
      bits.put(1, bits: 2)
      write(Self.fixedLiterals, Self.fixedDistances, to: &bits)
    }
    symbols.removeAll(keepingCapacity: true)
    for i in literalFrequencies.indices { literalFrequencies[i] = 0 }
    for i in distanceFrequencies.indices { distanceFrequencies[i] = 0 }
  }

  /// Extra bits are left out: they are the same with every code.
  private func cost(_ literals: HuffmanCode, _ distances: HuffmanCode) -> Int {
    literals.cost(of: literalFrequencies) + distances.cost(of: distanceFrequencies)
  }

  private func write(
    _ literals: HuffmanCode, _ distances: HuffmanCode, to bits: inout BitWriter
  ) {
    for symbol in symbols {
      let distance = Int(symbol >> 16)
      guard distance > 0 else {
        bits.put(literals, Int(symbol))
        continue
      }
      let length = LengthCode(Int(symbol & 0xFFFF))
      bits.put(literals, length.symbol)
      bits.put(length.extra, bits: length.extraBits)
      let far = DistanceCode(distance)
      bits.put(distances, far.symbol)
      bits.put(far.extra, bits: far.extraBits)
    }
    bits.put(literals, Self.endOfBlock)
  }

  private static let endOfBlock = 256

  /// RFC 1951 §3.2.6. Symbols 286 and 287 never occur but take part in the code.
  private static let fixedLiterals = HuffmanCode(
    lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = HuffmanCode(lengths: [UInt8](repeating: 5, count: 30))
}

extension BitWriter {
  /// Appends the code of one symbol.
  @inline(__always)
  mutating func put(_ code: HuffmanCode, _ symbol: Int) {
    put(UInt32(code.codes[symbol]), bits: UInt64(code.lengths[symbol]))
  }
}

/// A match length 3...258 as symbol and extra bits. The table of RFC 1951 §3.2.5 is a pattern:
/// from the ninth symbol on, every four share their number of extra bits.
struct LengthCode {
  let symbol: Int
  let extra: UInt32
  let extraBits: UInt64

  @inline(__always)
  init(_ length: Int) {
    let rest = length - 3
    if length == 258 {
      (symbol, extra, extraBits) = (285, 0, 0)
    } else if rest < 8 {
      (symbol, extra, extraBits) = (257 + rest, 0, 0)
    } else {
      let shift = Int.bitWidth - 3 - rest.leadingZeroBitCount
      symbol = 257 + 4 * shift + rest >> shift
      extra = UInt32(rest & (1 << shift - 1))
      extraBits = UInt64(shift)
    }
  }
}

/// A match distance 1...32768 as symbol and extra bits: the same pattern with groups of two.
struct DistanceCode {
  let symbol: Int
  let extra: UInt32
  let extraBits: UInt64

  @inline(__always)
  init(_ distance: Int) {
    let rest = distance - 1
    if rest < 4 {
      (symbol, extra, extraBits) = (rest, 0, 0)
    } else {
      let shift = Int.bitWidth - 2 - rest.leadingZeroBitCount
      symbol = 2 * shift + rest >> shift
      extra = UInt32(rest & (1 << shift - 1))
      extraBits = UInt64(shift)
    }
  }
}
