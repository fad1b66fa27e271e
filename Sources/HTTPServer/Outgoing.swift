internal import Net
internal import Wire

/// What of an answer has not left yet.
struct Outgoing {
  var bytes: Backlog?
  var file: SendableFile?
  var offset: Int64 = 0
  var left: Int64 = 0
  /// Up to here the file was found, or brought, in memory; `.max` when that is not asked.
  var atHandTo: Int64 = .max
  /// Whether the file's next bytes are being brought from the disk.
  var isFetching = false
  /// Whether the kernel took less of the file than it was offered, and has not said since whether
  /// there is room.
  var mayHaveEnded = false
  var status = 0
  var tag: UInt8 = 0
  var bodyBytes: Int64 = 0
  var closes = false
  var lingers = false
  /// What the log will say of the request; kept only when the answer does not leave at once.
  var note: Backlog?

  /// Body bytes that the kernel took: the head is the first to leave, the file the last.
  var sentBodyBytes: Int64 { max(0, bodyBytes - left - Int64(bytes?.bytes.count ?? 0)) }
}

/// Bytes that wait for their turn.
final class Backlog {
  var bytes: ByteBuffer
  /// The head that they begin, as far as it was parsed; `nil` if they were not looked at.
  let head: RequestHead?

  init(_ span: Span<UInt8>, head: RequestHead?) {
    bytes = ByteBuffer(capacity: span.count)
    bytes.append(span)
    self.head = head
  }
}
