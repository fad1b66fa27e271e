/// Folded cloth: waves that bend waves that bend waves, with light along the folds.
struct Silk: Scene {
  private let palette: Palette
  private let zoom: Float
  private let bend: Float
  private let phase: Float
  private let turn: Float

  init(_ palette: Palette, _ random: inout SeededRandom) {
    self.palette = palette
    zoom = random.within(0.3..<0.5)
    bend = random.within(0.09..<0.15)
    phase = random.within(0..<8)
    turn = random.within(0.6..<1.1)
  }

  func colour(at point: Point) -> Colour {
    var x = point.x * zoom + phase
    var y = point.y * zoom - phase
    var (height, frequency) = (bend, turn)
    for _ in 0..<5 {
      x += height * wave(y * frequency + phase)
      y += height * wave(x * frequency - phase * 0.7)
      height *= 0.55
      frequency *= 1.83
    }
    let fold = wave(x + y)
    let sheen = 0.5 + 0.5 * wave((x - y) * 2.7 + fold * 0.3)
    return palette[x * 0.9 + fold * 0.22] * (0.72 + 0.4 * sheen * sheen)
  }
}
