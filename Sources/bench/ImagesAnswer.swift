internal import Foundation
internal import Wire

/// The body of a gateway's whole Images API answer, in pieces that are shared from call to call.
final class ImagesAnswer {
  private var image: TestImage
  private let images: Int
  private let rest: [UInt8]

  /// `images` images of `size` bytes each, as base64.
  init(size: Int, images: Int) {
    image = TestImage(size: size)
    self.images = images
    // The head is whole quanta, so that the two texts make one.
    rest = Array(Base64.encode(image.rest.span).utf8)
  }

  var imageBytes: Int { images * image.size }

  /// The next answer: its images are new.
  func next() -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    for index in 0..<images {
      let opening = index == 0 ? "{\"created\":1712000000,\"data\":[" : "\"},"
      let head = image.nextHead()
      pieces.append(Array((opening + "{\"b64_json\":\"" + Base64.encode(head.span)).utf8))
      pieces.append(rest)
    }
    pieces.append(Array("\"}],\"usage\":{\"total_tokens\":1}}".utf8))
    return pieces
  }

  /// Writes one answer to a file.
  func write(to file: URL) throws { try Data(next().joined()).write(to: file) }
}
