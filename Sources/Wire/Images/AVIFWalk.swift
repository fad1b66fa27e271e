/// The way through an AVIF's boxes to the dimensions of its largest item (ISO/IEC 14496-12 §4.2,
/// 23008-12 §6.5.3).
///
///     ftyp(brands) · … · meta( … iprp( … ipco( … ispe … ) ) )
///
/// The largest `ispe` is taken: thumbnails are smaller, alpha planes are as large, tiles of a grid
/// are smaller.
struct AVIFWalk {
  enum Place {
    /// At `ftyp` and the major brand.
    case fileType
    /// At a compatible brand (or the minor version, which is no brand).
    case brand
    /// At the size and name of a box.
    case box
    /// At the 64-bit size of a box with this name.
    case largeBox(name: Int)
    /// At the width and height of an `ispe`.
    case extents
  }

  /// Boxes are searched within this prefix only. Profiles of colour stand before the dimensions:
  /// those of printers have hundreds of KiB.
  static let prefixLimit = 4 << 20

  var place: Place
  /// Where the window ends, in bytes from the start of the file.
  var position: Int
  /// Ends of the open boxes `ftyp` or `meta`, `iprp`, `ipco`; file end when absent.
  var ends: InlineArray<3, Int> = [prefixLimit, prefixLimit, prefixLimit]
  var depth = 0
  var isAVIF = false
  var largest: ImageFacts?

  /// The first box must be a `ftyp` of plausible size.
  static func first(boxSize: Int) -> ImageSniffer.Step {
    guard (16...1024).contains(boxSize), boxSize.isMultiple(of: 4) else { return .refuse }
    var walk = AVIFWalk(place: .fileType, position: 4)
    walk.ends[0] = boxSize
    return walk.look(count: 8)
  }

  func step(_ window: ImageSniffer.Window) -> ImageSniffer.Step {
    switch place {
    case .fileType:
      guard window.big32(0) == 0x6674_7970 else { return .refuse }
      return afterBrand(window.big32(4))
    case .brand:
      return afterBrand(window.big32(0))
    case .box:
      return box(size: window.big32(0), header: 8, name: window.big32(4))
    case .largeBox(let name):
      guard window.big32(0) == 0 else { return .refuse }
      return box(size: window.big32(4), header: 16, name: name)
    case .extents:
      return afterExtents(window.big32(0), window.big32(4))
    }
  }

  /// `avif` and `avis` name the format; HEIC has the same boxes and other brands.
  private func afterBrand(_ brand: Int) -> ImageSniffer.Step {
    var next = self
    next.isAVIF = isAVIF || brand == 0x6176_6966 || brand == 0x6176_6973
    if position < ends[0] {
      next.place = .brand
      return next.look(count: 4)
    }
    guard next.isAVIF else { return .refuse }
    next.ends[0] = Self.prefixLimit
    return next.nextBox()
  }

  private func box(size: Int, header: Int, name: Int) -> ImageSniffer.Step {
    if size == 1, header == 8 {
      var next = self
      next.place = .largeBox(name: name)
      return next.look(count: 8)
    }
    // A size of 0 reaches to the end of the file (§4.2.2).
    let content = size == 0 ? Self.prefixLimit - position : size - header
    guard content >= 0, content <= Self.prefixLimit - position else { return .refuse }
    let end = position + content
    guard depth == 0 || end <= ends[depth - 1] else { return .refuse }
    return enclosed(name, until: end)
  }

  private func enclosed(_ name: Int, until end: Int) -> ImageSniffer.Step {
    var next = self
    switch (name, depth) {
    case (0x6D65_7461, 0):  // meta: version and flags, then boxes
      return next.enter(until: end, skip: 4)
    case (0x6970_7270, 1), (0x6970_636F, 2):  // iprp, ipco
      return next.enter(until: end, skip: 0)
    case (0x6973_7065, 3):  // ispe: version and flags, width, height
      guard end - position == 12 else { return .refuse }
      next.place = .extents
      return next.look(skip: 4, count: 8)
    default:
      return next.nextBox(skip: end - position)
    }
  }

  private func enter(until end: Int, skip: Int) -> ImageSniffer.Step {
    guard end - position >= skip else { return .refuse }
    var next = self
    next.ends[depth] = end
    next.depth += 1
    return next.nextBox(skip: skip)
  }

  private func afterExtents(_ width: Int, _ height: Int) -> ImageSniffer.Step {
    guard let facts = ImageFacts(mediaType: .avif, width: width, height: height) else {
      return .refuse
    }
    var next = self
    if facts.pixels > largest?.pixels ?? 0 { next.largest = facts }
    return next.nextBox()
  }

  /// The box after this one; at the end of `ipco` all extents are known.
  private func nextBox(skip: Int = 0) -> ImageSniffer.Step {
    var next = self
    while next.depth > 0, position + skip >= next.ends[next.depth - 1] {
      if next.depth == 3 { return largest.map { .verdict(.image($0)) } ?? .refuse }
      next.depth -= 1
    }
    next.place = .box
    return next.look(skip: skip, count: 8)
  }

  private func look(skip: Int = 0, count: Int) -> ImageSniffer.Step {
    var next = self
    next.position += skip + count
    guard next.position <= Self.prefixLimit else { return .refuse }
    return .look(.init(skip: skip, count: count), .avif(next))
  }
}
