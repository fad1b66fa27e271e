/// The image types that are hosted (API.md §1). Told by magic bytes, never by a label.
public enum MediaType: String, CaseIterable, Hashable, Sendable {
  /// Portable Network Graphics.
  case png
  /// JPEG, any process.
  case jpeg
  /// WebP: lossy, lossless or extended.
  case webp
  /// GIF 87a or 89a.
  case gif
  /// AV1 image or image sequence.
  case avif

  /// The value of Content-Type, e.g. `image/png`.
  public var contentType: String { "image/" + rawValue }

  /// The extension that our URLs use; a JPEG's is `jpg`.
  public var fileExtension: String { self == .jpeg ? "jpg" : rawValue }

  /// The type of a Content-Type value without parameters, lower case; or nil.
  public init?(contentType: String) {
    guard let type = Self.allCases.first(where: { $0.contentType == contentType }) else {
      return nil
    }
    self = type
  }

  /// Whether a URL's extension (without the dot, lower case) fits; `jpg` and `jpeg` both do.
  public func accepts(extension text: Span<UInt8>) -> Bool {
    switch self {
    case .png: Self.equal(text, "png")
    case .jpeg: Self.equal(text, "jpg") || Self.equal(text, "jpeg")
    case .webp: Self.equal(text, "webp")
    case .gif: Self.equal(text, "gif")
    case .avif: Self.equal(text, "avif")
    }
  }

  private static func equal(_ text: Span<UInt8>, _ name: String) -> Bool {
    let name = name.utf8
    guard text.count == name.count else { return false }
    var index = 0
    for byte in name {
      guard text[index] == byte else { return false }
      index += 1
    }
    return true
  }
}
