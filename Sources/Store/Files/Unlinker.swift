internal import Kernel
internal import Synchronization

/// Removes files on a thread of its own: what is to go is decided in a transaction, and a slow
/// unlink holds up neither the writer nor a loop.
///
/// Callers' orders go first: an answer waits for them, or space that others are refused. After what
/// callers have ordered one file of the collector's goes, then it is the callers' turn again. No
/// order is needed between the two: a file's name is never used again, so an image that comes back
/// has another one.
final class Unlinker: Sendable {
  /// One order: files to remove, and what to do when they are gone.
  struct Order: Sendable {
    /// Blobs whose rows are durably gone.
    var freed: [FreedBlob] = []
    /// An ingest's file that is not needed, and what was reserved for it.
    var leftover: Leftover?
    /// Called on this object's thread.
    var then: (@Sendable () -> Void)?
  }

  /// The file of an ingest that came to nothing.
  struct Leftover: Sendable {
    enum Place: Sendable, Hashable {
      case incoming(String)
      case blobs(BlobName)
    }
    let place: Place?
    /// What the disk gave for it.
    let diskBytes: Int64
    let reserved: Int64
  }

  fileprivate struct Queue {
    var callers: [Order] = []
    /// The collector's; their files go one by one.
    var batches: [Order] = []
    var isRunning = false
    var isClosing = false
    /// When what is left of the batches is the next start's, in monotonic nanoseconds.
    var end: Int64?

    var isEmpty: Bool { callers.isEmpty && batches.isEmpty }
  }

  private let files: StoreFiles
  private let queue = Mutex(Queue())
  private let wake: ThreadSignal
  private let ended: ThreadSignal
  private let thread = Atomic<Int32>(0)

  /// What a stop has left: their rows are durably gone, and their files are there.
  private let left = Mutex<[FreedBlob]>([])
  var leftFiles: [FreedBlob] { left.withLock { $0 } }

  /// How long a stop goes on with the collector's files, in nanoseconds: most disks are through
  /// with a batch by then.
  static let patience: Int64 = 1_000_000_000

  init(_ files: StoreFiles) throws(Errno) {
    self.files = files
    wake = ThreadSignal()
    ended = ThreadSignal()
    try KernelThread.start(name: "store-unlink") { [self] in run() }
  }

  /// Orders that wait. For tests.
  var waiting: (callers: Int, batches: Int) {
    queue.withLock { ($0.callers.count, $0.batches.count) }
  }

  /// Queues a caller's order; after `stop` it is carried out at once.
  func submit(_ order: Order) {
    mark(order)
    if !enqueue({ $0.callers.append(order) }) { carryOut(order) }
  }

  /// Queues an order of the collector's; after `stop` its files are left to the next start.
  func submit(batch order: Order) {
    mark(order)
    if !enqueue({ $0.batches.append(order) }) { leave(order) }
  }

  /// Waits until all orders before this call are carried out.
  func drain() {
    let done = ThreadSignal()
    submit(batch: Order(then: { done.raise() }))
    done.wait()
  }

  /// Carries out what callers have ordered, and of the collector's what goes within `patience`
  /// (nanoseconds); then ends the thread. The next start has the rest (`leftFiles`): a batch at
  /// most, since the collector waits for its files.
  func stop(patience: Int64 = Unlinker.patience) {
    let isFirst = queue.withLock { queue in
      defer { queue.isClosing = true }
      guard !queue.isClosing else { return false }
      queue.end = SystemClock.monotonicNanoseconds + patience
      return true
    }
    guard isFirst else { return }
    wake.raise()
    // The last reference to the store may go on this very thread.
    if thread.load(ordering: .relaxed) != KernelThread.currentID { ended.wait() }
  }

  private func mark(_ order: Order) {
    // Until it is gone, no sweep shall take it for an orphan.
    for blob in order.freed { files.inFlight.mark(blob.name) }
  }

  /// - Returns: `false` after `stop`.
  private func enqueue(_ append: (inout Queue) -> Void) -> Bool {
    queue.withLock { queue in
      guard !queue.isClosing else { return false }
      append(&queue)
      if queue.isRunning { return true }
      queue.isRunning = true
      wake.raise()
      return true
    }
  }

