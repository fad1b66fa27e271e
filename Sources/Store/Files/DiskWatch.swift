// Looks at the store's disk every second, on a thread of its own, and at once when a call has
// failed: is it there, does it take writes, has it room. No loop and no client asks it.
internal import Kernel
internal import Synchronization

/// The thread that looks.
final class DiskWatch: Sendable {
  private struct Queue {
    var waiting: [ThreadSignal] = []
    /// Whether a call has failed since the last look.
    var hasFailure = false
    var isClosing = false
  }

  private let folders: StoreFolders
  private let root: String
  private let ledger: SpaceLedger
  private let health: HealthMonitor
  private let catalogue: FileStatus?
  private let queue = Mutex(Queue())
  private let wake: ThreadSignal
  private let thread = Atomic<Int32>(0)
  /// Milliseconds between two looks.
  private static let interval: Int32 = 1000
  /// Milliseconds that somebody waits for a look: a disk that stalls does not answer it.
  private static let lookPatience: Int32 = 30_000
  /// So long the end waits for a look that a disk does not answer.
  private static let patience: Int32 = 5000

  /// Starts the thread. `root` is the path at which the folders were opened.
  init(
    _ folders: StoreFolders, at root: String, ledger: SpaceLedger, health: HealthMonitor
  ) throws(Errno) {
    self.folders = folders
    self.root = root
    self.ledger = ledger
    self.health = health
    catalogue = try folders.root.status(of: Layout.catalogue)
    wake = ThreadSignal()
    health.onFailure { [weak self] in self?.noteFailure() }
    try KernelThread.start(name: "store-watch") { [self] in run() }
  }

  /// The thread's kernel id; 0 before it runs. For tests.
  var threadID: Int32 { thread.load(ordering: .relaxed) }

  /// A call has failed: look soon. Never blocks.
  private func noteFailure() {
    queue.withLock { $0.hasFailure = true }
    wake.raise()
  }

  /// Has the disk looked at, and waits for it, but not for ever; not after `stop`.
  func look() {
    let done = ThreadSignal()
    let isQueued = queue.withLock { queue in
      if !queue.isClosing { queue.waiting.append(done) }
      return !queue.isClosing
    }
    guard isQueued, threadID != KernelThread.currentID else { return }
    wake.raise()
    _ = done.wait(milliseconds: Self.lookPatience)
  }

  /// Ends the thread.
  func stop() {
    let done = ThreadSignal()
    let isFirst = queue.withLock { queue in
      defer { queue.isClosing = true }
      if !queue.isClosing { queue.waiting.append(done) }
      return !queue.isClosing
    }
    guard isFirst else { return }
    health.onFailure(nil)
    wake.raise()
    // The last reference to the store may go on this very thread.
    if threadID != KernelThread.currentID {
      _ = done.wait(milliseconds: Self.patience)
    }
  }

  private func run() {
    thread.store(KernelThread.currentID, ordering: .relaxed)
    while true {
      _ = wake.wait(milliseconds: Self.interval)
      let (waiting, hasFailure, isClosing) = queue.withLock { queue in
        defer { (queue.waiting, queue.hasFailure) = ([], false) }
        return (queue.waiting, queue.hasFailure, queue.isClosing)
      }
      // A disk that stalls holds up this thread, and nobody who does not wait for its look.
      if !isClosing {
        let isDoubtful = hasFailure || !waiting.isEmpty
        take(health.waiting { look(isDoubtful: isDoubtful) })
      }
      for done in waiting { done.raise() }
      if isClosing { return }
    }
  }

  // MARK: A look

  private enum Finding {
    case good
    case full(Errno)
    case readOnly(StoreHealth.Cause)
    /// Not the disk's doing: what was known stays.
    case unknown
  }

  private func take(_ finding: Finding) {
    switch finding {
    case .good:
      ledger.noteRoom(nil)
      health.noteLook(nil)
    case .full(let errno):
      ledger.noteRoom("\(errno)")
      health.noteLook(nil)
    case .readOnly(let cause): health.noteLook(cause)
    case .unknown: break
    }
  }

  /// - Parameter isDoubtful: whether a file is to be made, to see that it can.
  private func look(isDoubtful: Bool) -> Finding {
    do throws(Errno) {
      let space = try folders.blobs.space()
      ledger.look()
      if try !isInPlace() { return .readOnly(.moved) }
      if space.isReadOnly { return .readOnly(.fileSystemReadOnly) }
      if isDoubtful || health.hasDiskTrouble || ledger.lacksRoom { try makeFile() }
      return .good
    } catch {
      if error.isNoSpace { return .full(error) }
      if error.isShortage { return .unknown }
      return .readOnly(error.isReadOnly ? .fileSystemReadOnly : .diskFailing)
    }
  }

  /// Whether the paths still lead to what was opened: what is written into a folder that was
  /// removed, or another took the place of, is gone with the next start.
  private func isInPlace() throws(Errno) -> Bool {
    do throws(Errno) {
      let now = try Directory.open(path: root)
      let found = [
        try now.status(), try now.status(of: Layout.blobs), try now.status(of: Layout.incoming),
        try now.status(of: Layout.catalogue),
      ]
      let opened = [
        try folders.root.status(), try folders.blobs.status(), try folders.incoming.status(),
        catalogue,
      ]
      return zip(found, opened).allSatisfy { $0?.device == $1?.device && $0?.inode == $1?.inode }
    } catch {
      if error.isNotFound { return false }
      throw error
    }
  }

  /// Makes a file as an upload does, and removes it.
  private func makeFile() throws(Errno) {
    try folders.root.remove(Layout.probe)
    let file = try folders.root.file(Layout.probe, .createNew, mode: 0o600)
    do throws(Errno) {
      try file.allocate(4096)
      try file.write([UInt8](repeating: 0, count: 4096).span, at: 0)
      try file.sync()
      try file.close()
    } catch {
      _ = try? folders.root.remove(Layout.probe)
      throw error
    }
    try folders.root.remove(Layout.probe)
  }
}
