/// Silk between mirrors: a wedge of the plane, repeated around the centre.
struct Kaleidoscope: Scene {
  private let silk: Silk
  /// Where the mirrors face: one for each border of the wedges in half a turn. Folding the plane
  /// along each of them in turn leaves one wedge.
  private let mirrors: [SIMD2<Float>]
  private let offset: Float

  init(_ palette: Palette, _ random: inout SeededRandom) {
    silk = Silk(palette, &random)
    offset = random.within(0.3..<2)
    let wedges = random.one(of: [6, 8, 10, 12, 16])
    mirrors = (0..<wedges / 2).map { fold in
      let angle = Float(fold) / Float(wedges)
      return SIMD2(-wave(angle), wave(angle + 0.25))
    }
  }

  func colour(at point: Point) -> Colour {
    var (x, y) = (point.x, point.y)
    for mirror in mirrors {
      let behind = 2 * (x * mirror.x + y * mirror.y).atMost(Lanes(repeating: 0))
      x -= behind * mirror.x
      y -= behind * mirror.y
    }
    let radius = (x * x + y * y).squareRoot()
    let colour = silk.colour(at: Point(x: x * 1.7 + offset, y: y * 1.7 + radius * 0.5))
    return colour * (1.12 - 0.3 * radius)
  }
}
