import Wire

/// Reads an answer as a rehost does: scanner and decoder, images in memory.
struct AnswerReader: Equatable {
  enum Image: Equatable {
    case whole(member: String, [UInt8])
    case broken
  }

  var images: [Int: Image] = [:]
  var skeleton: [UInt8] = []
  var values: [[Skeleton.Value]] = []
  var failure: ScanFailure?

  private(set) var document = ImagesAnswerScanner(rule: .answer).skeleton
  private var member = ""
  private var item = 0
  private var bytes: [UInt8] = []
  private var decoder = Base64Decoder()

  static func == (left: Self, right: Self) -> Bool {
    left.images == right.images && left.skeleton == right.skeleton && left.values == right.values
      && left.failure == right.failure
  }

  init(
    _ pieces: [[UInt8]], rule: ImagesAnswerScanner.Rule = .answer,
    limits: ImagesAnswerScanner.Limits = .init()
  ) {
    var scanner = ImagesAnswerScanner(rule: rule, limits: limits)
    do throws(ScanFailure) {
      for piece in pieces { try take(piece, &scanner) }
      try scanner.finish()
    } catch {
      failure = error
      return
    }
    document = scanner.skeleton
    skeleton = document.bytes
    values = document.items.map { $0.object?.members.map(\.value) ?? [] }
  }

  private mutating func take(
    _ piece: [UInt8], _ scanner: inout ImagesAnswerScanner
  ) throws(ScanFailure) {
    var offset = 0
    while true {
      switch try scanner.next(piece.span, from: &offset) {
      case .needInput, .complete:
        return
      case .imageBegin(let item, let member):
        self.item = item
        self.member = member.rawValue
        bytes = []
        decoder = Base64Decoder()
      case .imageBytes:
        decode(piece, &offset, &scanner)
      case .imageText(let text):
        var start = 0
        decode(text, &start, &scanner)
      case .imageEnd:
        end()
      case .imageBroken:
        images[item] = .broken
      case .imageOver:
        break
      }
    }
  }

  private mutating func decode(
    _ piece: [UInt8], _ offset: inout Int, _ scanner: inout ImagesAnswerScanner
  ) {
    var scratch = [UInt8](repeating: 0, count: 61)
    var stop = Base64Decoder.Stop.outputFull
    while stop == .outputFull {
      var end = 0
      var output = scratch.mutableSpan
      stop = decoder.decode(piece.span, from: &offset, into: &output, at: &end)
      bytes += scratch[..<end]
    }
    if stop == .malformed {
      scanner.abandonImage()
      images[item] = .broken
    }
  }

  private mutating func end() {
    var scratch = [UInt8](repeating: 0, count: 2)
    var end = 0
    var output = scratch.mutableSpan
    let stop = decoder.finish(into: &output, at: &end)
    images[item] =
      stop == .inputEnd ? .whole(member: member, bytes + scratch[..<end]) : .broken
  }
}
