// The chunked transfer coding (RFC 9112 §7.1), for requests and responses alike: strict CRLF,
// bounded size lines, extensions and trailers. Body bytes stay where they are.
//
//     size ──CRLF──▶ data ──▶ dataEnd ──CRLF──▶ size …
//       └──0 CRLF──▶ trailers ──CRLF──▶ finished

/// What is wrong with a chunked body: answer 400 (or 502) and close.
public enum ChunkedFailure: UInt8, Error, CaseIterable, Sendable {
  /// A size that is no hex number of at most 63 bits, or something else behind it.
  case badSize
  /// A size line of more than `ChunkedDecoder.maxSizeLine` bytes.
  case sizeLineTooLong
  /// Extensions of more than `ChunkedDecoder.maxExtensions` bytes in all.
  case extensionsTooLong
  /// A control character in an extension, or a CR or LF that is not part of a CRLF.
  case badLineEnd
  /// A chunk that is longer than its size says.
  case missingLineEnd
  /// A trailer line that is no field line.
  case badTrailer
  /// Trailers of more than `ChunkedDecoder.maxTrailers` bytes.
  case trailersTooLong
}

/// Decodes a chunked body in place, however it is split.
///
/// Call `next` with the bytes not yet consumed; drop `consumed` of them after each call.
public struct ChunkedDecoder: Sendable {
  /// Bytes of a chunk-size line with its extensions.
  public static var maxSizeLine: Int { 256 }
  /// Bytes of all chunk extensions of a body together.
  public static var maxExtensions: Int { 4096 }
  /// Bytes of the trailer section.
  public static var maxTrailers: Int { 8192 }

  /// What a call found.
  public enum Step: Sendable, Equatable {
    /// These bytes of the input belong to the body; `consumed` may count framing before them.
    case data(Range<Int>, consumed: Int)
    /// The input is used up to `consumed`; more is needed.
    case incomplete(consumed: Int)
    /// The body ends; what follows `consumed` is not part of it. Trailers are checked and dropped.
    case finished(consumed: Int)
  }

  private enum Phase: Equatable {
    case sizeStart, size, sizeBlank, sizeExtension, sizeLineFeed
    case data
    case dataReturn, dataLineFeed
    case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
    case finished
  }

  /// Whether white space may stand behind a size, as some servers pad it. Two readers of a request
  /// could disagree there, so only answers are read so.
  private let allowsBlankAfterSize: Bool
  private var phase = Phase.sizeStart
  private var remaining: Int64 = 0
  private var lineLength = 0
  private var extensionBytes = 0
  private var trailerBytes = 0

  /// A decoder at the start of a body, of a request or of an answer.
  public init(ofAnswer isAnswer: Bool = false) { allowsBlankAfterSize = isAnswer }

  /// Whether the body has ended.
  public var isFinished: Bool { phase == .finished }

  /// Finds the next run of body bytes in `bytes`.
  public mutating func next(_ bytes: Span<UInt8>) throws(ChunkedFailure) -> Step {
    var index = 0
    while index < bytes.count {
      if phase == .data {
        let length = Int(min(remaining, Int64(bytes.count - index)))
        remaining -= Int64(length)
        if remaining == 0 { phase = .dataReturn }
        return .data(index..<index + length, consumed: index + length)
      }
      if phase == .finished { return .finished(consumed: index) }
      try framing(bytes[index])
      index += 1
    }
    return phase == .finished ? .finished(consumed: index) : .incomplete(consumed: index)
  }

  /// Takes one byte outside of chunk data.
  private mutating func framing(_ byte: UInt8) throws(ChunkedFailure) {
    switch phase {
    case .sizeStart, .size, .sizeBlank, .sizeExtension, .sizeLineFeed: try sizeLine(byte)
    case .dataReturn:
      guard byte == .carriageReturn else { throw .missingLineEnd }
      phase = .dataLineFeed
    case .dataLineFeed:
      guard byte == .lineFeed else { throw .missingLineEnd }
      phase = .sizeStart
    case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
      trailerBytes += 1
      guard trailerBytes <= Self.maxTrailers else { throw .trailersTooLong }
      try trailer(byte)
    case .data, .finished: break
    }
  }

