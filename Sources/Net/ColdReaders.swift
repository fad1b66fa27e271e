// sendfile(2) of a file that is not in memory waits for the disk, and every connection of the loop
// waits with it. So who is about to send one asks first, and has it brought into memory by threads
// that do nothing else.
public import Kernel

/// Threads that bring files into memory; delivery's own, so that uploads never delay it.
public final class ColdReaders: Sendable {
  let workers: Workers

  /// Starts `threads` threads; at most `queueLimit` readings wait for one.
  public init(threads: Int, queueLimit: Int) throws(Errno) {
    workers = try Workers(threads: threads, queueLimit: queueLimit)
  }

  /// Whether sending these bytes may wait for the disk, as far as samples tell.
  public func isCold(_ file: SendableFile, at offset: Int64, count: Int64) -> Bool {
    file.isCold(at: offset, count: count)
  }

  /// Comes back when these bytes are in memory, or can not be brought there: too many readings wait
  /// already, or the disk fails. Sending them then waits, and says what is wrong.
  public func bringIn(_ file: SendableFile, at offset: Int64, count: Int64) async {
    try? await workers.run { try file.bringIn(at: offset, count: count) }
  }

  /// Lets the threads end; nothing is brought any more.
  public func stop() { workers.stop() }
}
