/// The way through a JPEG's segments to its frame header (ITU-T T.81 annex B).
///
///     SOI, then marker → length → skip → marker … until SOFn
enum JPEGWalk {
  /// At `FF xx`.
  case marker
  /// After fill bytes `FF`, at `xx`.
  case fill
  /// At the length of a segment that does not matter.
  case segment
  /// At the length of a frame header.
  case frame

  func step(_ window: ImageSniffer.Window) -> ImageSniffer.Step {
    switch self {
    case .marker:
      Self.marker(window[0], window[1])
    case .fill:
      Self.marker(window[0])
    case .segment:
      window.big16(0) < 2
        ? .refuse
        : .look(.init(skip: window.big16(0) - 2, count: 2), .jpeg(.marker))
    case .frame:
      // Length, precision, height, width. A height of 0 (a DNL segment follows the scan, B.2.5) is
      // refused.
      window.big16(0) < 8 ? .refuse : .facts(.jpeg, window.big16(5), window.big16(3))
    }
  }

  /// A marker; zeros between two segments are passed over, as decoders do (some cameras pad so).
  private static func marker(_ first: UInt8, _ second: UInt8) -> ImageSniffer.Step {
    switch (first, second) {
    case (0xFF, _): marker(second)
    case (0x00, 0x00): .look(.init(count: 2), .jpeg(.marker))
    case (0x00, 0xFF): .look(.init(count: 1), .jpeg(.fill))
    default: .refuse
    }
  }

  /// What a marker's second byte asks for (T.81 table B.1).
  static func marker(_ code: UInt8) -> ImageSniffer.Step {
    switch code {
    case 0xFF: .look(.init(count: 1), .jpeg(.fill))
    case 0x01, 0xD0...0xD7: .look(.init(count: 2), .jpeg(.marker))
    case 0xC4, 0xC8, 0xCC: .look(.init(count: 2), .jpeg(.segment))
    case 0xC0...0xCF: .look(.init(count: 7), .jpeg(.frame))
    case 0xDB...0xFE where code != 0xDC: .look(.init(count: 2), .jpeg(.segment))
    // A scan or the end before any frame header, a second SOI, or a reserved code.
    default: .refuse
    }
  }
}
