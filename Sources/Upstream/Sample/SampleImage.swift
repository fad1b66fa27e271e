// The built-in `sample` upstream draws its images itself, so that assetd can be tried without a key
// or a network: a real PNG, another one for every prompt, and the same one for the same prompt.

/// An image on its way: drawn, compressed and handed over in small steps, in memory that grows with
/// its width only.
///
///     var image = SampleImage(prompt: "a quiet lake", index: 0, width: 1024, height: 1024)
///     var png: [UInt8] = []
///     while image?.next(into: &png) == true { … send png, empty it … }
public struct SampleImage: Sendable {
  /// The sides that can be drawn, in pixels.
  public static let sides = 1...8192
  /// What a step may draw, in pixels: under a millisecond. At least one row.
  private static let pixelsPerStep = 4096

  private let width: Int
  private let height: Int
  private let painting: Painting
  private var png: PNGWriter?
  private var pixels: [UInt8]
  private var drawn = 0

  /// The image for a prompt and a position in its answer (0 for the first of `n`). Nil if a side is
  /// not in `sides`.
  public init?(prompt: String, index: Int, width: Int, height: Int) {
    guard Self.sides ~= width, Self.sides ~= height else { return nil }
    self.width = width
    self.height = height
    painting = Painting(seed: SeededRandom(prompt: prompt, index: index), width, height)
    pixels = [UInt8](repeating: 0, count: width * 3)
  }

  /// Draws a few rows and appends the bytes of the PNG that are ready: none to 64 KiB.
  /// - Returns: whether there is more to come.
  public mutating func next(into out: inout [UInt8]) -> Bool {
    guard drawn < height else { return false }
    var writer = png.take() ?? PNGWriter(width: width, height: height, into: &out)
    let rows = max(1, Self.pixelsPerStep / width)
    for row in drawn..<min(drawn + rows, height) {
      painting.paint(row: row, into: &pixels)
      writer.row(pixels.span, into: &out)
      drawn += 1
    }
    guard drawn < height else {
      writer.finish(into: &out)
      return false
    }
    png = writer
    return true
  }
}
