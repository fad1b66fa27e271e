// Bodies that come compressed although nothing was offered: gzip (RFC 1952), zlib (RFC 1950) and
// bare deflate (RFC 1951), decoded as they arrive.
//
//   gzip ──header──▶ block ──…──▶ checks ──▶ between ──another member──▶ header …
//   zlib ──header──▶ block ──…──▶ checks ──▶ finished
//   bare ──────────▶ block ──…──────────────▶ finished

/// Why compressed bytes can not be decoded.
public enum InflateFailure: UInt8, Error, CaseIterable, Sendable {
  /// No gzip header, or one with a method or flags that do not exist.
  case badHeader
  /// A dictionary is needed that only the two ends of another connection know.
  case needsDictionary
  /// A block of a kind that does not exist, or a stored one whose length is said in two ways.
  case badBlock
  /// Code lengths that make no code, or bits that are none.
  case badCode
  /// A copy from before the start.
  case badDistance
  /// The checksum or the length does not fit.
  case badChecksum
}

/// Decodes compressed bytes, however they are split, in bounded steps and 150 KiB of memory.
///
/// Call `decode` with the bytes not yet taken, hand out `withOutput`, call `removeOutput`; again
/// until it `needsInput` or `isFinished`. What follows the end is taken and dropped, as gzip(1)
/// does with padding.
public struct Inflater: Sendable {
  /// How the bytes are wrapped.
  public enum Format: Sendable {
    case gzip
    /// zlib, as RFC 9110 §8.4.1.2 wants it, or bare, as some servers send it.
    case deflate
  }

  enum State: Equatable {
    case gzipStart, gzipFlags, gzipTime, gzipSystem
    case gzipExtraLength, gzipExtra(left: Int), gzipText(left: Int), gzipHeaderCheck
    case gzipSum, gzipLength, between
    case zlibStart, zlibSum
    case block
    case storedStart, stored(left: Int)
    case counts, codeLengths(have: Int, of: Int), lengths
    case symbols
    case finished
  }

  /// How many blocks and members one `decode` begins: each may make two codes, and need not write a
  /// byte.
  private static let startsPerStep = 16

  private let format: Format
  var state: State
  var bits = BitReader()
  var window = InflateWindow()
  var isLast = false
  var literals = PrefixCode()
  var distances = PrefixCode()
  /// The code lengths of the block under way, and how many of them are literals' and all.
  var codeLengths: [UInt8] = []
  var literalCount = 0
  var lengthCount = 0
  private var isZlib = false
  private var gzipFlags = 0
  private var starts = 0
  private var crc = CRC32()
  private var adler = Adler32()
  private var written: UInt32 = 0
  /// How much of the window's output is in the checksums.
  private var summed = 0
  private var hasBegun = false

  /// Whether `decode` stopped because there was no more to take.
  public private(set) var needsInput = true

  /// A decoder at the start of a body.
  public init(_ format: Format) {
    self.format = format
    state = format == .gzip ? .gzipStart : .zlibStart
  }

  /// Whether the compressed bytes are at their end.
  public var isFinished: Bool { state == .finished }

  /// Whether the body may end here: behind a whole stream, or before the first byte.
  public var mayEnd: Bool { state == .finished || state == .between || !hasBegun }

  /// Takes bytes from the start of `input`, as many as make 64 KiB of output or sixteen blocks;
  /// returns how many.
  public mutating func decode(_ input: Span<UInt8>) throws(InflateFailure) -> Int {
    if !input.isEmpty { hasBegun = true }
    guard state != .finished else {
      needsInput = true
      return input.count
    }
    starts = 0
    needsInput = false
    var index = 0
    while state != .finished, !needsInput, window.hasRoom, starts < Self.startsPerStep {
      needsInput = try !step(input, &index)
    }
    sum()
    return state == .finished ? input.count : index
  }

