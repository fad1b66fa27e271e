// sendfile(2) of a file that is not in memory waits for the disk, and every connection of the loop
// waits with it. So who is about to send one asks first, and has it brought into memory by threads
// that do nothing else.
public import Kernel

/// Threads that bring files into memory; delivery's own, so that uploads never delay it.
public final class ColdReaders: Sendable {
  let workers: Workers
  private let untoldIsCold: Bool

  /// Starts `threads` threads; at most `queueLimit` readings wait for one, which must be one for
  /// each connection: a reading that is refused is one that its loop would wait for.
  ///
  /// - Parameter untoldIsCold: whether a file is taken for cold where the file system can not say.
  public init(threads: Int, queueLimit: Int, untoldIsCold: Bool = false) throws(Errno) {
    self.untoldIsCold = untoldIsCold
    workers = try Workers(threads: threads, queueLimit: queueLimit)
  }

  /// Whether these bytes were found in memory so lately that they need not be looked at: files that
  /// are sent often are looked at once a minute.
  ///
  /// - Parameter now: the loop's time, here as below.
  public func isKnown(_ file: SendableFile, at offset: Int64, count: Int64, now: Int64) -> Bool {
    file.wasInMemory(to: offset + count, since: now - Self.knownNanoseconds)
  }

  private static let knownNanoseconds: Int64 = 60_000_000_000

  /// Whether sending these bytes may wait for the disk, as far as samples tell.
  public func isCold(_ file: SendableFile, at offset: Int64, count: Int64, now: Int64) -> Bool {
    if file.isCold(at: offset, count: count) ?? untoldIsCold { return true }
    if offset == 0 { file.noteInMemory(to: count, at: now) }
    return false
  }

  /// Comes back when these bytes are in memory, or can not be brought there: too many readings wait
  /// already, or the disk fails. Sending them then waits, and says what is wrong.
  public func bringIn(_ file: SendableFile, at offset: Int64, count: Int64) async {
    let isUntold = untoldIsCold
    try? await workers.run {
      try file.bringIn(at: offset, count: count)
      // Nothing else can say it.
      if isUntold, offset == 0 {
        file.noteInMemory(to: count, at: SystemClock.monotonicNanoseconds)
      }
    }
  }

  /// Readings that run or wait.
  public var pending: Int { workers.pending }

  /// Lets the threads end; nothing is brought any more.
  public func stop() { workers.stop() }
}
