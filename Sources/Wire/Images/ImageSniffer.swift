// Type and dimensions of an image as its bytes pass by.
//
// Every format is a walk: skip so many bytes, look at so many (at most 24), decide the next such
// step. So the state is one small window however long the header is (a JPEG may carry megabytes of
// EXIF and ICC before its frame header), and a step does not see how its bytes were split.

/// Fed successive pieces of a file; keeps O(1) state.
public struct ImageSniffer: Sendable {
  /// What the walk does next: pass over `skip` bytes, then look at `count`.
  struct Look {
    var skip = 0
    var count: Int
  }

  enum Step {
    case look(Look, Format)
    case verdict(ImageVerdict)

    static let refuse = Step.verdict(.notAnImage)

    static func facts(_ mediaType: MediaType, _ width: Int, _ height: Int) -> Step {
      ImageFacts(mediaType: mediaType, width: width, height: height).map { .verdict(.image($0)) }
        ?? .refuse
    }
  }

  /// Where in which format the walk is; the reading of each is in a file of its own.
  enum Format {
    case unknown
    case png
    case gif(GIFWalk)
    case webp(WebPWalk)
    case jpeg(JPEGWalk)
    case avif(AVIFWalk)
  }

  /// What is known so far; final once it is not `needMore`.
  public private(set) var verdict = ImageVerdict.needMore

  private var format = Format.unknown
  private var skip = 0
  private var window = Window(count: 4)

  /// A sniffer at the first byte of a file.
  public init() {}

  /// Takes the next bytes. What comes after the verdict is ignored.
  @discardableResult
  public mutating func feed(_ bytes: Span<UInt8>) -> ImageVerdict {
    var offset = 0
    while verdict == .needMore, offset < bytes.count {
      let passed = min(skip, bytes.count - offset)
      skip -= passed
      offset += passed
      while offset < bytes.count, !window.isFull {
        window.append(bytes[offset])
        offset += 1
      }
      if window.isFull { advance() }
    }
    return verdict
  }

  private mutating func advance() {
    switch decide() {
    case .verdict(let verdict):
      self.verdict = verdict
    case .look(let look, let format):
      skip = look.skip
      window = Window(count: look.count)
      self.format = format
    }
  }

  private func decide() -> Step {
    switch format {
    case .unknown: Self.first(window)
    case .png: Self.png(window)
    case .gif(let walk): walk.step(window)
    case .webp(let walk): walk.step(window)
    case .jpeg(let walk): walk.step(window)
    case .avif(let walk): walk.step(window)
    }
  }

  /// The first four bytes tell the format, or that it is none.
  private static func first(_ window: Window) -> Step {
    switch window.big32(0) {
    case 0x8950_4E47: .look(Look(count: 20), .png)
    case 0x4749_4638: .look(Look(count: 6), .gif(.screen))
    case 0x5249_4646: .look(Look(count: 16), .webp(.container))
    case 0xFFD8_FF00...0xFFD8_FFFF: JPEGWalk.marker(window[3])
    default: AVIFWalk.first(boxSize: window.big32(0))
    }
  }

  /// PNG (ISO/IEC 15948 §5.2, §11.2.2): the signature's second half, then IHDR.
  private static func png(_ window: Window) -> Step {
    guard window.big32(0) == 0x0D0A_1A0A, window.big32(4) == 13, window.big32(8) == 0x4948_4452
    else { return .refuse }
    return .facts(.png, window.big32(12), window.big32(16))
  }
}

extension ImageSniffer {
  /// The bytes under inspection.
  struct Window {
    private var bytes = InlineArray<24, UInt8>(repeating: 0)
    private var filled = 0
    private let wanted: Int

    init(count: Int) { wanted = min(count, 24) }

    var isFull: Bool { filled == wanted }

    mutating func append(_ byte: UInt8) {
      bytes[filled] = byte
      filled += 1
    }

    subscript(index: Int) -> UInt8 { bytes[index] }

    func big16(_ index: Int) -> Int { Int(bytes[index]) << 8 | Int(bytes[index + 1]) }

    func big32(_ index: Int) -> Int { big16(index) << 16 | big16(index + 2) }

    func little16(_ index: Int) -> Int { Int(bytes[index + 1]) << 8 | Int(bytes[index]) }

    func little24(_ index: Int) -> Int { Int(bytes[index + 2]) << 16 | little16(index) }

    func little32(_ index: Int) -> Int { little16(index + 2) << 16 | little16(index) }
  }
}
