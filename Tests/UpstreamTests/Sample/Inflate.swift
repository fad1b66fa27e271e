/// A decoder of zlib streams (RFC 1950, RFC 1951) that shares nothing with the encoder under test.
/// Plain and slow: one bit at a time, codes looked up by counting (after Mark Adler's puff.c).
struct Inflate {
  enum Failure: Error { case truncated, header, blockType, code, distance, checksum, trailing }

  private let input: [UInt8]
  private var place = 2
  private var held: UInt32 = 0
  private var heldBits = 0
  private(set) var output: [UInt8] = []
  /// How many blocks of each type (0 stored, 1 fixed, 2 dynamic) there were.
  private(set) var blocks = [0, 0, 0]
  private(set) var longestDistance = 0

  /// Decodes a whole stream.
  init(zlib input: [UInt8]) throws {
    self.input = input
    guard input.count >= 6, input[0] & 0x0F == 8, (Int(input[0]) << 8 | Int(input[1])) % 31 == 0
    else { throw Failure.header }
    while try !block() {}
    var checksum: UInt32 = 0
    guard input.count - place == 4 else { throw Failure.trailing }
    for byte in input.suffix(4) { checksum = checksum << 8 | UInt32(byte) }
    guard checksum == Self.adler(output) else { throw Failure.checksum }
  }

  static func adler(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    return b << 16 | a
  }

  private mutating func bits(_ count: Int) throws -> Int {
    while heldBits < count {
      guard place < input.count else { throw Failure.truncated }
      held |= UInt32(input[place]) << UInt32(heldBits)
      place += 1
      heldBits += 8
    }
    defer {
      held >>= UInt32(count)
      heldBits -= count
    }
    return Int(held & (1 << UInt32(count) - 1))
  }

  private mutating func block() throws -> Bool {
    let isLast = try bits(1) == 1
    let type = try bits(2)
    guard type == 1 || type == 2 else { throw Failure.blockType }
    blocks[type] += 1
    var lengths = [Int](repeating: 8, count: 288) + [Int](repeating: 5, count: 32)
    var literals = 288
    if type == 1 {
      for i in 144..<256 { lengths[i] = 9 }
      for i in 256..<280 { lengths[i] = 7 }
    } else {
      (lengths, literals) = try header()
    }
    try symbols(Code(lengths[..<literals]), Code(lengths[literals...]))
    return isLast
  }

  private mutating func header() throws -> (lengths: [Int], literals: Int) {
    let (literals, distances, count) = (try bits(5) + 257, try bits(5) + 1, try bits(4) + 4)
    guard literals <= 286, distances <= 30 else { throw Failure.code }
    var lengths = [Int](repeating: 0, count: 19)
    for i in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].prefix(count) {
      lengths[i] = try bits(3)
    }
    let code = try Code(lengths[...])
    var found: [Int] = []
    while found.count < literals + distances {
      let symbol = try next(code)
      switch symbol {
      case 16:
        guard let last = found.last else { throw Failure.code }
        found += [Int](repeating: last, count: 3 + (try bits(2)))
      case 17: found += [Int](repeating: 0, count: 3 + (try bits(3)))
      case 18: found += [Int](repeating: 0, count: 11 + (try bits(7)))
      default: found.append(symbol)
      }
    }
    guard found.count == literals + distances, found[256] > 0 else { throw Failure.code }
    return (found, literals)
  }

  private mutating func symbols(_ literals: Code, _ distances: Code) throws {
    while true {
      let symbol = try next(literals)
      if symbol == 256 { return }
      guard symbol > 256 else {
        output.append(UInt8(symbol))
        continue
      }
      guard symbol < 286 else { throw Failure.code }
      let length = try Self.lengths[symbol - 257].base + bits(Self.lengths[symbol - 257].extra)
      let far = try next(distances)
      guard far < 30 else { throw Failure.code }
      let distance = try Self.distances[far].base + bits(Self.distances[far].extra)
      guard distance <= output.count, distance <= 32768 else { throw Failure.distance }
      longestDistance = max(longestDistance, distance)
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private mutating func next(_ code: Code) throws -> Int {
    var (value, first, index) = (0, 0, 0)
    for length in 1...15 {
      value |= try bits(1)
      let count = code.counts[length]
      if value - count < first { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw Failure.code
  }

  /// A canonical code: how many symbols have each length, and the symbols in order.
  private struct Code {
    let counts: [Int]
    let symbols: [Int]

    /// Refuses codes with more symbols than fit, and incomplete ones of more than one symbol.
    init(_ lengths: ArraySlice<Int>) throws {
      let byLength = (1...15).map { length in
        lengths.indices.filter { lengths[$0] == length }.map { $0 - lengths.startIndex }
      }
      counts = [0] + byLength.map { $0.count }
      symbols = byLength.flatMap { $0 }
      var room = 1
      for count in counts.dropFirst() {
        room = room * 2 - count
        guard room >= 0 else { throw Failure.code }
      }
      guard room == 0 || symbols.count <= 1 else { throw Failure.code }
    }
  }

  /// RFC 1951 §3.2.5, written out.
  private static let lengths: [(base: Int, extra: Int)] = Array(
    zip(
      [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
        131, 163, 195, 227, 258,
      ],
      [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0])
  ).map { (base: $0.0, extra: $0.1) }
  private static let distances: [(base: Int, extra: Int)] = Array(
    zip(
      [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
        2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
      ],
      [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
        13, 13,
      ])
  ).map { (base: $0.0, extra: $0.1) }
}
