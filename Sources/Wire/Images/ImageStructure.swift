// Whether an image came whole, told as its bytes pass: its structure is followed to its end,
// nothing is decoded, and the state is some words however long it is. Bytes behind the end are the
// image's own affair (C2PA, MPF and cameras put things there): they are passed over.
//
//     pass ──► look ──► advance ──► pass … ──► end
//               │ a JPEG's scan: search for its next marker

/// Fed successive pieces of a file, from its first byte.
public struct ImageStructure: Sendable {
  /// Where the walk is; each format goes its own way from `start`.
  enum Place {
    /// At the first two bytes.
    case start
    case png(PNGPlace)
    case gif(GIFPlace)
    case jpeg(JPEGPlace)
    /// At the second half of `RIFF`, and the size.
    case webp
    case avif(AVIFPlace)
    /// Behind what is passed over now the image is at its end.
    case end
    /// The structure can not be followed.
    case lost
  }

  var place = Place.start
  /// Bytes to pass over first.
  var pass = 0
  var window = InlineArray<16, UInt8>(repeating: 0)
  var filled = 0
  var wanted = 2
  /// Of an AVIF: whether a box that holds its items or its media data was passed.
  var hasContent = false

  /// At the first byte of a file.
  public init() {}

  /// Whether the image is at its end: asked behind the last byte, whether it came whole.
  public var isWhole: Bool {
    guard pass == 0 else { return false }
    return switch place {
    case .end: true
    // Between two boxes. Less than the head of one is something behind the end.
    case .avif(.box): hasContent
    default: false
    }
  }

  /// Takes the next bytes.
  public mutating func feed(_ bytes: Span<UInt8>) {
    var offset = 0
    while offset < bytes.count {
      if pass > 0 {
        let passed = min(pass, bytes.count - offset)
        pass -= passed
        offset += passed
        continue
      }
      switch place {
      case .end, .lost: return
      case .jpeg(.scan): offset = searchMarker(bytes, from: offset)
      default:
        window[filled] = bytes[offset]
        filled += 1
        offset += 1
        if filled == wanted { advance() }
      }
    }
  }

  /// Passes over so many bytes, then looks at `count` in `place`.
  mutating func go(pass: Int = 0, look count: Int = 0, _ place: Place) {
    self.pass = pass
    wanted = count
    filled = 0
    self.place = place
  }

  private mutating func advance() {
    switch place {
    case .start: begin()
    case .png(let at): advance(at)
    case .gif(let at): advance(at)
    case .jpeg(let at): advance(at)
    case .webp: takeRIFF()
    case .avif(let at): advance(at)
    case .end, .lost: break
    }
  }

  /// The first two bytes tell the formats apart; the rest of a signature is the sniffer's affair.
  private mutating func begin() {
    switch big16(0) {
    case 0x8950: go(pass: 6, look: 8, .png(.chunk))
    case 0x4749: go(look: 11, .gif(.screen))
    case 0xFFD8: go(look: 1, .jpeg(.marker))
    case 0x5249: go(look: 6, .webp)
    case 0x0000: go(look: 6, .avif(.fileType))
    default: place = .lost
    }
  }

  /// RIFF says how long it is (RFC 9649 §2.4).
  private mutating func takeRIFF() {
    let size = Int(window[2]) | Int(window[3]) << 8 | Int(window[4]) << 16 | Int(window[5]) << 24
    if size >= 4 { go(pass: size, .end) } else { place = .lost }
  }

  func big16(_ index: Int) -> Int { Int(window[index]) << 8 | Int(window[index + 1]) }

  func big32(_ index: Int) -> Int { big16(index) << 16 | big16(index + 2) }
}
