/// The way through a GIF to its dimensions: those of the logical screen (GIF89a §18), and where
/// that is 0 × 0, as some encoders write it, those of the first image (§20), which decoders take
/// then.
enum GIFWalk {
  /// At the version's end, width and height.
  case screen
  /// At the flags of a screen without a size.
  case flags
  /// At a block's introducer.
  case block
  /// At the size of an extension's sub-block.
  case subBlock
  /// At an image's place and size.
  case image

  func step(_ window: ImageSniffer.Window) -> ImageSniffer.Step {
    switch self {
    case .screen:
      guard window[0] == 0x37 || window[0] == 0x39, window[1] == 0x61 else { return .refuse }
      let (width, height) = (window.little16(2), window.little16(4))
      if width > 0, height > 0 { return .facts(.gif, width, height) }
      return .look(.init(count: 3), .gif(.flags))
    case .flags:
      let colours = window[0] & 0x80 == 0 ? 0 : 3 << (Int(window[0] & 7) + 1)
      return .look(.init(skip: colours, count: 1), .gif(.block))
    case .block where window[0] == 0x21:
      return .look(.init(skip: 1, count: 1), .gif(.subBlock))
    case .block where window[0] == 0x2C:
      return .look(.init(count: 8), .gif(.image))
    case .block:
      return .refuse
    case .subBlock where window[0] == 0:
      return .look(.init(count: 1), .gif(.block))
    case .subBlock:
      return .look(.init(skip: Int(window[0]), count: 1), .gif(.subBlock))
    case .image:
      return .facts(.gif, window.little16(4), window.little16(6))
    }
  }
}
