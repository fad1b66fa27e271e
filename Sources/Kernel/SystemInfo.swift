internal import CLinux

/// Facts about this machine and process.
public enum SystemInfo {
  /// How many processors this process may use now; at least 1 (sched_getaffinity(2)).
  public static var coreCount: Int { max(1, Int(clinux_usable_cores())) }

  /// How many descriptors this process may have (getrlimit(2), RLIMIT_NOFILE).
  public static var descriptorLimit: Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return 1024
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// Raises the descriptor limit to what the system allows this process.
  public static func raiseDescriptorLimit() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    // Refused: the old limit stays, and the server adapts to it.
    _ = unsafe setrlimit(resource, &limit)
  }

  /// What this process makes from now on is its user's alone (umask(2)): the catalogue knows who
  /// has which image.
  ///
  /// - Returns: the umask that the process was started with.
  @discardableResult
  public static func keepFilesPrivate() -> UInt32 { umask(0o077) }

  /// Bytes of all blocks that the program holds now (mallinfo2(3)). Each arena is locked while its
  /// free blocks are looked at.
  public static var allocatedBytes: Int64 { Int64(clinux_allocated_bytes()) }

  /// Gives memory that the allocator keeps for later back to the system (malloc_trim(3)). Without
  /// it what a peak needed stays ours: one small block that lives holds a whole arena. Each arena
  /// is locked while its free pages go.
  public static func giveBackFreeMemory() { _ = malloc_trim(0) }

  /// Keeps secrets out of core files (setrlimit(2), RLIMIT_CORE).
  public static func forbidCoreDumps() { _ = clinux_forbid_core_dumps() }
}
