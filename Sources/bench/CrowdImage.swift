/// Images that tell whose they are: distinct in size, width and content.
enum CrowdImage {
  /// The image of a prompt `c<number>r<round>`.
  static func named(_ prompt: String) -> [UInt8]? {
    let numbers = prompt.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
    guard numbers.count == 2 else { return nil }
    return png(numbers[0], numbers[1])
  }

  /// The signature, IHDR with such a width and height, noise, IEND (PNG specification, 5.2, 11.2).
  private static func png(_ number: Int, _ round: Int) -> [UInt8] {
    let noise = 200 + 997 * (number % 64) + round
    var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    bytes += Array("IHDR".utf8) + word(width(number)) + word(1 + round)
    bytes += [8, 2, 0, 0, 0, 0, 0, 0, 0] + word(noise) + Array("teSt".utf8)
    var state = UInt32(truncatingIfNeeded: number << 8 | round) | 1
    for _ in 0..<noise {
      state = state &* 1_664_525 &+ 1_013_904_223
      bytes.append(UInt8(truncatingIfNeeded: state >> 24))
    }
    return bytes + [0, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
  }

  /// Pixels.
  static func width(_ number: Int) -> Int { 100 + number }

  private static func word(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }
}
