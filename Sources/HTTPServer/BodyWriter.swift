internal import Net
internal import Wire

/// Where a streamed response body is written, by one task at a time.
public struct BodyWriter {
  /// How far the body has come; what holds a writer after the end can do no harm.
  private final class Progress {
    var left: Int64
    var isOpen = true
    var isOverrun = false
    init(_ left: Int64) { self.left = left }
  }
  private let connection: Connection
  private let length: Int64
  private let progress: Progress

  init(connection: Connection, length: Int64) {
    self.connection = connection
    self.length = length
    progress = Progress(length)
  }

  /// Sends bytes; comes back when the kernel has taken them all.
  ///
  /// - Throws: `BodyFailure.disconnected`; `.tooLarge` for more bytes than were announced, none of
  ///   which are sent.
  public func write(_ bytes: Span<UInt8>) async throws {
    guard progress.isOpen else { throw BodyFailure.disconnected }
    guard !progress.isOverrun, Int64(bytes.count) <= progress.left else {
      progress.isOverrun = true
      throw BodyFailure.tooLarge(limit: length)
    }
    guard bytes.count > 0 else { return }
    try await connection.write(bytes)
    progress.left -= Int64(bytes.count)
    connection.outgoing.bodyBytes += Int64(bytes.count)
  }

  /// Sends a large body piece by piece, so that little of it is ever copied.
  func write(_ bytes: [UInt8]) async throws {
    let pieceBytes = 1 << 18
    for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
      try await write(bytes.span.extracting(start..<min(start + pieceBytes, bytes.count)))
    }
  }

  /// No more will be written; whether the body is exactly as long as announced.
  func end() -> Bool {
    progress.isOpen = false
    return progress.left == 0 && !progress.isOverrun
  }
}
