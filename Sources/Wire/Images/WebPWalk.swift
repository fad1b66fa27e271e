/// The first chunk of a WebP file (RFC 9649 §2.5–2.7): it holds or declares the dimensions.
enum WebPWalk {
  /// After `RIFF`: file size, `WEBP`, chunk name, chunk size.
  case container
  /// A lossy key frame (RFC 6386 §9.1).
  case lossy
  /// A lossless stream (RFC 9649 §3.4).
  case lossless
  /// The canvas of an extended file (RFC 9649 §2.7.1).
  case extended

  func step(_ window: ImageSniffer.Window) -> ImageSniffer.Step {
    switch self {
    case .container: Self.container(window)
    case .lossy: Self.lossy(window)
    case .lossless: Self.lossless(window)
    case .extended:
      .facts(.webp, window.little24(4) + 1, window.little24(7) + 1)
    }
  }

  private static func container(_ window: ImageSniffer.Window) -> ImageSniffer.Step {
    guard window.big32(4) == 0x5745_4250 else { return .refuse }
    switch window.big32(8) {
    case 0x5650_3820: return .look(.init(count: 10), .webp(.lossy))
    case 0x5650_384C: return .look(.init(count: 5), .webp(.lossless))
    case 0x5650_3858: return .look(.init(count: 10), .webp(.extended))
    default: return .refuse
    }
  }

  private static func lossy(_ window: ImageSniffer.Window) -> ImageSniffer.Step {
    let isKeyFrame = window[0] & 1 == 0
    guard isKeyFrame, window[3] == 0x9D, window[4] == 0x01, window[5] == 0x2A else {
      return .refuse
    }
    return .facts(.webp, window.little16(6) & 0x3FFF, window.little16(8) & 0x3FFF)
  }

  private static func lossless(_ window: ImageSniffer.Window) -> ImageSniffer.Step {
    guard window[0] == 0x2F else { return .refuse }
    let bits = window.little32(1)
    return .facts(.webp, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
  }
}
