// The blocks of a deflate stream (RFC 1951 §3.2.3 to §3.2.7). Each step takes all bits of a thing
// or none, so that a split anywhere changes nothing.

extension Inflater {
  mutating func beginBlock() throws(InflateFailure) -> Bool {
    guard let head = bits.take(3) else { return false }
    countStart()
    isLast = head & 1 == 1
    switch head >> 1 {
    case 0:
      bits.dropPartByte()
      state = .storedStart
    case 1:
      (literals, distances) = Self.fixed
      state = .symbols
    case 2: state = .counts
    default: throw .badBlock
    }
    return true
  }

  /// The codes of §3.2.6; made once.
  private static let fixed: (PrefixCode, PrefixCode) = {
    var lengths = [UInt8](repeating: 8, count: 288)
    for index in 144..<256 { lengths[index] = 9 }
    for index in 256..<280 { lengths[index] = 7 }
    var (literals, distances) = (PrefixCode(), PrefixCode())
    let fives = [UInt8](repeating: 5, count: 32)
    _ = literals.make(lengths[...], mayBeOpen: false)
    _ = distances.make(fives[...], mayBeOpen: false)
    return (literals, distances)
  }()

  /// §3.2.4: bytes as they are.
  mutating func stored(_ input: Span<UInt8>, _ index: inout Int) throws(InflateFailure) -> Bool {
    guard case .stored(var left) = state else {
      guard let lengths = bits.take(32) else { return false }
      guard lengths & 0xFFFF == lengths >> 16 ^ 0xFFFF else { throw .badBlock }
      state = .stored(left: lengths & 0xFFFF)
      return true
    }
    while left > 0, window.hasRoom {
      bits.fill(input, &index)
      guard let byte = bits.take(8) else { break }
      window.append(UInt8(truncatingIfNeeded: byte))
      left -= 1
    }
    state = .stored(left: left)
    if left == 0 { endBlocks() }
    return left == 0 || !window.hasRoom
  }

  // MARK: Codes of a block

  private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// §3.2.7: how many lengths there are, the code that they are written in, the lengths.
  mutating func readLengths(
    _ input: Span<UInt8>, _ index: inout Int
  ) throws(InflateFailure) -> Bool {
    switch state {
    case .counts:
      guard let head = bits.take(14) else { return false }
      literalCount = head & 31 + 257
      lengthCount = literalCount + head >> 5 & 31 + 1
      guard literalCount <= 286, lengthCount - literalCount <= 30 else { throw .badCode }
      codeLengths = [UInt8](repeating: 0, count: 19)
      state = .codeLengths(have: 0, of: head >> 10 + 4)
    case .codeLengths(let have, let all):
      guard have < all else {
        guard literals.make(codeLengths[...], mayBeOpen: false) else { throw .badCode }
        codeLengths.removeAll(keepingCapacity: true)
        state = .lengths
        return true
      }
      guard let length = bits.take(3) else { return false }
      codeLengths[Self.order[have]] = UInt8(length)
      state = .codeLengths(have: have + 1, of: all)
    default:
      while codeLengths.count < lengthCount {
        bits.fill(input, &index)
        guard try readLength() else { return false }
      }
      try makeCodes()
    }
    return true
  }

  /// One length, or a run of them.
  private mutating func readLength() throws(InflateFailure) -> Bool {
    guard case .symbol(let symbol, let length) = literals.read(bits.held, bits.count) else {
      return try tooFew(literals.read(bits.held, bits.count))
    }
    guard symbol >= 16 else {
      bits.drop(length)
      codeLengths.append(UInt8(symbol))
      return true
    }
    let (extra, least) = symbol == 16 ? (2, 3) : symbol == 17 ? (3, 3) : (7, 11)
    guard let all = bits.peek(length + extra) else { return false }
    bits.drop(length + extra)
    let run = least + all >> length
    guard codeLengths.count + run <= lengthCount else { throw .badCode }
    var repeated: UInt8 = 0
    if symbol == 16 {
      guard let last = codeLengths.last else { throw .badCode }
      repeated = last
    }
    for _ in 0..<run { codeLengths.append(repeated) }
    return true
  }

  private func tooFew(_ reading: PrefixCode.Reading) throws(InflateFailure) -> Bool {
    if case .none = reading { throw .badCode }
    return false
  }

  private mutating func makeCodes() throws(InflateFailure) {
    guard codeLengths[256] > 0,
      literals.make(codeLengths[..<literalCount], mayBeOpen: true),
      distances.make(codeLengths[literalCount...], mayBeOpen: true)
    else { throw .badCode }
    state = .symbols
  }

  // MARK: Symbols

  /// Literals and copies, until the block, the room or the input ends.
  mutating func readSymbols(
    _ input: Span<UInt8>, _ index: inout Int
  ) throws(InflateFailure) -> Bool {
    while window.hasRoom {
      bits.fill(input, &index)
      switch literals.read(bits.held, bits.count) {
      case .symbol(let symbol, let length):
        if symbol < 256 {
          bits.drop(length)
          window.append(UInt8(symbol))
        } else if symbol == 256 {
          bits.drop(length)
          endBlocks()
          return true
        } else if try !copy(symbol, length) {
          return false
        }
      case .tooFewBits: return false
      case .none: throw .badCode
      }
    }
    return true
  }

  /// A copy: its length with extra bits, its distance with extra bits, at most 48 bits in all.
  private mutating func copy(_ symbol: Int, _ used: Int) throws(InflateFailure) -> Bool {
    guard symbol < 286 else { throw .badCode }
    let (base, extra) = (Self.lengthBases[symbol - 257], Self.lengthExtras[symbol - 257])
    var used = used
    guard used + extra <= bits.count else { return false }
    let count = base + Int(bits.held >> UInt64(used) & (1 << UInt64(extra) - 1))
    used += extra
    switch distances.read(bits.held >> UInt64(used), bits.count - used) {
    case .tooFewBits: return false
    case .none: throw .badCode
    case .symbol(let far, let length):
      guard far < 30 else { throw .badCode }
      used += length
      let extra = Self.distanceExtras[far]
      guard used + extra <= bits.count else { return false }
      let distance =
        Self.distanceBases[far] + Int(bits.held >> UInt64(used) & (1 << UInt64(extra) - 1))
      bits.drop(used + extra)
      guard window.copy(count, from: distance) else { throw .badDistance }
      return true
    }
  }

  // §3.2.5, written out.
  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthExtras = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
    2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
  private static let distanceExtras = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
  ]
}
