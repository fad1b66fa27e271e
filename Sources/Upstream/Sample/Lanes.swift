// Cheap functions for pictures, for eight pixels at once. They use nothing but IEEE arithmetic, so
// that a picture is the same on every machine, and are good to about a thousandth: no eye sees it.

/// A number for each of eight neighbouring pixels.
typealias Lanes = SIMD8<Float>

extension SIMD8<Float> {
  /// The nearest whole number, for |x| < 2²²: adding 1.5 · 2²³ leaves no bits for a fraction.
  @inline(__always)
  var nearest: Lanes { (self + 12_582_912) - 12_582_912 }

  /// The smaller of two numbers; the limit for what is not a number.
  @inline(__always)
  func atMost(_ limit: Lanes) -> Lanes { limit.replacing(with: self, where: self .< limit) }

  /// The greater of two numbers; the limit for what is not a number.
  @inline(__always)
  func atLeast(_ limit: Lanes) -> Lanes { limit.replacing(with: self, where: self .> limit) }

  /// The same, with one limit for all.
  @inline(__always)
  func clamped(_ low: Float, _ high: Float) -> Lanes {
    atLeast(Lanes(repeating: low)).atMost(Lanes(repeating: high))
  }
}

/// The sine of an angle in turns: 0.25 is its crest. A cosine, as a polynomial in the square of the
/// angle, fitted by least squares with its crests and troughs held in place.
@inline(__always)
func wave(_ turns: Lanes) -> Lanes {
  let shifted = turns - 0.25
  let x = shifted - shifted.nearest
  let u = x * x
  return (((44.418297 * u - 81.892119) * u + 64.617629) * u - 19.730186) * u + 1
}

/// The sine of one angle in turns.
func wave(_ turns: Float) -> Float { wave(Lanes(repeating: turns))[0] }

/// 0 below `low`, 1 above `high`, and a soft S between.
@inline(__always)
func smooth(_ x: Lanes, from low: Float, to high: Float) -> Lanes {
  let t = ((x - low) * (1 / (high - low))).clamped(0, 1)
  return t * t * (3 - 2 * t)
}

/// A number in 0...1 that looks like chance: a large multiple of a wave, without its whole part.
@inline(__always)
func scatter(_ x: Lanes, _ y: Lanes) -> Lanes {
  let large = wave(x * 0.173_17 + y * 0.724_33) * 4375.85
  return large - (large - 0.5).nearest
}

/// Smooth noise along a line, -1...1: a random height at every whole number, eased between.
func hills(_ x: Lanes, seed: Float) -> Lanes {
  let cell = (x - 0.5).nearest
  let (left, right) = (
    scatter(cell, Lanes(repeating: seed)), scatter(cell + 1, Lanes(repeating: seed))
  )
  return (left + (right - left) * smooth(x - cell, from: 0, to: 1)) * 2 - 1
}

/// The base-two logarithm of a positive number: its exponent, and a parabola for the rest.
@inline(__always)
func roughLog2(_ x: Float) -> Float {
  let mantissa = Float(bitPattern: x.bitPattern & 0x7F_FFFF | 0x3F80_0000)
  let exponent = Float(Int32(x.bitPattern >> 23) - 127)
  return exponent + (mantissa - 1) * (1.6932 - 0.3466 * mantissa)
}