  /// `chunk-size [ chunk-ext ] CRLF`; white space belongs to extensions only, after a `;`, but in
  /// answers (`BWS` before the `;`, RFC 9112 §7.1.1, and padding before the CRLF).
  private mutating func sizeLine(_ byte: UInt8) throws(ChunkedFailure) {
    lineLength += 1
    guard lineLength <= Self.maxSizeLine + 2 else { throw .sizeLineTooLong }
    switch (phase, byte) {
    case (.sizeStart, _), (.size, _):
      if let digit = byte.hexValue {
        guard remaining <= Int64.max >> 4 else { throw .badSize }
        remaining = remaining << 4 | Int64(digit)
        phase = .size
      } else {
        guard phase == .size else { throw byte == .lineFeed ? .badLineEnd : .badSize }
        try afterSize(byte)
      }
    case (.sizeBlank, _): try afterSize(byte)
    case (.sizeExtension, .carriageReturn): phase = .sizeLineFeed
    case (.sizeExtension, 0x09), (.sizeExtension, 0x20...0x7E), (.sizeExtension, 0x80...):
      try countExtension()
    case (.sizeLineFeed, .lineFeed):
      phase = remaining == 0 ? .trailerStart : .data
      lineLength = 0
    default: throw .badLineEnd
    }
  }

  private mutating func afterSize(_ byte: UInt8) throws(ChunkedFailure) {
    switch byte {
    case .carriageReturn: phase = .sizeLineFeed
    case 0x3B:
      try countExtension()
      phase = .sizeExtension
    case 0x20, 0x09:
      guard allowsBlankAfterSize else { throw .badSize }
      phase = .sizeBlank
    default: throw byte == .lineFeed ? .badLineEnd : .badSize
    }
  }

  private mutating func countExtension() throws(ChunkedFailure) {
    extensionBytes += 1
    guard extensionBytes <= Self.maxExtensions else { throw .extensionsTooLong }
  }

  /// `*( field-line CRLF ) CRLF` (RFC 9112 §7.1.2).
  private mutating func trailer(_ byte: UInt8) throws(ChunkedFailure) {
    switch (phase, byte) {
    case (.trailerStart, .carriageReturn): phase = .lastLineFeed
    case (.trailerStart, _) where byte.isToken: phase = .trailerName
    case (.trailerName, 0x3A): phase = .trailerValue
    case (.trailerName, _) where byte.isToken: break
    case (.trailerValue, .carriageReturn): phase = .trailerLineFeed
    case (.trailerValue, 0x09), (.trailerValue, 0x20...0x7E), (.trailerValue, 0x80...): break
    case (.trailerLineFeed, .lineFeed): phase = .trailerStart
    case (.lastLineFeed, .lineFeed): phase = .finished
    case (_, .lineFeed), (.trailerLineFeed, _), (.lastLineFeed, _): throw .badLineEnd
    default: throw .badTrailer
    }
  }
}

extension ByteBuffer {
  /// Appends the head of a chunk of `size` bytes: hex, CRLF. `false` when it does not fit. The
  /// chunk's own CRLF follows its bytes; a chunk of zero bytes would end the body.
  @discardableResult
  public mutating func appendChunkHead(size: Int) -> Bool {
    precondition(size > 0, "a chunk of zero bytes ends the body")
    guard free >= 18 else { return false }
    return append(hex: UInt64(size)) && append("\r\n")
  }

  /// Appends the last chunk and an empty trailer section; `false` when they do not fit.
  @discardableResult
  public mutating func appendLastChunk() -> Bool { append("0\r\n\r\n") }
}
