// Names that others choose stand in errors and logs: as long as they need to be told, no longer.

extension String {
  /// The longest name of a client's own that an answer or a log line repeats, in bytes.
  public static let longestName = 100

  /// A name of a client's own, as an error or a log line may repeat it.
  public var shownName: String { cut(toBytes: Self.longestName) }

  /// The text, or as much of its start as fits `limit` bytes with an ellipsis behind it.
  public func cut(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    let mark = "…"
    var end = utf8.index(startIndex, offsetBy: max(0, limit - mark.utf8.count))
    // Not within a character's bytes.
    while end > startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
    return self[..<end] + mark
  }
}
