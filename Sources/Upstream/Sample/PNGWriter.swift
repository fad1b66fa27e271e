internal import Wire

/// Writes a PNG (W3C PNG, third edition) row by row: 8 bits per channel, RGB, not interlaced.
struct PNGWriter {
  private var filter: PNGFilter
  private var deflate = Deflate()
  /// The least data worth a chunk.
  private static let chunkSize = 16_384

  /// Writes signature and header. Sides must be 1..<2³¹ (§11.2.1).
  init(width: Int, height: Int, into out: inout [UInt8]) {
    filter = PNGFilter(width: width)
    out += [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]  // §5.2
    // 8 bits, truecolour, and the only compression, filtering and interlacing without passes.
    let header = Self.bigEndian(width) + Self.bigEndian(height) + [8, 2, 0, 0, 0]
    Self.chunk("IHDR", header, into: &out)
    Self.chunk("sRGB", [0], into: &out)
  }

  /// Adds a row of `width` times red, green, blue; now and then a chunk comes out.
  mutating func row(_ pixels: Span<UInt8>, into out: inout [UInt8]) {
    let filtered = filter.apply(to: pixels)
    deflate.append(filtered.span)
    if deflate.pending >= Self.chunkSize { data(into: &out) }
  }

  /// Writes what is left, after the last row.
  mutating func finish(into out: inout [UInt8]) {
    deflate.finish()
    data(into: &out)
    Self.chunk("IEND", [], into: &out)
  }

  private mutating func data(into out: inout [UInt8]) {
    Self.chunk("IDAT", deflate.take(), into: &out)
  }

  /// §5.3: length, type, data, and the checksum of the latter two.
  private static func chunk(_ type: String, _ data: [UInt8], into out: inout [UInt8]) {
    let name = Array(type.utf8)
    var crc = CRC32()
    crc.update(name.span)
    crc.update(data.span)
    out += bigEndian(data.count)
    out += name
    out += data
    out += bigEndian(Int(crc.value))
  }

  private static func bigEndian(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(number >> $0 & 0xFF) }
  }
}
