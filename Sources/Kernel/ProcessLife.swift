// How a program of ours begins and ends, whatever it was started with.
internal import CLinux

/// The first and the last thing that a program does.
public enum ProcessLife {
  /// To be called before anything else: no descriptor may be opened and no thread started before.
  ///
  /// Descriptors 0 to 2 that are missing are opened on /dev/null: else the first files that we open
  /// take their numbers, and log lines go into a file of the store. A reader that is gone, and a
  /// limit on the size of files, are errors of write(2) from now on and no signals (SIGPIPE,
  /// SIGXFSZ): threads that are not ours, such as those of the concurrency runtime, block neither.
  public static func begin() {
    for number in Int32(0)...2 where clinux_fcntl(number, F_GETFD, 0) < 0 {
      // The lowest free number is taken: `number` itself, as those below it are open.
      _ = unsafe clinux_openat(AT_FDCWD, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
    }
    for signal in [SIGPIPE, SIGXFSZ] { clinux_ignore_signal(signal) }
  }

  /// Lets the process live through signals that mean nothing to it and would end it
  /// (signal(7)): a log rotation's SIGUSR1, a stray alarm.
  public static func ignoreStraySignals() {
    for signal in [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO] {
      clinux_ignore_signal(signal)
    }
  }

  /// How long threads may take to their end, in nanoseconds.
  private static let patience: Int64 = 2_000_000_000

  /// Lets the process end by itself, but for no longer than `end` does: a thread that waits for a
  /// disk may never come back.
  public static func endSoon(_ status: Int32) {
    let end: @Sendable () -> Void = {
      KernelThread.sleep(nanoseconds: patience)
      _exit(status)
    }
    do throws(Errno) {
      try KernelThread.start(name: "end", stackBytes: 128 << 10, isAwaited: false, end)
    } catch { _exit(status) }
  }

  /// Ends the process, when the threads of `KernelThread` have come to their end.
  ///
  /// exit(3) takes libssl apart (OPENSSL_cleanup) while a loop's thread may still let go of its
  /// connections: that was a segmentation fault once in a hundred runs. Threads that do not end in
  /// 2 s end with the process, which then skips what exit(3) runs.
  public static func end(_ status: Int32) -> Never {
    guard KernelThread.joinAll(within: patience) else { _exit(status) }
    exit(status)
  }
}
