internal import HTTPServer
internal import Net
internal import Store
internal import Wire

/// A text that goes back as it came.
struct OriginalText {
  /// The head of a data URL.
  let lead: [UInt8]
  let tail: KeptText
  /// Has the bytes whose base64 is between the two.
  var work: IngestWork?
  /// How many: a multiple of 3.
  var bytes: Int64 = 0

  /// Why it can not go back.
  var loss: Failure? { tail.loss }

  /// How long it is.
  var characters: Int64 { Int64(lead.count) + Base64.encodedLength(bytes) + tail.count }
}

extension BodyWriter {
  private static let textBytes = 64 << 10

  /// Writes a text as it came: `text.characters` bytes.
  func write(original text: OriginalText, on workers: Workers) async throws {
    if !text.lead.isEmpty { try await write(text.lead.span) }
    if let work = text.work {
      try await write(base64: .ingest(work, bytes: text.bytes), on: workers)
      try await check(work, from: text.bytes, on: workers)
    }
    var offset: Int64 = 0
    while offset < text.tail.count {
      let piece = try await text.tail.read(at: offset, count: Self.textBytes)
      guard !piece.isEmpty else { throw BodyFailure.disconnected }
      try await write(piece.span)
      offset += Int64(piece.count)
    }
  }

  /// That a file is what was written to it is known at its end, and no answer is whole before.
  private func check(_ work: IngestWork, from start: Int64, on workers: Workers) async throws {
    let size = Self.textBytes
    var offset = start
    while offset < work.count {
      let from = offset
      let piece = try await workers.run(isOwed: true) {
        try [UInt8](reading: size) { (span) throws in try work.readBack(at: from, into: &span) }
      }
      guard !piece.isEmpty else { throw BodyFailure.disconnected }
      offset += Int64(piece.count)
    }
  }
}
