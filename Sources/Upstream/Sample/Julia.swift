/// A Julia set: how fast z → z² + c flees from each point, in smooth bands of colour.
struct Julia: Scene {
  private static let patience: Float = 48
  /// The square of the distance from which there is no return.
  private static let horizon: Float = 256

  private let palette: Palette
  private let c: SIMD2<Float>
  /// Turns and zooms.
  private let turn: SIMD2<Float>
  private let bands: Float

  init(_ palette: Palette, _ random: inout SeededRandom) {
    self.palette = palette
    // Constants near the edge of the Mandelbrot set, where Julia sets are dust and spirals.
    let home = random.one(
      of: [
        SIMD2(-0.8, 0.156), SIMD2(-0.7269, 0.1889), SIMD2(0.285, 0.013), SIMD2(-0.4, 0.6),
        SIMD2(-0.8352, -0.2321), SIMD2(-0.7018, -0.3842), SIMD2(0.355, 0.355), SIMD2(-0.75, 0.11),
        SIMD2(-0.1, 0.8),
      ] as [SIMD2<Float>])
    c = home + SIMD2(random.within(-0.006..<0.006), random.within(-0.006..<0.006))
    let (angle, zoom) = (random.within(0..<1), random.within(0.8..<1.25))
    turn = SIMD2(wave(angle + 0.25), wave(angle)) * zoom
    bands = random.within(0.22..<0.4)
  }

  func colour(at point: Point) -> Colour {
    var x = point.x * turn.x - point.y * turn.y
    var y = point.x * turn.y + point.y * turn.x
    var squared = x * x + y * y
    var nearest = squared
    var steps = Lanes(repeating: 0)
    for _ in 0..<Int(Self.patience) {
      let flown = squared .>= Self.horizon
      if all(flown) { break }
      let (nextX, nextY) = (x * x - y * y + c.x, 2 * x * y + c.y)
      x.replace(with: nextX, where: .!flown)
      y.replace(with: nextY, where: .!flown)
      steps.replace(with: steps + 1, where: .!flown)
      squared = x * x + y * y
      nearest = nearest.atMost(squared)
    }
    // How near the orbit came to the centre colours what never flees, too.
    let glow = nearest.squareRoot().clamped(0, 1)
    return palette[flight(steps, squared).squareRoot() * bands + glow * 0.4] * (0.7 + 0.4 * glow)
  }

  /// Steps to the horizon with the fraction that makes the bands smooth (Linas Vepstas,
  /// "Renormalizing the Mandelbrot escape", 1997).
  @inline(__always)
  private func flight(_ steps: Lanes, _ squared: Lanes) -> Lanes {
    var flight = steps
    for lane in 0..<Lanes.scalarCount where steps[lane] < Self.patience {
      flight[lane] += 4 - roughLog2(roughLog2(squared[lane]))
    }
    return flight.atLeast(Lanes(repeating: 0))
  }
}
