/// Finds earlier copies of what comes next, by chains of places with the same hash.
///
/// Made for filtered PNG rows: mostly small literals, which cost few bits each, so that a short
/// match would be dearer than what it replaces. Matches start at six bytes.
struct MatchFinder {
  /// How far back a match may lie (RFC 1951 §2).
  static let reach = 32_768
  /// The longest match that has a code (RFC 1951 §3.2.5).
  static let longest = 258
  /// How much must be known beyond a place for its match not to depend on what comes later.
  static let lookahead = longest + shortest
  private static let shortest = 6
  /// How many places of a chain are tried: more gains little and costs time.
  private static let patience = 2
  private static let hashBits: UInt64 = 14

  /// The last place with each hash; 0 is none, so that place 0 is never found: a trifle.
  private var heads = [UInt16](repeating: 0, count: 1 << hashBits)
  /// For each place, modulo `reach`, the one before it with the same hash.
  private var earlier = [UInt16](repeating: 0, count: reach)

  /// Notes this place (below 65536), and says where its bytes occurred before.
  @inline(__always)
  mutating func visit(
    _ place: Int, in window: Span<UInt8>
  ) -> (length: Int, distance: Int)? {
    guard place + Self.shortest <= window.count else { return nil }
    var candidate = note(place, in: window)
    let oldest = max(0, place - Self.reach)
    var best = (length: Self.shortest - 1, distance: 0)
    let most = min(Self.longest, window.count - place)
    for _ in 0..<Self.patience where candidate > oldest {
      // A better match must also have a better last byte: that is the quickest refusal.
      if window[candidate + best.length] == window[place + best.length] {
        let length = Self.common(candidate, place, most: most, in: window)
        if length > best.length { best = (length, place - candidate) }
        if length == most { break }
      }
      let next = Int(earlier[candidate & (Self.reach - 1)])
      // A slot taken over by a newer place ends the chain.
      candidate = next < candidate ? next : 0
    }
    return best.distance > 0 ? best : nil
  }

  /// Notes places that a match has covered.
  mutating func skip(_ places: Range<Int>, in window: Span<UInt8>) {
    for place in places.clamped(to: 0..<max(0, window.count - Self.shortest + 1)) {
      _ = note(place, in: window)
    }
  }

  /// The window has moved by `reach`: older places are forgotten.
  mutating func slide() {
    let shift = UInt16(Self.reach)
    for i in heads.indices { heads[i] = heads[i] > shift ? heads[i] - shift : 0 }
    for i in earlier.indices { earlier[i] = earlier[i] > shift ? earlier[i] - shift : 0 }
  }

  /// Puts the place at the head of its chain; the head until now.
  @inline(__always)
  private mutating func note(_ place: Int, in window: Span<UInt8>) -> Int {
    var key: UInt64 = 0
    for i in 0..<Self.shortest { key = key &<< 8 | UInt64(window[place &+ i]) }
    // Fibonacci hashing: the upper bits of the product depend on every byte.
    let hash = Int((key &* 0x9E37_79B9_7F4A_7C15) &>> (64 - Self.hashBits))
    let last = heads[hash]
    heads[hash] = UInt16(truncatingIfNeeded: place)
    earlier[place & (Self.reach - 1)] = last
    return Int(last)
  }

  @inline(__always)
  private static func common(_ a: Int, _ b: Int, most: Int, in window: Span<UInt8>) -> Int {
    var length = 0
    while length < most, window[a &+ length] == window[b &+ length] { length &+= 1 }
    return length
  }
}
