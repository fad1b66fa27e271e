// Reads that take longer than a point read (lists, sums by owner, all keys), and point reads that
// would wait for the disk. They have threads with connections of their own, so that no loop scans
// or waits, and none takes an upload's place on a worker.
internal import Kernel
internal import Synchronization

/// A few threads that read the catalogue, and their queue.
final class ReaderThreads: Sendable {
  private typealias Work = @Sendable (Result<CatalogReader, StoreFailure>) -> Void
  private struct Queue {
    var waiting = WaitingLine<Work>()
    var isClosing = false
  }

  /// What the threads are for.
  struct Kind: Sendable {
    let name: String
    let threads: Int
    /// Reads that may wait; more are refused with `.busy`.
    let maxWaiting: Int
    /// Kept by each thread.
    let cacheBytes: Int
    /// Whether each read asks the disk for little: one that takes long meets a disk that stalls.
    let isShort: Bool

    /// Lists and sums. A list of a million rows should not push itself out.
    static let lists = Kind(
      name: "store-read", threads: 2, maxWaiting: 1024, cacheBytes: 8 << 20, isShort: false)
    /// What a loop does at once where that waits for nothing. Every connection may ask.
    static let points = Kind(
      name: "store-point", threads: 3, maxWaiting: 65_536, cacheBytes: 2 << 20, isShort: true)
  }

  private let kind: Kind
  private let root: String
  private let health: HealthMonitor
  private let queue = Mutex(Queue())
  private let available: ThreadSignal
  private let ended: ThreadSignal
  /// The threads' kernel ids.
  private let ids = Mutex<Set<Int32>>([])

  init(_ kind: Kind, root: String, health: HealthMonitor) throws(Errno) {
    self.kind = kind
    self.root = root
    self.health = health
    available = ThreadSignal()
    ended = ThreadSignal()
    for index in 0..<kind.threads {
      do throws(Errno) {
        try KernelThread.start(name: "\(kind.name)-\(index)") { [self] in run() }
      } catch {
        for _ in index..<kind.threads { ended.raise() }
        stop()
        throw error
      }
    }
  }

  /// Queues a read; `work` is called once, on one of the threads or, when it is refused, here.
  func submit(_ work: @escaping @Sendable (Result<CatalogReader, StoreFailure>) -> Void) {
    let refusal = queue.withLock { queue -> StoreFailure.Kind? in
      if queue.isClosing { return .closed }
      if queue.waiting.count >= kind.maxWaiting { return .busy }
      queue.waiting.append(work)
      return nil
    }
    if let refusal { return work(.failure(StoreFailure(.read, refusal))) }
    available.raise()
  }

  /// Reads what is queued and ends the threads.
  func stop() {
    let isFirst = queue.withLock { queue in
      defer { queue.isClosing = true }
      return !queue.isClosing
    }
    guard isFirst else { return }
    for _ in 0..<kind.threads { available.raise() }
    // The last reference to the store may go on one of these very threads.
    let isOwn = ids.withLock { $0.contains(KernelThread.currentID) }
    for _ in 0..<kind.threads - (isOwn ? 1 : 0) { ended.wait() }
  }

  private func run() {
    ids.withLock { _ = $0.insert(KernelThread.currentID) }
    var reader: CatalogReader?
    while true {
      available.wait()
      let work = queue.withLock { $0.waiting.takeFirst() }
      guard let work else { break }
      let wait = kind.isShort ? health.waits.begin() : nil
      do throws(StoreFailure) {
        work(.success(try ready(&reader)))
      } catch {
        work(.failure(error))
      }
      if let wait { health.endWait(wait) }
    }
    reader = nil
    ended.raise()
  }
}

extension ReaderThreads {
  private func ready(_ reader: inout CatalogReader?) throws(StoreFailure) -> CatalogReader {
    if let reader { return reader }
    let opened = try CatalogReader(root: root, cacheBytes: kind.cacheBytes, health: health)
    reader = opened
    return opened
  }
}

extension Store {
  /// Runs `body` on a thread that reads the catalogue: for what takes longer than a point read.
  ///
  /// - Throws: `.busy` when too many reads wait, `.closed`, what opening the catalogue throws, else
  ///   what `body` throws.
  public func read<Value: Sendable>(
    _ body: @escaping @Sendable (CatalogReader) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      readers.submit { reader in
        continuation.resume(with: Result { try body(reader.get()) })
      }
    }
  }

  /// Reads a page of assets and makes of it what the caller wants, both beside the loops.
  ///
  /// - Returns: `nil` when `query.after` never was there, is another owner's than the query's, or
  ///   is forgotten.
  /// - Throws: as `read`.
  public func list<Value: Sendable>(
    _ query: AssetQuery, _ body: @escaping @Sendable (AssetPage) -> Value
  ) async throws -> Value? {
    try await read { [places] reader in
      var query = query
      query.afterSerial = query.after.flatMap { places.serial(of: $0, owner: query.owner) }
      guard let page = try reader.assets(query) else { return nil }
      if let last = page.last { places.note(last) }
      return body(page)
    }
  }
}