  private func run() {
    thread.store(KernelThread.currentID, ordering: .relaxed)
    while true {
      wake.wait()
      while let turn = queue.withLock({ $0.nextTurn() }) {
        for order in turn.callers { carryOut(order) }
        if let piece = turn.piece { carryOut(piece) }
        for order in turn.left { leave(order) }
        files.ledger.look()
      }
      if queue.withLock({ $0.isClosing && $0.isEmpty }) { break }
    }
    ended.raise()
  }

  private func carryOut(_ order: Order) {
    for blob in order.freed { remove(blob) }
    if let leftover = order.leftover { remove(leftover) }
    order.then?()
  }

  /// The files stay, without rows.
  private func leave(_ order: Order) {
    left.withLock { $0 += order.freed }
    for blob in order.freed { files.inFlight.unmark(blob.name) }
    order.then?()
  }

  private func remove(_ blob: FreedBlob) {
    defer { files.inFlight.unmark(blob.name) }
    do {
      _ = try files.remove(blob.name)
      files.damaged.forget(blob.name, isRepaired: false)
      files.ledger.bury(blob.diskBytes)
    } catch {
      files.health.noteFailedRemoval(error)
      files.stuck.keep(.blobs(blob.name), blob.diskBytes, isCounted: true)
    }
  }

  private func remove(_ leftover: Leftover) {
    do {
      switch leftover.place {
      case .incoming(let name): try files.folders.incoming.remove(name)
      case .blobs(let name):
        try files.folders.blobs.remove(name)
        files.damaged.forget(name, isRepaired: false)
      case nil: break
      }
    } catch {
      // The file stays, without a row: the orphan sweep finds it, once it is not in flight.
      files.health.noteFailedRemoval(error)
      if let place = leftover.place { files.stuck.keep(place, leftover.diskBytes) }
    }
    switch leftover.place {
    case .incoming(let name): files.inFlight.unmark(incoming: name)
    case .blobs(let name): files.inFlight.unmark(name)
    case nil: break
    }
    files.ledger.giveBack(leftover.reserved)
  }
}

extension Unlinker {
  /// After a commit of unknown outcome it is durable and known again which rows there are: files
  /// that were in doubt stay, or go. The orphan sweep would not come across those that are gone
  /// already. One that an ingest still reads is left to the sweep.
  func clearUp(_ session: CatalogSession) throws(StoreFailure) {
    var named: [BlobName] = []
    var unnamed: [BlobName] = []
    for name in files.stuck.blobs {
      if try session.hasRow(name) {
        named.append(name)
      } else if !files.inFlight.contains(name) {
        unnamed.append(name)
      }
    }
    for name in named { files.stuck.forget(.blobs(name)) }
    let freed = unnamed.compactMap { name in
      files.stuck.take(.blobs(name)).map { FreedBlob(name: name, bytes: $0) }
    }
    if !freed.isEmpty { submit(batch: Order(freed: freed)) }
  }
}

extension Unlinker.Queue {
  fileprivate struct Turn {
    let callers: [Unlinker.Order]
    /// The next file of the oldest batch; the batch's `then` with its last one.
    let piece: Unlinker.Order?
    /// Batches that a stop does not wait for.
    let left: [Unlinker.Order]
  }

  /// What comes next; `nil` when nothing waits.
  fileprivate mutating func nextTurn() -> Turn? {
    guard !isEmpty else {
      isRunning = false
      return nil
    }
    defer { callers = [] }
    if let end, SystemClock.monotonicNanoseconds >= end {
      defer { batches = [] }
      return Turn(callers: callers, piece: nil, left: batches)
    }
    return Turn(callers: callers, piece: nextPiece(), left: [])
  }

  private mutating func nextPiece() -> Unlinker.Order? {
    guard !batches.isEmpty else { return nil }
    let blob = batches[0].freed.popLast()
    let isLast = batches[0].freed.isEmpty
    let piece = Unlinker.Order(
      freed: blob.map { [$0] } ?? [], then: isLast ? batches[0].then : nil)
    if isLast { batches.removeFirst() }
    return piece
  }
}
