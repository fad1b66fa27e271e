internal import Wire

/// Reads an answer as a rehost does: scanner and decoder, images in memory.
struct AnswerReading: Equatable {
  enum Image: Equatable {
    case whole([UInt8])
    case broken
  }

  /// By item.
  private(set) var images: [Int: Image] = [:]
  private(set) var skeleton = Skeleton()
  private(set) var failure: ScanFailure?
  /// Whether an image began; it may not have come to its end.
  private(set) var hasImage = false
  private var item = 0
  private var bytes: [UInt8] = []
  private var decoder = Base64Decoder()

  init(
    _ document: Span<UInt8>, _ pieces: [Range<Int>], _ rule: ImagesAnswerScanner.Rule
  ) {
    var scanner = ImagesAnswerScanner(rule: rule)
    do throws(ScanFailure) {
      for piece in pieces { try take(document.extracting(piece), &scanner) }
      try scanner.finish()
    } catch {
      failure = error
      return
    }
    skeleton = scanner.skeleton
  }

  /// An answer that is refused says why; what was read until then is dropped.
  static func == (left: Self, right: Self) -> Bool {
    guard left.failure == nil, right.failure == nil else { return left.failure == right.failure }
    return left.images == right.images && left.skeleton.bytes == right.skeleton.bytes
      && left.skeleton.items == right.skeleton.items && left.skeleton.root == right.skeleton.root
  }

  private mutating func take(
    _ piece: Span<UInt8>, _ scanner: inout ImagesAnswerScanner
  ) throws(ScanFailure) {
    var offset = 0
    while true {
      switch try scanner.next(piece, from: &offset) {
      case .needInput, .complete: return
      case .imageBegin(let item, _):
        (self.item, bytes, decoder) = (item, [], Base64Decoder())
        hasImage = true
      case .imageBytes: decode(piece, &offset, &scanner)
      case .imageText(let text):
        var start = 0
        decode(text.span, &start, &scanner)
      case .imageEnd: images[item] = end().map { .whole($0) } ?? .broken
      case .imageBroken: images[item] = .broken
      case .imageOver: break
      }
    }
  }

  private mutating func decode(
    _ piece: Span<UInt8>, _ offset: inout Int, _ scanner: inout ImagesAnswerScanner
  ) {
    var scratch = [UInt8](repeating: 0, count: 61)
    var stop = Base64Decoder.Stop.outputFull
    while stop == .outputFull {
      var end = 0
      var output = scratch.mutableSpan
      stop = decoder.decode(piece, from: &offset, into: &output, at: &end)
      bytes += scratch[..<end]
    }
    if stop == .malformed { breakImage(&scanner) }
  }

  private mutating func breakImage(_ scanner: inout ImagesAnswerScanner) {
    scanner.abandonImage()
    images[item] = .broken
  }

  private mutating func end() -> [UInt8]? {
    var scratch = [UInt8](repeating: 0, count: 2)
    var end = 0
    var output = scratch.mutableSpan
    return decoder.finish(into: &output, at: &end) == .inputEnd ? bytes + scratch[..<end] : nil
  }
}
