// RFC 1950 to 1952: a compressed body holds the same bytes however it is split, in bounded steps.
internal import Wire

func compressedBodies(_ bytes: Span<UInt8>) throws(Broken) {
  for format in [Inflater.Format.gzip, .deflate] {
    let whole = try inflated(bytes, [0..<bytes.count], format)
    for pieces in cuts(bytes.count).dropFirst() {
      try hold(try inflated(bytes, pieces, format) == whole, "the body depends on the split")
    }
    // RFC 1951: 258 bytes for two codes of one bit each.
    try hold(whole.body.count <= bytes.count * 1032 + 258, "more came out than can be")
  }
}

/// A body and how it ended; no body where it is broken, since steps hand out nothing that fails.
private struct Inflated: Equatable {
  var body: [UInt8] = []
  var mayEnd = false
  var failure: InflateFailure?
}

private func inflated(
  _ bytes: Span<UInt8>, _ pieces: [Range<Int>], _ format: Inflater.Format
) throws(Broken) -> Inflated {
  var inflater = Inflater(format)
  var result = Inflated()
  for piece in pieces {
    var start = piece.lowerBound
    repeat {
      let taken: Int
      do throws(InflateFailure) {
        taken = try inflater.decode(bytes.extracting(start..<piece.upperBound))
      } catch {
        return Inflated(failure: error)
      }
      start += taken
      try hold(start <= piece.upperBound, "\(taken) bytes taken")
      let output = inflater.withOutput { $0.array }
      try hold(output.count <= 96 << 10, "a step of \(output.count) bytes")
      result.body += output
      inflater.removeOutput()
    } while !inflater.needsInput && !inflater.isFinished
    try hold(start == piece.upperBound, "bytes are left")
  }
  result.mayEnd = inflater.mayEnd
  return result
}
