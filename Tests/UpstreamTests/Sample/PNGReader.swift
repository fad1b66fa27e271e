/// A reader of the PNGs under test that shares nothing with their writer: chunks, checksums, order,
/// zlib, filters (W3C PNG, third edition).
struct PNGReader {
  enum Failure: Error { case signature, truncated, checksum, order, header, rows }

  private(set) var width = 0
  private(set) var height = 0
  private(set) var chunks: [String] = []
  /// The rows as they were before filtering: red, green and blue.
  private(set) var pixels: [UInt8] = []
  private(set) var filters: Set<UInt8> = []

  init(_ png: [UInt8]) throws {
    guard png.starts(with: [0x89] + Array("PNG\r\n".utf8) + [0x1A, 0x0A]) else {
      throw Failure.signature
    }
    var zlib: [UInt8] = []
    var place = 8
    while place < png.count {
      guard place + 12 <= png.count else { throw Failure.truncated }
      let length = Self.number(png[place..<place + 4])
      let end = place + 8 + length
      guard end + 4 <= png.count else { throw Failure.truncated }
      guard Self.number(png[end..<end + 4]) == Self.crc(png[place + 4..<end]) else {
        throw Failure.checksum
      }
      let name = String(decoding: png[place + 4..<place + 8], as: UTF8.self)
      if name == "IHDR" { try header(Array(png[place + 8..<end])) }
      if name == "IDAT" { zlib += png[place + 8..<end] }
      chunks.append(name)
      place = end + 4
    }
    // §5.6: first the header, at last the end, and the data in one run.
    let order = chunks.filter { $0 != "IDAT" }
    guard order == ["IHDR", "sRGB", "IEND"], chunks[2] == "IDAT", chunks.last == "IEND" else {
      throw Failure.order
    }
    try unfilter(Inflate(zlib: zlib).output)
  }

  private mutating func header(_ data: [UInt8]) throws {
    guard data.count == 13, Array(data[8...]) == [8, 2, 0, 0, 0] else { throw Failure.header }
    width = Self.number(data[0..<4])
    height = Self.number(data[4..<8])
  }

  /// §9.2. Filter 3 is left out: the writer does not use it.
  private mutating func unfilter(_ data: [UInt8]) throws {
    let stride = width * 3
    guard data.count == (stride + 1) * height else { throw Failure.rows }
    var last = [UInt8](repeating: 0, count: stride)
    pixels.reserveCapacity(stride * height)
    for y in 0..<height {
      let start = y * (stride + 1)
      let filter = data[start]
      filters.insert(filter)
      var row = Array(data[start + 1..<start + 1 + stride])
      for i in 0..<stride {
        let left = i < 3 ? 0 : Int(row[i - 3])
        let corner = i < 3 ? 0 : Int(last[i - 3])
        switch filter {
        case 0: break
        case 1: row[i] &+= UInt8(left)
        case 2: row[i] &+= last[i]
        case 4: row[i] &+= Self.paeth(left, Int(last[i]), corner)
        default: throw Failure.rows
        }
      }
      pixels += row
      last = row
    }
  }

  private static func paeth(_ a: Int, _ b: Int, _ c: Int) -> UInt8 {
    let p = a + b - c
    let (pa, pb, pc) = (abs(p - a), abs(p - b), abs(p - c))
    return UInt8(pa <= pb && pa <= pc ? a : pb <= pc ? b : c)
  }

  static func crc(_ bytes: ArraySlice<UInt8>) -> Int {
    var rest: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      rest ^= UInt32(byte)
      for _ in 0..<8 { rest = rest & 1 == 1 ? rest >> 1 ^ 0xEDB8_8320 : rest >> 1 }
    }
    return Int(~rest)
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}
