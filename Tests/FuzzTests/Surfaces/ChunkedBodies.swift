// RFC 9112 §7.1: a chunked body ends and holds the same bytes however it is split.
internal import Wire

func chunkedBodies(_ bytes: Span<UInt8>) throws(Broken) {
  let answer = try decoded(bytes, [0..<bytes.count], ofAnswer: true)
  let whole = try decoded(bytes, [0..<bytes.count])
  for pieces in cuts(bytes.count).dropFirst() {
    try hold(try decoded(bytes, pieces) == whole, "the body depends on the split")
    try hold(
      try decoded(bytes, pieces, ofAnswer: true) == answer, "the answer depends on the split")
  }
  if case .failed = whole.end {} else { try hold(answer == whole, "answers are read otherwise") }
  try hold(whole.body.count <= bytes.count, "more came out than went in")
  guard case .finished = whole.end, !whole.body.isEmpty else { return }
  var buffer = ByteBuffer(capacity: whole.body.count + 64)
  buffer.appendChunkHead(size: whole.body.count)
  _ = buffer.append(whole.body.span)
  _ = buffer.append("\r\n")
  buffer.appendLastChunk()
  let text = buffer.withSpan { $0.array }
  let again = try decoded(text.span, [0..<text.count])
  try hold(again == Decoded(body: whole.body, end: .finished(at: text.count)), "written anew")
}

/// A body and how it ended.
private struct Decoded: Equatable {
  enum End: Equatable {
    case open
    /// Offset behind the last byte.
    case finished(at: Int)
    case failed(ChunkedFailure)
  }
  var body: [UInt8] = []
  var end = End.open
}

private func decoded(
  _ bytes: Span<UInt8>, _ pieces: [Range<Int>], ofAnswer: Bool = false
) throws(Broken) -> Decoded {
  var decoder = ChunkedDecoder(ofAnswer: ofAnswer)
  var result = Decoded()
  for piece in pieces {
    var start = piece.lowerBound
    taking: while result.end == .open {
      let rest = bytes.extracting(start..<piece.upperBound)
      let step: ChunkedDecoder.Step
      do throws(ChunkedFailure) {
        step = try decoder.next(rest)
      } catch {
        result.end = .failed(error)
        break taking
      }
      switch step {
      case .data(let range, let consumed):
        try hold(!range.isEmpty && range.upperBound == consumed, "data \(range) of \(consumed)")
        try hold(consumed <= rest.count, "\(consumed) of \(rest.count) bytes are used")
        result.body += Array(rest, range)
        start += consumed
      case .incomplete(let consumed):
        try hold(consumed == rest.count, "\(consumed) of \(rest.count) bytes are used")
        break taking
      case .finished(let consumed):
        try hold(decoder.isFinished && consumed <= rest.count, "finished at \(consumed)")
        result.end = .finished(at: start + consumed)
      }
    }
  }
  return result
}
