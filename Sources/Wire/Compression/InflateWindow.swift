/// What an inflater has written: the 32 KiB that copies may reach back to, and what was not handed
/// out yet.
struct InflateWindow: Sendable {
  /// The farthest that a copy reaches back (RFC 1951 §3.2.5).
  static let reach = 32 << 10
  /// The most that one copy appends.
  static let longestCopy = 258
  private static let size = reach + (64 << 10)

  private var bytes = [UInt8](repeating: 0, count: size)
  /// The first byte that was not handed out.
  private var start = 0
  private var end = 0
  /// How many bytes were written, so far as copies can tell: at most `reach` count.
  private var behind = 0

  var isEmpty: Bool { start == end }
  var count: Int { end - start }

  /// Whether any copy fits.
  var hasRoom: Bool { end + Self.longestCopy <= Self.size }

  /// Lends what was not handed out.
  func withBytes<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try body(bytes.span.extracting(start..<end))
  }

  /// All was handed out; makes room.
  mutating func empty() {
    start = end
    guard !hasRoom else { return }
    let from = end - Self.reach
    for index in 0..<Self.reach { bytes[index] = bytes[from + index] }
    start = Self.reach
    end = Self.reach
  }

  /// A stream begins that can not reach back behind its start.
  mutating func begin() { behind = 0 }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    bytes[end] = byte
    end += 1
    behind += 1
  }

  /// Repeats `count` bytes from `distance` back, which may overlap what they append; `false` when
  /// there are not so many.
  @inline(__always)
  mutating func copy(_ count: Int, from distance: Int) -> Bool {
    guard distance <= behind else { return false }
    for index in end..<end + count { bytes[index] = bytes[index - distance] }
    end += count
    behind += count
    return true
  }
}
