/// What a picture shows: a colour for every point.
protocol Scene: Sendable {
  func colour(at point: Point) -> Colour
}

/// Eight neighbouring places in a picture, whose shorter side goes from -1 to 1, y upwards.
struct Point {
  var x: Lanes
  var y: Lanes
  /// Counts the eights of a row, for what a scene has worked out once per column.
  var column = 0
}

/// A scene chosen by chance, in colours chosen by chance, at a size.
struct Painting: Sendable {
  let scene: any Scene
  private let canvas: Canvas

  init(seed: SeededRandom, _ width: Int, _ height: Int) {
    var random = seed
    let palette = Palette(&random)
    canvas = Canvas(width: width, height: height)
    switch random.below(5) {
    case 0: scene = Silk(palette, &random)
    case 1: scene = Kaleidoscope(palette, &random)
    case 2: scene = Julia(palette, &random)
    case 3: scene = Ridges(palette, &random, canvas)
    default: scene = StainedGlass(palette, &random, canvas)
    }
  }

  /// Paints a row of pixels, red, green and blue.
  func paint(row: Int, into pixels: inout [UInt8]) {
    canvas.paint(scene, row: row, into: &pixels)
  }
}

/// Where pixels lie in a scene.
struct Canvas {
  let width: Int
  let height: Int
  /// The distance of two pixels.
  let step: Float

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    step = 2 / Float(min(width, height))
  }

  /// How many times eight pixels a row takes; the last ones may stick out.
  var columns: Int { (width + 7) / 8 }

  /// The middles of eight pixels; row 0 is at the top.
  @inline(__always)
  func point(column: Int, row: Int) -> Point {
    let left = Float(column * 8) + 0.5 - Float(width) / 2
    let up = Float(height) / 2 - Float(row) - 0.5
    return Point(
      x: (Lanes(0, 1, 2, 3, 4, 5, 6, 7) + left) * step, y: Lanes(repeating: up * step),
      column: column)
  }

  /// Generic, so that the compiler makes one loop per kind of scene.
  func paint(_ scene: some Scene, row: Int, into pixels: inout [UInt8]) {
    var pixels = pixels.mutableSpan
    for column in 0..<columns {
      let colour = scene.colour(at: point(column: column, row: row))
      let (red, green, blue) = (
        Self.bytes(colour.red), Self.bytes(colour.green), Self.bytes(colour.blue)
      )
      for lane in 0..<min(8, width - column * 8) {
        let place = (column * 8 + lane) * 3
        pixels[place] = UInt8(truncatingIfNeeded: Int32(red[lane]))
        pixels[place + 1] = UInt8(truncatingIfNeeded: Int32(green[lane]))
        pixels[place + 2] = UInt8(truncatingIfNeeded: Int32(blue[lane]))
      }
    }
  }

  /// 0...1 as 0...255, and 0.5 to round.
  @inline(__always)
  private static func bytes(_ channel: Lanes) -> Lanes {
    channel.clamped(0, 1) * 255 + 0.5
  }
}
