/// Panes of coloured glass in lead, with light falling through them: each point takes the colour of
/// its nearest seed, one seed in each square of a grid.
struct StainedGlass: Scene {
  private let palette: Palette
  private let panes: Float
  private let seed: Float
  private let drift: SIMD2<Float>
  private let lead: Float

  init(_ palette: Palette, _ random: inout SeededRandom, _ canvas: Canvas) {
    self.palette = palette
    panes = random.within(2.6..<5.5)
    seed = Float(random.below(1000))
    drift = SIMD2(random.within(-0.12..<0.12), random.within(-0.12..<0.12))
    lead = 0.035 + canvas.step
  }

  func colour(at point: Point) -> Colour {
    let x = point.x * panes + 0.12 * wave(point.y * 0.7)
    let y = point.y * panes + 0.12 * wave(point.x * 0.7)
    let (column, row) = (x.nearest, y.nearest)
    var (first, second) = (Lanes(repeating: 9), Lanes(repeating: 9))
    var pane = first
    for neighbour in 0..<9 {
      let cellX = column + Float(neighbour % 3 - 1)
      let cellY = row + Float(neighbour / 3 - 1)
      let chance = scatter(cellX, cellY + seed)
      let awayX = cellX - x + 0.8 * (chance - 0.5)
      let awayY = cellY - y + 0.8 * (scatter(cellY - seed, cellX) - 0.5)
      let distance = awayX * awayX + awayY * awayY
      second = second.atMost(distance.atLeast(first))
      pane.replace(with: chance, where: distance .< first)
      first = first.atMost(distance)
    }
    let edge = second.squareRoot() - first.squareRoot()
    let light = 0.82 + 0.3 * (1 - first) + 0.1 * wave(pane * 7 + x * 0.3 + y * 0.2)
    let glass = palette[pane * 0.8 + point.x * drift.x + point.y * drift.y] * light
    return palette.night.mixed(with: glass, smooth(edge, from: lead * 0.5, to: lead * 1.6))
  }
}
