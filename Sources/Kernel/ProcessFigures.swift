internal import CLinux

/// What this process takes of the machine, as /proc tells (proc(5)). Reading it may take a
/// millisecond: no work for an event loop.
public struct ProcessFigures: Sendable {
  /// Bytes of memory that are not on the disk's side now.
  public let residentBytes: Int64
  /// Descriptors that are open.
  public let descriptors: Int

  /// Reads them; 0 for what can not be read.
  public static func read() -> ProcessFigures {
    let names = try? Directory.open(path: "/proc/self/fd").names()
    // The folder and its second descriptor are among them.
    return ProcessFigures(
      residentBytes: residentBytes() ?? 0, descriptors: max(0, (names?.count ?? 0) - 2))
  }

  /// Bytes of memory now: the second number of `statm`, which are pages.
  public static func residentBytes() -> Int64? {
    guard let folder = try? Directory.open(path: "/proc/self"),
      let file = try? folder.file("statm", .read),
      let bytes = (try? file.readAll(limit: 4096)) ?? nil
    else { return nil }
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? Int64(words[1]).map { $0 * Int64(getpagesize()) } : nil
  }
}
