// The scrub's own thread: a stalled disk stalls nobody else, and the disk is told that others come
// first.
internal import Kernel
internal import Synchronization

/// A thread that scrubs until it is told to end.
final class ScrubThread: Sendable {
  private let wake: ThreadSignal
  private let ended: ThreadSignal
  private let isEnding = Atomic<Bool>(false)
  private let isAwaited = Atomic<Bool>(false)
  private let board: ScrubBoard
  private let files: StoreFiles
  private let writer: Writer
  private let epochs: ChangeEpochs

  /// Starts the thread; `nil` when the scrub is off.
  init?(
    _ options: StoreOptions, board: ScrubBoard, files: StoreFiles, writer: Writer,
    epochs: ChangeEpochs
  ) throws(StoreFailure) {
    guard let pace = options.scrub else { return nil }
    self.board = board
    self.files = files
    self.writer = writer
    self.epochs = epochs
    wake = ThreadSignal()
    ended = ThreadSignal()
    try kernel(.open) { () throws(Errno) in
      try KernelThread.start(name: "store-scrub") { [self] in
        KernelThread.yieldDisk()
        run(pace, options)
        ended.raise()
      }
    }
  }

  /// Ends it after the piece that it is reading; does not wait for that.
  func end() {
    isEnding.store(true, ordering: .releasing)
    wake.raise()
  }

  /// Ends it, and waits for it once.
  func stop() {
    end()
    if !isAwaited.exchange(true, ordering: .acquiringAndReleasing) { ended.wait() }
  }

  private func run(_ pace: ScrubPace, _ options: StoreOptions) {
    guard
      let reader = try? CatalogReader(
        root: options.root, cacheBytes: 1 << 20, health: files.health)
    else { return }
    let scrub = Scrub(
      pace, files: files, session: reader.session, board: board,
      surroundings: Scrub.Surroundings(
        now: options.now, isBusy: { [board, writer] in board.isBusy || writer.waiting > 0 },
        save: { [self] in save($0) }, closeOpenFiles: { [epochs] in epochs.bumpAll() },
        report: options.report))
    while !isEnding.load(ordering: .acquiring) {
      let due = scrub.turn(at: SystemClock.monotonicNanoseconds)
      let left = max(0, due - SystemClock.monotonicNanoseconds)
      let milliseconds = Int32(clamping: (left + 999_999) / 1_000_000)
      if milliseconds > 0 { _ = wake.wait(milliseconds: milliseconds) }
    }
    scrub.save(at: SystemClock.monotonicNanoseconds)
  }

  /// A place that is not kept costs a second look, no more.
  private func save(_ record: ScrubRecord) {
    writer.submit { (session) throws(StoreFailure) in
      try session.set(.scrub, record.text)
    } then: { _ in
    }
  }
}
