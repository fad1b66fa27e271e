// The ways of the formats through their own parts.

extension ImageStructure {
  /// PNG (ISO/IEC 15948 §5.3): chunks of length, name, content and CRC, up to IEND.
  enum PNGPlace {
    case chunk
  }

  /// GIF (GIF89a): a screen, then blocks up to the trailer (§27).
  enum GIFPlace {
    /// At the rest of the version, and the logical screen descriptor.
    case screen
    /// At a block's introducer.
    case block
    /// At an image descriptor, behind its introducer.
    case image
    /// At the size of a sub-block; 0 ends the block (§15, §16).
    case subBlock
  }

  /// JPEG (ITU-T T.81 annex B): segments and scans, up to EOI.
  enum JPEGPlace {
    /// Where a marker should begin; anything else is passed over, as decoders do.
    case marker
    /// Behind FF.
    case code
    /// At a segment's length; behind a start of scan, entropy-coded data follows.
    case segment(isScan: Bool)
    /// In entropy-coded data.
    case scan
    /// Behind FF in entropy-coded data.
    case scanCode
  }

  /// AVIF (ISO/IEC 14496-12 §4.2): boxes, one behind the other.
  enum AVIFPlace {
    /// At the rest of the size of the first box, and its name.
    case fileType
    /// At a box's size and name.
    case box
    /// At a 64-bit size.
    case largeSize
  }

  mutating func advance(_ at: PNGPlace) {
    let length = big32(0)
    guard length <= Int(Int32.max), isName(4) else { return place = .lost }
    let isEnd = big32(4) == 0x4945_4E44  // IEND
    go(pass: length + 4, look: 8, isEnd ? .end : .png(.chunk))
  }

  mutating func advance(_ at: GIFPlace) {
    switch at {
    // Version's rest (4), width, height (4), flags, background, aspect ratio.
    case .screen: go(pass: Self.colours(window[8]), look: 1, .gif(.block))
    case .block:
      switch window[0] {
      case 0x21: go(pass: 1, look: 1, .gif(.subBlock))
      case 0x2C: go(look: 9, .gif(.image))
      case 0x3B: place = .end
      case 0x00: go(look: 1, .gif(.block))  // one terminator too many
      default: place = .lost
      }
    // A colour table, the code size, then the image's sub-blocks (§20, §22).
    case .image: go(pass: Self.colours(window[8]) + 1, look: 1, .gif(.subBlock))
    case .subBlock where window[0] == 0: go(look: 1, .gif(.block))
    case .subBlock: go(pass: Int(window[0]), look: 1, .gif(.subBlock))
    }
  }

  /// Bytes of the colour table that these flags announce (GIF89a §18, §20).
  private static func colours(_ flags: UInt8) -> Int {
    flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1)
  }

  mutating func advance(_ at: JPEGPlace) {
    switch at {
    case .marker: go(look: 1, window[0] == 0xFF ? .jpeg(.code) : .jpeg(.marker))
    case .code: takeCode(window[0], else: .marker)
    case .scanCode: takeCode(window[0], else: .scan)
    case .segment(let isScan):
      guard big16(0) >= 2 else { return place = .lost }
      go(pass: big16(0) - 2, look: 1, .jpeg(isScan ? .scan : .marker))
    case .scan: break
    }
  }

  /// A marker's second byte (T.81 table B.1).
  private mutating func takeCode(_ code: UInt8, else rest: JPEGPlace) {
    switch code {
    case 0xFF: go(look: 1, place)
    case 0xD9: go(.end)
    case 0xDA: go(look: 2, .jpeg(.segment(isScan: true)))
    // Stuffed zero, TEM, RST and SOI stand alone.
    case 0x00, 0x01, 0xD0...0xD8: go(look: 1, .jpeg(rest))
    default: go(look: 2, .jpeg(.segment(isScan: false)))
    }
  }

  /// The offset behind the next FF in entropy-coded data, or the end. Whole blocks without one are
  /// told at once, which the compiler turns into vector code.
  mutating func searchMarker(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var offset = start
    while offset + 32 <= bytes.count {
      var isThere: UInt8 = 0
      for index in offset..<offset + 32 { isThere |= bytes[index] == 0xFF ? 1 : 0 }
      guard isThere == 0 else { break }
      offset += 32
    }
    while offset < bytes.count {
      offset += 1
      if bytes[offset - 1] == 0xFF {
        go(look: 1, .jpeg(.scanCode))
        break
      }
    }
    return offset
  }

  mutating func advance(_ at: AVIFPlace) {
    switch at {
    // Two bytes of the size were looked at before.
    case .fileType:
      guard big32(2) == 0x6674_7970, big16(0) >= 8 else { return place = .lost }  // ftyp
      go(pass: big16(0) - 8, look: 8, .avif(.box))
    case .box: takeBox(size: big32(0), header: 8)
    case .largeSize:
      guard window[0] < 0x80 else { return place = .lost }
      takeBox(size: big32(0) << 32 | big32(4), header: 16)
    }
  }

  private mutating func takeBox(size: Int, header: Int) {
    if header == 8 {
      guard isName(4) else { return place = hasContent ? .end : .lost }
      // meta, mdat, moov
      hasContent = hasContent || [0x6D65_7461, 0x6D64_6174, 0x6D6F_6F76].contains(big32(4))
      // To the end of the file, wherever that is; a 64-bit size follows.
      if size == 0 { return go(.end) }
      if size == 1 { return go(look: 8, .avif(.largeSize)) }
    }
    guard size >= header else { return place = .lost }
    go(pass: size - header, look: 8, .avif(.box))
  }

  /// Whether four printable characters stand there, as names of chunks and boxes are.
  private func isName(_ index: Int) -> Bool {
    (index..<index + 4).allSatisfy { (0x20...0x7E).contains(window[$0]) }
  }
}
