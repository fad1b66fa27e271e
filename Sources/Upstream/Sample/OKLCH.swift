/// A colour by how light, how colourful and of which hue (in turns) the eye finds it (Björn
/// Ottosson, "A perceptual color space for image processing", 2020).
struct OKLCH {
  var lightness: Float
  var chroma: Float
  var hue: Float

  /// Red, green and blue of the nearest colour that a screen has.
  var screenColour: SIMD4<Float> {
    let (a, b) = (chroma * wave(hue + 0.25), chroma * wave(hue))
    let l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b)
    let m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b)
    let s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b)
    return SIMD4(
      screen(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
      screen(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
      screen(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s), 0)
  }

  private func cube(_ x: Float) -> Float { x * x * x }

  /// From linear light to sRGB: a sum of roots that stays close to the power 1/2.4.
  private func screen(_ light: Float) -> Float {
    let root = max(0, min(1, light)).squareRoot()
    let (root4, root8) = (root.squareRoot(), root.squareRoot().squareRoot())
    return max(0, 0.585122381 * root + 0.783140355 * root4 - 0.368262736 * root8)
  }
}
