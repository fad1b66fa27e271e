internal import CLinux

/// The system's clocks (clock_gettime(2)).
public enum SystemClock {
  /// Nanoseconds of CLOCK_MONOTONIC: for deadlines and durations.
  public static var monotonicNanoseconds: Int64 { read(CLOCK_MONOTONIC) }

  /// Nanoseconds since 1970 of CLOCK_REALTIME: for what people and files see.
  public static var wallNanoseconds: Int64 { read(CLOCK_REALTIME) }

  /// Whole seconds since 1970.
  public static var wallSeconds: Int64 { wallNanoseconds / 1_000_000_000 }

  /// CPU nanoseconds that this process has used, user and system.
  public static var processNanoseconds: Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // The clock ids are constants that Linux always has: no error is possible (vDSO).
    _ = unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
