/// Numbers that look like chance and are the same wherever they are drawn from the same seed:
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct SeededRandom {
  private var state: UInt64

  /// A seed from what was asked for: FNV-1a over the prompt and the index.
  init(prompt: String, index: Int) {
    state = 0xCBF2_9CE4_8422_2325
    for byte in prompt.utf8 { mix(byte) }
    for shift in stride(from: 0, to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: index >> shift)) }
  }

  private mutating func mix(_ byte: UInt8) {
    state = (state ^ UInt64(byte)) &* 0x100_0000_01B3
  }

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// The next number of a range; its end is never reached.
  mutating func within(_ range: Range<Float>) -> Float {
    let unit = Float(next() >> 40) * 0x1p-24
    return range.lowerBound + unit * (range.upperBound - range.lowerBound)
  }

  /// The next number of 0..<count.
  mutating func below(_ count: Int) -> Int {
    Int(next() % UInt64(count))
  }

  /// The next one of several; `choices` is not empty.
  mutating func one<Choice>(of choices: [Choice]) -> Choice {
    choices[below(choices.count)]
  }
}
