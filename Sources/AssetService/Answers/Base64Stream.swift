// Images as base64 in answers: read from their files piece by piece, never held whole.
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Wire

/// The bytes of an image that an answer will hold as base64.
enum StoredImage {
  /// A published one.
  case file(SharedFile, bytes: Int64)
  /// One that was taken but has no row.
  case ingest(IngestWork, bytes: Int64)
  /// One that could not be stored.
  case unstored(UnstoredImage)

  var bytes: Int64 {
    switch self {
    case .file(_, let bytes), .ingest(_, let bytes): bytes
    case .unstored(let image): image.bytes
    }
  }

  /// The next bytes from `offset`, at most `count`; empty at the end. An answer that has begun does
  /// not break off because our queue is full.
  func read(at offset: Int64, count: Int, on workers: Workers) async throws -> [UInt8] {
    switch self {
    case .file(let file, _):
      try await workers.run(isOwed: true) {
        try [UInt8](reading: count) { (span) throws in try file.read(into: &span, at: offset) }
      }
    case .ingest(let work, _):
      try await workers.run(isOwed: true) {
        try [UInt8](reading: count) { (span) throws in try work.readBack(at: offset, into: &span) }
      }
    case .unstored(let image): try await image.read(at: offset, count: count, on: workers)
    }
  }
}

extension Array where Element == UInt8 {
  /// What `read` puts into a buffer of `count` bytes.
  init(reading count: Int, _ read: (inout MutableSpan<UInt8>) throws -> Int) throws {
    self.init(repeating: 0, count: count)
    var span = mutableSpan
    let filled = try read(&span)
    removeLast(count - filled)
  }
}

extension BodyWriter {
  /// A whole number of base64 quanta.
  private static let pieceBytes = 48 << 10

  /// Writes the base64 of an image: `Base64.encodedLength(image.bytes)` characters.
  func write(base64 image: StoredImage, on workers: Workers) async throws {
    var encoder = Base64Encoder()
    var text = [UInt8](repeating: 0, count: (64 << 10) + 64)
    var offset: Int64 = 0
    while offset < image.bytes {
      let count = Int(min(Int64(Self.pieceBytes), image.bytes - offset))
      let piece = try await image.read(at: offset, count: count, on: workers)
      // The head has promised more: only an end of the connection takes that back.
      guard !piece.isEmpty else { throw StoreFailure(.read, .assetDamaged) }
      offset += Int64(piece.count)
      var (start, end) = (0, 0)
      var output = text.mutableSpan
      _ = encoder.encode(piece.span, from: &start, into: &output, at: &end)
      try await write(text.span.extracting(0..<end))
    }
    var end = 0
    var output = text.mutableSpan
    _ = encoder.finish(into: &output, at: &end)
    if end > 0 { try await write(text.span.extracting(0..<end)) }
  }

  /// Writes the parts of a rendered answer in order.
  func write(
    _ segments: [SkeletonRenderer.Segment], images: [Int: StoredImage],
    texts: [Int: [OriginalText]], on workers: Workers
  ) async throws {
    for segment in segments {
      switch segment {
      case .bytes(let bytes): try await write(bytes.span)
      case .image(let item, _):
        guard let image = images[item] else { throw BodyFailure.disconnected }
        try await write(base64: image, on: workers)
      case .text(let item, let index, _):
        guard let texts = texts[item], index < texts.count else { throw BodyFailure.disconnected }
        try await write(original: texts[index], on: workers)
      }
    }
  }
}
