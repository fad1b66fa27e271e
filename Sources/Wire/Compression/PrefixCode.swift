/// A canonical prefix code (RFC 1951 §3.2.2), read from the lowest bit on.
///
/// Codes of at most nine bits, nearly all that come, are looked up at once; longer ones are counted
/// through bit by bit (after Mark Adler's puff.c), so that a code is made in a few microseconds: an
/// answer may hold one in twenty bytes.
struct PrefixCode: Sendable {
  /// What the next bits are.
  enum Reading {
    case symbol(Int, bits: Int)
    case tooFewBits
    /// No code begins so.
    case none
  }

  private static let fastBits = 9
  private static let longest = 15

  /// For each nine bits: the symbol times 16, and its length; 0 where that is not enough.
  private var fast = [UInt16](repeating: 0, count: 1 << fastBits)
  /// How many symbols have each length.
  private var counts = [Int](repeating: 0, count: longest + 1)
  /// The symbols by length, then in order.
  private var symbols = [UInt16](repeating: 0, count: 288)

  /// Makes the code of these lengths; `false` when there is none: too many codes, or bits that mean
  /// nothing, but for a single code of one bit, or none at all, where `mayBeOpen`.
  mutating func make(_ lengths: ArraySlice<UInt8>, mayBeOpen: Bool) -> Bool {
    for length in counts.indices { counts[length] = 0 }
    for length in lengths { counts[Int(length)] += 1 }
    counts[0] = 0
    var room = 1
    for length in 1...Self.longest {
      room = room * 2 - counts[length]
      guard room >= 0 else { return false }
    }
    let isSingle = counts[1] <= 1 && !counts[2...].contains { $0 > 0 }
    guard room == 0 || mayBeOpen && isSingle else { return false }
    place(lengths)
    return true
  }

  private mutating func place(_ lengths: ArraySlice<UInt8>) {
    var places = [Int](repeating: 0, count: Self.longest + 2)
    var codes = [Int](repeating: 0, count: Self.longest + 2)
    for length in 1...Self.longest {
      places[length + 1] = places[length] + counts[length]
      codes[length + 1] = (codes[length] + counts[length]) << 1
    }
    for index in fast.indices { fast[index] = 0 }
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      symbols[places[length]] = UInt16(symbol)
      places[length] += 1
      let code = codes[length]
      codes[length] += 1
      guard length <= Self.fastBits else { continue }
      var reversed = 0
      for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
      for index in stride(from: reversed, to: fast.count, by: 1 << length) {
        fast[index] = UInt16(symbol << 4 | length)
      }
    }
  }

  /// Reads one symbol from the lowest `count` bits of `held`.
  @inline(__always)
  func read(_ held: UInt64, _ count: Int) -> Reading {
    let entry = Int(fast[Int(held & (1 << UInt64(Self.fastBits) - 1))])
    let bits = entry & 15
    guard entry != 0 else { return readLong(held, count) }
    return bits <= count ? .symbol(entry >> 4, bits: bits) : .tooFewBits
  }

  private func readLong(_ held: UInt64, _ count: Int) -> Reading {
    var (code, first, index) = (0, 0, 0)
    for length in 1...Self.longest {
      guard length <= count else { return .tooFewBits }
      code |= Int(held >> UInt64(length - 1) & 1)
      let here = counts[length]
      if code - first < here { return .symbol(Int(symbols[index + code - first]), bits: length) }
      index += here
      first = (first + here) << 1
      code <<= 1
    }
    return .none
  }
}
