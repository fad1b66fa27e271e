internal import Wire

/// A streaming zlib encoder (RFC 1950 around RFC 1951) in about 200 KB, however long the stream.
struct Deflate {
  /// Up to 32 KiB of history, then what is not yet coded.
  private var window = [UInt8](repeating: 0, count: 2 * MatchFinder.reach)
  private var filled = 0
  private var coded = 0
  private var matches = MatchFinder()

  private var block = DeflateBlock()
  private var adler = Adler32()
  private var bits = BitWriter()

  init() {
    // Deflate with a 32 KiB window, default effort; the pair is a multiple of 31 (RFC 1950 §2.2).
    bits.bytes = [0x78, 0x9C]
  }

  /// How many compressed bytes wait to be taken.
  var pending: Int { bits.bytes.count }

  /// Hands over the compressed bytes so far.
  mutating func take() -> [UInt8] {
    defer { bits.bytes = [] }
    return bits.bytes
  }

  /// Compresses more bytes. The last few wait for what follows, so that the result is the same
  /// however the stream is cut.
  mutating func append(_ bytes: Span<UInt8>) {
    adler.update(bytes)
    var taken = 0
    while taken < bytes.count {
      if filled == window.count { slide() }
      let count = min(bytes.count - taken, window.count - filled)
      for i in 0..<count { window[filled + i] = bytes[taken + i] }
      filled += count
      taken += count
      code(upTo: filled - MatchFinder.lookahead)
    }
  }

  /// Ends the stream: the rest, and the checksum (RFC 1950 §2.2).
  mutating func finish() {
    code(upTo: filled)
    block.close(isLast: true, to: &bits)
    bits.align()
    for shift in [24, 16, 8, 0] { bits.bytes.append(UInt8(adler.value >> shift & 0xFF)) }
  }

  /// Forgets the older half of the window.
  private mutating func slide() {
    for i in 0..<MatchFinder.reach { window[i] = window[i + MatchFinder.reach] }
    filled -= MatchFinder.reach
    coded -= MatchFinder.reach
    matches.slide()
  }

  private mutating func code(upTo end: Int) {
    while coded < end {
      scan(upTo: end)
      if block.isFull { block.close(isLast: false, to: &bits) }
    }
  }

  /// Turns bytes into symbols until `end` or until the block is full.
  private mutating func scan(upTo end: Int) {
    let window = self.window
    let seen = window.span.extracting(0..<filled)
    while coded < end, !block.isFull {
      if let match = matches.visit(coded, in: seen) {
        block.append(length: match.length, distance: match.distance)
        matches.skip(coded + 1..<coded + match.length, in: seen)
        coded += match.length
      } else {
        block.append(literal: seen[coded])
        coded += 1
      }
    }
  }
}
