internal import Kernel
internal import Synchronization

/// Removes files on a thread of its own: what is to go is decided in a transaction, and a slow
/// unlink holds up neither the writer nor a loop.
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
    enum Place: Sendable {
      case incoming(String)
      case blobs(BlobName)
    }
    let place: Place?
    let reserved: Int64
  }

  private struct Queue {
    var orders: [Order] = []
    var isRunning = false
    var isClosing = false
    /// Blobs that could not be removed: still counted as awaiting, tried again by the sweep.
    var stuck: [BlobName: Int64] = [:]
  }

  private let files: StoreFiles
  private let queue = Mutex(Queue())
  private let wake: ThreadSignal
  private let ended: ThreadSignal
  private let thread = Atomic<Int32>(0)

  init(_ files: StoreFiles) throws(Errno) {
    self.files = files
    wake = try ThreadSignal()
    ended = try ThreadSignal()
    try KernelThread.start(name: "store-unlink") { [self] in run() }
  }

  /// Queues an order; after `stop` it is carried out at once.
  func submit(_ order: Order) {
    // Until it is gone, no sweep shall take it for an orphan.
    for blob in order.freed { files.inFlight.mark(blob.name) }
    let isQueued = queue.withLock { queue in
      guard !queue.isClosing else { return false }
      queue.orders.append(order)
      if queue.isRunning { return true }
      queue.isRunning = true
      wake.raise()
      return true
    }
    if !isQueued { carryOut(order) }
  }

  /// Waits until all orders before this call are carried out.
  func drain() throws(Errno) {
    let done = SharedSignal(try ThreadSignal())
    submit(Order(then: { done.signal.raise() }))
    done.signal.wait()
  }

  /// Carries out what is queued and ends the thread.
  func stop() {
    let isFirst = queue.withLock { queue in
      defer { queue.isClosing = true }
      return !queue.isClosing
    }
    guard isFirst else { return }
    wake.raise()
    // The last reference to the store may go on this very thread.
    if thread.load(ordering: .relaxed) != KernelThread.currentID { ended.wait() }
  }

  /// A stuck blob was removed after all.
  func forget(_ name: BlobName) {
    let bytes = queue.withLock { $0.stuck.removeValue(forKey: name) }
    if let bytes { files.ledger.bury(bytes) }
  }

  private func run() {
    thread.store(KernelThread.currentID, ordering: .relaxed)
    while true {
      wake.wait()
      while true {
        let orders = queue.withLock { queue in
          let orders = queue.orders
          queue.orders = []
          if orders.isEmpty { queue.isRunning = false }
          return orders
        }
        if orders.isEmpty { break }
        for order in orders { carryOut(order) }
        files.ledger.look()
      }
      if queue.withLock({ $0.isClosing && $0.orders.isEmpty }) { break }
    }
    ended.raise()
  }

  private func carryOut(_ order: Order) {
    for blob in order.freed { remove(blob) }
    if let leftover = order.leftover { remove(leftover) }
    order.then?()
  }

  private func remove(_ blob: FreedBlob) {
    defer { files.inFlight.unmark(blob.name) }
    do {
      try files.folders.blobs.remove(blob.name)
      files.damaged.forget(blob.name, isRepaired: false)
      files.ledger.bury(blob.diskBytes)
    } catch {
      files.health.noteFailure(error)
      queue.withLock { $0.stuck[blob.name] = blob.diskBytes }
    }
  }

  private func remove(_ leftover: Leftover) {
    do {
      switch leftover.place {
      case .incoming(let name):
        try files.folders.incoming.remove(name)
        files.inFlight.unmark(incoming: name)
      case .blobs(let name):
        try files.folders.blobs.remove(name)
        files.inFlight.unmark(name)
      case nil: break
      }
    } catch {
      // The file stays without a row: the orphan sweep finds it, once it is not in flight.
      files.health.noteFailure(error)
      switch leftover.place {
      case .incoming(let name): files.inFlight.unmark(incoming: name)
      case .blobs(let name): files.inFlight.unmark(name)
      case nil: break
      }
    }
    files.ledger.giveBack(leftover.reserved)
  }
}

/// A signal that several closures hold.
final class SharedSignal: Sendable {
  let signal: ThreadSignal
  init(_ signal: consuming ThreadSignal) { self.signal = signal }
}
