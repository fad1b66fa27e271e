/// Red, green and blue of eight pixels, 0...1 each, as a screen takes them (sRGB).
struct Colour {
  var red: Lanes
  var green: Lanes
  var blue: Lanes

  @inline(__always)
  static func * (colour: Colour, light: Lanes) -> Colour {
    Colour(red: colour.red * light, green: colour.green * light, blue: colour.blue * light)
  }

  @inline(__always)
  static func + (a: Colour, b: Colour) -> Colour {
    Colour(red: a.red + b.red, green: a.green + b.green, blue: a.blue + b.blue)
  }

  /// This colour, with a share (0...1) of another.
  @inline(__always)
  func mixed(with other: Colour, _ share: Lanes) -> Colour {
    self + (other + self * Lanes(repeating: -1)) * share
  }

  /// This colour, with the same share of another in every pixel.
  func mixed(with other: Colour, _ share: Float) -> Colour {
    mixed(with: other, Lanes(repeating: share))
  }
}

/// A round of colours that go together: from dark to light and back, over neighbouring hues with
/// one accent across the colour circle.
struct Palette {
  private static let size = 1024
  private let colours: [SIMD4<Float>]
  /// The darkest colour and the lightest.
  let night: Colour
  let day: Colour

  init(_ random: inout SeededRandom) {
    let hue = random.within(0..<1)
    let spread = random.one(of: [-0.16, -0.1, 0.1, 0.16] as [Float])
    let accent = hue + random.one(of: [0.38, 0.5, 0.62] as [Float])
    let stops = [
      OKLCH(lightness: 0.20, chroma: 0.06, hue: hue),
      OKLCH(lightness: 0.42, chroma: 0.13, hue: hue + spread * 0.5),
      OKLCH(lightness: 0.66, chroma: 0.15, hue: hue + spread),
      OKLCH(lightness: 0.93, chroma: 0.06, hue: hue + spread * 1.6),
      OKLCH(lightness: 0.74, chroma: 0.15, hue: accent),
      OKLCH(lightness: 0.40, chroma: 0.12, hue: accent - spread * 0.4),
    ].map { $0.screenColour }
    colours = (0..<Self.size).map { place in
      let position = Float(place * stops.count) / Float(Self.size)
      let stop = Int(position)
      let share = smooth(Lanes(repeating: position - Float(stop)), from: 0, to: 1)[0]
      return stops[stop] + (stops[(stop + 1) % stops.count] - stops[stop]) * share
    }
    night = Colour(stops[0])
    day = Colour(stops[3])
  }

  /// The colours at eight places of the round, in turns.
  @inline(__always)
  subscript(turns: Lanes) -> Colour {
    let colours = colours.span
    let places = (turns - turns.nearest).clamped(-0.5, 0.5) * Float(Self.size)
    var colour = night
    for lane in 0..<Lanes.scalarCount {
      let found = colours[Int(Int32(places[lane]) & Int32(Self.size - 1))]
      colour.red[lane] = found.x
      colour.green[lane] = found.y
      colour.blue[lane] = found.z
    }
    return colour
  }

  /// The colour at one place of the round.
  subscript(turns: Float) -> Colour { self[Lanes(repeating: turns)] }
}

extension Colour {
  /// The same red, green and blue in every pixel.
  init(_ rgb: SIMD4<Float>) {
    red = Lanes(repeating: rgb.x)
    green = Lanes(repeating: rgb.y)
    blue = Lanes(repeating: rgb.z)
  }
}
