/// Mountains behind mountains, paler with distance, under a sun.
struct Ridges: Scene {
  private static let layers = 6

  private let sky: Colour
  private let horizon: Colour
  private let sunlight: Colour
  private let mist: Colour
  private let slopes: [Colour]
  private let sun: SIMD2<Float>
  private let sunSize: Float
  /// Half the width of an edge.
  private let soft: Float
  /// For each column the height of each layer, nearest first.
  private let heights: [Lanes]

  init(_ palette: Palette, _ random: inout SeededRandom, _ canvas: Canvas) {
    sky = palette[random.one(of: [0.2, 0.3, 0.7] as [Float])]
    horizon = palette[0.5].mixed(with: palette[0.67], 0.35)
    sunlight = palette.day
    let mist = horizon.mixed(with: sky, 0.25)
    self.mist = mist
    slopes = (0..<Self.layers).map { layer in
      let distance = Float(layer) / Float(Self.layers)
      return palette.night.mixed(with: palette[0.24], distance)
        .mixed(with: mist, distance * distance * 0.7)
    }
    sun = SIMD2(random.within(-0.6..<0.6), random.within(0.25..<0.6))
    sunSize = random.within(0.1..<0.2)
    soft = canvas.step
    let seeds = (0..<Self.layers).map { _ in Float(random.below(1000)) }
    let rough = random.within(0.42..<0.55)
    heights = (0..<canvas.columns).flatMap { column in
      let x = canvas.point(column: column, row: 0).x
      return seeds.indices.map { Self.height(x, layer: Float($0), seed: seeds[$0], rough: rough) }
    }
  }

  private static func height(_ x: Lanes, layer: Float, seed: Float, rough: Float) -> Lanes {
    var height = Lanes(repeating: -0.85 + 0.2 * layer)
    var (size, frequency) = (0.26 + 0.02 * layer, 0.8 + 0.12 * layer)
    for octave in 0..<7 {
      height += size * hills(x * frequency + seed, seed: seed + Float(octave))
      size *= rough
      frequency *= 2.03
    }
    return height
  }

  func colour(at point: Point) -> Colour {
    // From the back to the front, each layer over what is behind it.
    var colour = air(at: point)
    let wisps = 1 + 0.5 * wave(point.x * 0.4 + 0.3 * wave(point.y * 1.7 + point.x * 0.9 + sun.y))
    for layer in (0..<Self.layers).reversed() {
      let height = heights[point.column * Self.layers + layer]
      let cover = smooth(height - point.y, from: -soft, to: soft)
      let valley = -0.8 + 0.2 * Float(layer)
      let fog = smooth(valley - point.y, from: -0.45, to: 0.45) * (0.12 + 0.1 * Float(layer))
      colour = colour.mixed(with: slopes[layer].mixed(with: mist, fog * wisps), cover)
    }
    return colour
  }

  @inline(__always)
  private func air(at point: Point) -> Colour {
    let (x, y) = (point.x - sun.x, point.y - sun.y)
    let squared = x * x + y * y
    let disc = 1 - smooth(squared.squareRoot(), from: sunSize - soft, to: sunSize + soft)
    let shine = 0.6 / (1 + 4 * squared)
    let drift = wave(point.x * 0.31 + sun.x + 0.2 * wave(point.y * 1.9 + point.x * 0.23))
    let band = wave(point.y * 2.1 + drift * 0.4 + 0.12 * wave(point.x * 1.3 + point.y * 2.7))
    let cloud = smooth(band, from: -0.1, to: 1.3) * 0.5
    return horizon.mixed(with: sky, smooth(point.y, from: -0.3, to: 1.2))
      .mixed(with: sunlight, shine.atLeast(cloud).atLeast(disc))
  }
}
