/// What the first bytes of an image say.
public struct ImageFacts: Hashable, Sendable {
  /// The type by magic bytes.
  public let mediaType: MediaType
  /// Pixels, 1…2³¹−1, before any orientation tag.
  public let width: Int
  /// Pixels, 1…2³¹−1, before any orientation tag.
  public let height: Int

  /// Width × height; cannot overflow.
  public var pixels: Int { width * height }

  /// Facts with sane sides, or nil: a hostile header may claim zero or more than any decoder takes.
  public init?(mediaType: MediaType, width: Int, height: Int) {
    let sides = 1...Int(Int32.max)
    guard sides.contains(width), sides.contains(height) else { return nil }
    self.mediaType = mediaType
    self.width = width
    self.height = height
  }
}

/// What is known of a stream of bytes so far.
public enum ImageVerdict: Hashable, Sendable {
  /// Not yet told; at the end of the bytes this means the same as `notAnImage`.
  case needMore
  /// None of the hosted types, or a header without dimensions.
  case notAnImage
  /// A hosted type.
  case image(ImageFacts)
}
