/// Why an answer cannot be taken. The offset given to the scanner stands at the byte at fault.
public enum ScanFailure: Error, Hashable, CustomStringConvertible {
  /// Not JSON.
  case json(JSONFault)
  /// More than this many bytes beside the images.
  case skeletonTooLarge(limit: Int)
  /// More than this many elements in `data`.
  case tooManyImages(limit: Int)
  /// Two arrays `data` at the root: readers would disagree on which one counts.
  case twoDataArrays

  /// For a client's error message.
  public var description: String {
    switch self {
    case .json(let fault) where fault.isLimit: "\(fault)"
    case .json(let fault): "invalid JSON: \(fault)"
    case .skeletonTooLarge(let limit): "more than \(limit) bytes beside the images"
    case .tooManyImages(let limit): "more than \(limit) images"
    case .twoDataArrays: "more than one member data"
    }
  }
}
