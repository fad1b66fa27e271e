internal import Wire

/// Which of a connection's bytes belong to the body of one answer (RFC 9112 §6.3).
struct BodyFraming {
  private enum Kind {
    case length(left: Int64)
    case chunked(ChunkedDecoder)
    case untilClose
    case finished
  }
  private var kind: Kind
  /// How many bytes at the front of the input belong to the body and were not taken yet.
  private(set) var run = 0

  init(_ body: ResponseBody) {
    kind =
      switch body {
      case .none, .length(0): .finished
      case .length(let count): .length(left: count)
      case .chunked: .chunked(ChunkedDecoder(ofAnswer: true))
      case .untilClose: .untilClose
      }
  }

  /// Whether all of the body was taken.
  var isFinished: Bool { if case .finished = kind { true } else { false } }

  /// Finds the next run; returns how many bytes of framing stand before it. The run is 0 when there
  /// is none in these bytes.
  mutating func advance(_ bytes: Span<UInt8>) throws(ClientFailure) -> Int {
    switch kind {
    case .finished: return 0
    case .untilClose: run = bytes.count
    case .length(let left): run = Int(min(left, Int64(bytes.count)))
    case .chunked(var decoder):
      let step: ChunkedDecoder.Step
      do throws(ChunkedFailure) { step = try decoder.next(bytes) } catch {
        throw .malformed("chunked body: \(error)")
      }
      kind = .chunked(decoder)
      switch step {
      case .data(let range, _):
        run = range.count
        return range.lowerBound
      case .incomplete(let consumed): return consumed
      case .finished(let consumed):
        kind = .finished
        return consumed
      }
    }
    return 0
  }

  /// So many bytes of the run were taken.
  mutating func take(_ count: Int) {
    run -= count
    guard case .length(let left) = kind else { return }
    kind = left == Int64(count) ? .finished : .length(left: left - Int64(count))
  }

  /// The server ended its half; throws when the body was to go on.
  mutating func end() throws(ClientFailure) {
    guard case .untilClose = kind else { throw .brokeOff }
    kind = .finished
  }
}
