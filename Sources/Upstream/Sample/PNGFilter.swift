/// Filters rows of RGB pixels before compression (W3C PNG §9): each byte becomes its difference
/// from what its neighbours promise, which in a picture is mostly close to zero.
struct PNGFilter {
  private static let pixel = 3

  /// The row before, and this one; both start with an empty pixel, the neighbour of the first.
  private var above: [UInt8]
  private var current: [UInt8]
  /// The filters tried, each with its type byte in front.
  private var sub: [UInt8]
  private var up: [UInt8]
  private var paeth: [UInt8]

  init(width: Int) {
    let blank = [UInt8](repeating: 0, count: (width + 1) * Self.pixel)
    let row = [UInt8](repeating: 0, count: width * Self.pixel)
    (above, current) = (blank, blank)
    (sub, up, paeth) = ([1] + row, [2] + row, [4] + row)
  }

  /// The row filtered by the one that leaves the smallest sum of differences (§12.7).
  mutating func apply(to row: Span<UInt8>) -> [UInt8] {
    swap(&above, &current)
    for i in row.indices { current[i + Self.pixel] = row[i] }
    let (current, above) = (self.current, self.above)
    let sums = Self.difference(current.span, above.span, &sub, &up, &paeth)
    if sums.paeth < min(sums.sub, sums.up) { return paeth }
    return sums.sub < sums.up ? sub : up
  }

  private static func difference(
    _ row: Span<UInt8>, _ last: Span<UInt8>,
    _ sub: inout [UInt8], _ up: inout [UInt8], _ paeth: inout [UInt8]
  ) -> (sub: Int, up: Int, paeth: Int) {
    var intoSub = sub.mutableSpan
    var intoUp = up.mutableSpan
    var intoPaeth = paeth.mutableSpan
    var sums = (sub: 0, up: 0, paeth: 0)
    for i in pixel..<row.count {
      let (here, left) = (row[i], row[i &- pixel])
      let (top, corner) = (last[i], last[i &- pixel])
      let place = i &- pixel &+ 1
      let bySub = here &- left
      let byUp = here &- top
      let byPaeth = here &- predict(left, top, corner)
      intoSub[place] = bySub
      intoUp[place] = byUp
      intoPaeth[place] = byPaeth
      sums.sub &+= size(bySub)
      sums.up &+= size(byUp)
      sums.paeth &+= size(byPaeth)
    }
    return sums
  }

  /// Paeth's predictor (§9.4): the neighbour nearest to left + above − corner.
  @inline(__always)
  private static func predict(_ left: UInt8, _ top: UInt8, _ corner: UInt8) -> UInt8 {
    let (a, b, c) = (Int16(left), Int16(top), Int16(corner))
    let (toLeft, toTop, toCorner) = (abs(b &- c), abs(a &- c), abs(a &+ b &- c &- c))
    let best = toTop <= toCorner ? top : corner
    return toLeft <= toTop && toLeft <= toCorner ? left : best
  }

  /// A difference as a distance from zero.
  @inline(__always)
  private static func size(_ difference: UInt8) -> Int {
    Int(Int8(bitPattern: difference).magnitude)
  }
}
