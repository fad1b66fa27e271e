// The request target (RFC 9112 §3.2): origin, absolute and asterisk form, split in place.

/// Where the parts of a request target stand in the head, and what its path needs.
public struct RequestTarget: Sendable {
  /// The forms of RFC 9112 §3.2 that are accepted.
  public enum Form: UInt8, Sendable {
    case origin, absolute, asterisk
  }

  /// The form.
  public private(set) var form = Form.origin
  /// Whether the path holds a `%` and must be decoded to be compared.
  public private(set) var needsDecoding = false
  private var authorityRange = HeadRange()
  private var pathRange = HeadRange()
  private var queryRange = HeadRange()
  private var hasQuery = false

  /// No target yet.
  init() {}

  /// The authority of an absolute form: host and port, never empty; `nil` in the other forms.
  public var authority: Range<Int>? { form == .absolute ? authorityRange.range : nil }

  /// The path as sent, undecoded. Starts with `/`; empty in an absolute form without one (which
  /// means `/`) and in the asterisk form.
  public var path: Range<Int> { pathRange.range }

  /// What follows the first `?`; `nil` without one.
  public var query: Range<Int>? { hasQuery ? queryRange.range : nil }

  /// Splits `range` of the bytes, which holds no space.
  ///
  /// Refuses what is not visible ASCII, `#`, and raw empty, `.` or `..` segments. Encoded bytes are
  /// judged by `decodedPath`.
  init(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(RequestRejection) {
    guard let first = range.first else { throw .badTarget }
    var start = range.lowerBound
    if bytes[first] == 0x2A, range.count == 1 {
      form = .asterisk
      return
    }
    if bytes[first] != 0x2F {
      let authority = try Self.authority(bytes, range)
      form = .absolute
      authorityRange = HeadRange(authority)
      start = authority.upperBound
    }
    let end = try scanPath(bytes, start, range.upperBound)
    pathRange = HeadRange(start..<end)
    guard end < range.upperBound else { return }
    guard ByteScan.queryStop(bytes, end, range.upperBound) == range.upperBound else {
      throw .badTarget
    }
    hasQuery = true
    queryRange = HeadRange(end + 1..<range.upperBound)
  }

  /// The authority after `http://` or `https://` (RFC 9112 §3.2.2).
  private static func authority(
    _ bytes: Span<UInt8>, _ range: Range<Int>
  ) throws(RequestRejection) -> Range<Int> {
    let start: Int
    if range.count > 8, ByteScan.equalsIgnoringCase(bytes, range.prefix(8), "https://") {
      start = range.lowerBound + 8
    } else if range.count > 7, ByteScan.equalsIgnoringCase(bytes, range.prefix(7), "http://") {
      start = range.lowerBound + 7
    } else {
      throw .badTarget
    }
    var end = start
    while end < range.upperBound, bytes[end] != 0x2F, bytes[end] != 0x3F { end += 1 }
    guard HostSyntax.isHost(bytes, start..<end) else { throw .badTarget }
    return start..<end
  }

  /// Walks the raw path up to `?` or the end; returns where that is.
  private mutating func scanPath(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int
  ) throws(RequestRejection) -> Int {
    var index = start
    while true {
      index = ByteScan.pathStop(bytes, index, end)
      guard index < end else { return end }
      switch bytes[index] {
      case 0x2F:
        try Self.checkSegment(bytes, index + 1, end)
      case 0x25: needsDecoding = true
      case 0x3F: return index
      default: throw .badTarget
      }
      index += 1
    }
  }

  /// Refuses the raw segment at `start` when it is empty but not last, `.` or `..`.
  @inline(__always)
  private static func checkSegment(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int
  ) throws(RequestRejection) {
    guard start < end else { return }
    if bytes[start] == 0x2F { throw .badPath }
    guard bytes[start] == 0x2E else { return }
    var index = start + 1
    if index < end, bytes[index] == 0x2E { index += 1 }
    if index == end || bytes[index] == 0x2F || bytes[index] == 0x3F { throw .badPath }
  }
}
