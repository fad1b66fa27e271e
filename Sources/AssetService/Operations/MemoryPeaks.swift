internal import Kernel

/// Tells when there is memory of a peak to give back. To give it back, and even to count it, locks
/// the allocator's arenas, on which the loops would wait: neither is done for nothing.
struct MemoryPeaks: Sendable {
  /// What is looked at, and what gives memory back.
  struct Process: Sendable {
    /// Bytes that the process has of the machine.
    let resident: @Sendable () -> Int64
    /// Bytes of blocks in use.
    let allocated: @Sendable () -> Int64
    let giveBack: @Sendable () -> Void

    static let ofThisProcess = Process(
      resident: { ProcessFigures.residentBytes() ?? 0 },
      allocated: { SystemInfo.allocatedBytes },
      giveBack: { SystemInfo.giveBackFreeMemory() })
  }

  /// Less than this is not worth it.
  static let worthwhile: Int64 = 64 << 20

  /// The least that the process had.
  private var least: Int64
  /// What it had beside its blocks when all was given back: code, stacks, files, and free blocks
  /// among others.
  private var remaining: Int64 = 0

  /// From a moment on at which the process has so many bytes.
  init(from resident: Int64) { least = resident }

  /// Gives back what a peak has left.
  mutating func look(_ process: Process) {
    let resident = process.resident()
    least = min(least, resident)
    guard resident - least >= Self.worthwhile else { return }
    guard resident - process.allocated() - remaining >= Self.worthwhile else { return }
    process.giveBack()
    remaining = max(0, process.resident() - process.allocated())
  }
}
