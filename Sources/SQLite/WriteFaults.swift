// SQLite's own file calls do not pass Kernel's seam. This is the seam's counterpart here: a test
// makes a coming pwrite(2) of one thread's connections fail, for instance the one inside a COMMIT.
internal import CSQLite
internal import Glibc
internal import Synchronization

/// Forced errors of SQLite's writes; for tests. Nothing is replaced until the first use.
public enum WriteFaults {
  private static let planned = Mutex<[Int32: (countdown: Int, code: Int32, times: Int)]>([:])
  private static let isInstalled = Mutex(false)

  /// Makes the `nth` (from 1) next write of a thread's connections fail with `code` (errno(3)),
  /// and the following ones, `times` in all; `thread` is a kernel id (gettid(2)), the calling
  /// thread's by default.
  public static func fail(nth: Int, code: Int32, thread: Int32? = nil, times: Int = 1) {
    isInstalled.withLock { done in
      if !done { _ = unsafe csqlite_replace_write(writeOrFail) }
      done = true
    }
    planned.withLock { $0[thread ?? csqlite_gettid()] = (nth, code, times) }
  }

  /// The error of this write, if it is due.
  fileprivate static func due() -> Int32? {
    planned.withLock { faults in
      let thread = csqlite_gettid()
      guard let fault = faults[thread] else { return nil }
      if fault.countdown > 1 {
        faults[thread]?.countdown -= 1
        return nil
      }
      faults[thread]?.times -= 1
      if fault.times <= 1 { faults[thread] = nil }
      return fault.code
    }
  }
}

extension Connection {
  /// Makes every fsync of this connection's log fail with `code` (errno(3)), until it is closed;
  /// for tests; within a transaction.
  ///
  /// - Returns: whether there is a log.
  public func failSyncs(code: Int32) -> Bool { unsafe csqlite_fail_syncs(handle, code) != 0 }
}

private func writeOrFail(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ offset: off_t)
  -> Int
{
  if let code = WriteFaults.due() {
    csqlite_set_errno(code)
    return -1
  }
  return unsafe pwrite(file, bytes, count, offset)
}