  /// Lends what was decoded since `removeOutput`.
  public func withOutput<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try window.withBytes(body)
  }

  /// Forgets what was handed out.
  public mutating func removeOutput() {
    sum()
    window.empty()
    summed = 0
  }

  /// One step of the machine; `false` when there are too few bits for it.
  private mutating func step(
    _ input: Span<UInt8>, _ index: inout Int
  ) throws(InflateFailure) -> Bool {
    bits.fill(input, &index)
    switch state {
    case .block: return try beginBlock()
    case .storedStart, .stored: return try stored(input, &index)
    case .counts, .codeLengths, .lengths: return try readLengths(input, &index)
    case .symbols: return try readSymbols(input, &index)
    case .zlibStart: return try zlibStart()
    case .zlibSum: return try zlibSum()
    case .gzipSum, .gzipLength, .between: return try gzipEnd()
    case .finished: return false
    default: return try gzipHeader()
    }
  }

  /// The last block is over; the rest of its last byte means nothing.
  mutating func endBlocks() {
    guard isLast else { return state = .block }
    bits.dropPartByte()
    sum()
    state = format == .gzip ? .gzipSum : isZlib ? .zlibSum : .finished
  }

  mutating func countStart() { starts += 1 }

  private mutating func sum() {
    guard summed < window.count else { return }
    let (from, end) = (summed, window.count)
    var (crc, adler) = (crc, adler)
    window.withBytes { bytes in
      if format == .gzip {
        crc.update(bytes.extracting(from..<end))
      } else {
        adler.update(bytes.extracting(from..<end))
      }
    }
    (self.crc, self.adler) = (crc, adler)
    written &+= UInt32(truncatingIfNeeded: end - from)
    summed = end
  }

  // MARK: The wrappings

  /// RFC 1950 §2.2, or none.
  private mutating func zlibStart() throws(InflateFailure) -> Bool {
    guard let head = bits.peek(16) else { return false }
    let (method, flags) = (head & 0xFF, head >> 8)
    if method & 0x0F == 8, method >> 4 <= 7, (method << 8 | flags) % 31 == 0 {
      guard flags & 0x20 == 0 else { throw .needsDictionary }
      bits.drop(16)
      isZlib = true
    }
    state = .block
    return true
  }

  private mutating func zlibSum() throws(InflateFailure) -> Bool {
    guard let sum = bits.take(32) else { return false }
    guard UInt32(truncatingIfNeeded: sum).byteSwapped == adler.value else { throw .badChecksum }
    state = .finished
    return true
  }

  /// RFC 1952 §2.3.1, field by field.
  private mutating func gzipHeader() throws(InflateFailure) -> Bool {
    switch state {
    case .gzipStart:
      guard let magic = bits.take(16) else { return false }
      guard magic == 0x8B1F else { throw .badHeader }
      countStart()
      state = .gzipFlags
    case .gzipFlags:
      guard let head = bits.take(16) else { return false }
      gzipFlags = head >> 8
      guard head & 0xFF == 8, gzipFlags & 0xE0 == 0 else { throw .badHeader }
      state = .gzipTime
    case .gzipTime:
      guard bits.take(32) != nil else { return false }
      state = .gzipSystem
    case .gzipSystem:
      guard bits.take(16) != nil else { return false }
      state = gzipFlags & 4 != 0 ? .gzipExtraLength : .gzipText(left: gzipTexts)
    case .gzipExtraLength:
      guard let length = bits.take(16) else { return false }
      state = .gzipExtra(left: length)
    case .gzipExtra(let left):
      guard left == 0 || bits.take(8) != nil else { return false }
      state = left > 0 ? .gzipExtra(left: left - 1) : .gzipText(left: gzipTexts)
    case .gzipText(let left):
      guard left > 0 else {
        state = .gzipHeaderCheck
        return true
      }
      guard let byte = bits.take(8) else { return false }
      if byte == 0 { state = .gzipText(left: left - 1) }
    default:
      guard gzipFlags & 2 == 0 || bits.take(16) != nil else { return false }
      beginMember()
    }
    return true
  }

  /// A name and a comment, each with a zero behind it.
  private var gzipTexts: Int { gzipFlags >> 3 & 1 + gzipFlags >> 4 & 1 }

  private mutating func beginMember() {
    crc = CRC32()
    written = 0
    window.begin()
    state = .block
  }

  private mutating func gzipEnd() throws(InflateFailure) -> Bool {
    switch state {
    case .gzipSum:
      guard let sum = bits.take(32) else { return false }
      guard sum == Int(crc.value) else { throw .badChecksum }
      state = .gzipLength
    case .gzipLength:
      guard let length = bits.take(32) else { return false }
      guard length == Int(written) else { throw .badChecksum }
      state = .between
    default:
      guard let magic = bits.peek(16) else { return false }
      state = magic == 0x8B1F ? .gzipStart : .finished
    }
    return true
  }
}
