internal import Crypto
internal import Foundation
internal import Kernel
internal import Wire

/// The ingest without network, threads and catalogue: scan → base64 → SHA-256 → file, no fsync, in
/// the pieces that the service takes. The most that the service can reach.
final class Pipeline {
  private let directory: Directory
  private var decoder = Base64Decoder()
  private var hash = SHA256()
  private var file: File?
  private var buffer: [UInt8]
  /// Bytes in `buffer`, and of the image in the file.
  private var held = 0
  private var written = 0
  /// Image bytes in all.
  private var total = 0
  private static let chunkBytes = 64 << 10
  private static let writeBytes = 256 << 10
  private static let name = "pipeline.png"

  init(folder: URL) throws {
    directory = try Directory.open(path: folder.path)
    // The decoder may write eight bytes behind what it says.
    buffer = Array(repeating: 0, count: Self.writeBytes + Self.chunkBytes)
  }

  /// MB of image per second of processor time.
  func run(_ pieces: [[UInt8]], imageBytes: Int, seconds: Int) throws -> Double {
    let body = Array(pieces.joined())
    let spentBefore = SystemClock.processNanoseconds
    let end = SystemClock.monotonicNanoseconds + Int64(seconds) * 1_000_000_000
    var expected = 0
    total = 0
    repeat {
      try take(body)
      expected += imageBytes
    } while SystemClock.monotonicNanoseconds < end
    guard total == expected else { throw Trouble("The pipeline lost bytes.") }
    return Double(total) / Double(SystemClock.processNanoseconds - spentBefore) * 1000
  }

  private func take(_ body: [UInt8]) throws {
    var scanner = ImagesAnswerScanner(rule: .answer)
    var start = 0
    while start < body.count {
      let chunk = body.span.extracting(start..<min(start + Self.chunkBytes, body.count))
      var offset = 0
      scan: while true {
        switch try scanner.next(chunk, from: &offset) {
        case .needInput, .complete: break scan
        case .imageBegin: try begin()
        case .imageBytes: try write(chunk, from: &offset)
        case .imageEnd: try end()
        case .imageText, .imageBroken, .imageOver:
          throw Trouble("The body is not what it was made to be.")
        }
      }
      start += chunk.count
    }
    try scanner.finish()
  }

  private func begin() throws {
    try directory.remove(Self.name)
    file = try directory.file(Self.name, .createNew)
    decoder = Base64Decoder()
    hash = SHA256()
    held = 0
    written = 0
  }

  private func write(_ text: Span<UInt8>, from offset: inout Int) throws {
    var output = buffer.mutableSpan
    let stop = decoder.decode(text, from: &offset, into: &output, at: &held)
    guard stop == .inputEnd || stop == .foreign else { throw Trouble("The base64 is malformed.") }
    if held >= Self.writeBytes { try flush(Self.writeBytes) }
  }

  private func flush(_ count: Int) throws {
    var pending: [UInt8] = []
    swap(&pending, &buffer)
    defer { swap(&pending, &buffer) }
    hash.update(pending.span.extracting(0..<count))
    try file?.write(pending.span.extracting(0..<count), at: Int64(written))
    written += count
    for index in count..<held { pending[index - count] = pending[index] }
    held -= count
  }

  private func end() throws {
    var output = buffer.mutableSpan
    _ = decoder.finish(into: &output, at: &held)
    try flush(held)
    _ = exchange(&hash, with: SHA256()).finalize()
    total += written
    try file.take()?.close()
  }
}
