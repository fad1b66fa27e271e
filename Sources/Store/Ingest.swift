public import Crypto
internal import Kernel
internal import Synchronization
public import Wire

/// One image on its way into the store: the only door for bytes.
///
///     begin ─► append … flush … ─► settle ─► SettledBlob ─► publish ─► Asset
///                └── let go of it anywhere: its file goes, its reservation comes back
///
/// `append` only copies and may run on an event loop. `flush` and `settle` block on the disk: the
/// caller runs them on a worker thread, through `work` where a closure must carry them there. The
/// types force the order of STORE.md: only a settled blob can be published (invariant 2).
public struct Ingest: ~Copyable, Sendable {
  /// The same ingest, for a closure on a worker thread.
  public let work: IngestWork

  init(_ work: IngestWork) {
    self.work = work
  }

  /// Bytes taken so far.
  public var count: Int64 { work.use { $0.count } }

  /// What the bytes so far say of the image.
  public var verdict: ImageVerdict { work.use { $0.sniffer.verdict } }

  /// Copies bytes into the buffer, extending the reservation when the image outgrows it.
  ///
  /// - Returns: how many were taken; fewer than all, or none, when a `flush` is wanted: the buffer
  ///   is full, or the disk must be asked for room.
  /// - Throws: `.tooLarge`, `.tooManyPixels`, `.notAnImage` as soon as the bytes show it; `.full`.
  public mutating func append(_ bytes: Span<UInt8>) throws(StoreFailure) -> Int {
    try work.append(bytes)
  }

  /// Hashes the buffer and writes it to the file. Blocks on the disk.
  public mutating func flush() throws(StoreFailure) {
    try work.flush()
  }

  /// Takes all bytes, flushing as often as needed. Blocks on the disk.
  public mutating func write(_ bytes: Span<UInt8>) throws(StoreFailure) {
    var rest = 0..<bytes.count
    while !rest.isEmpty {
      let taken = try append(bytes.extracting(rest))
      rest = rest.lowerBound + taken..<rest.upperBound
      if !rest.isEmpty { try flush() }
    }
  }

  /// Makes the bytes durable under their final name; see `IngestWork.settle`. Blocks on the disk.
  public consuming func settle(
    expecting digest: Digest? = nil
  ) throws(StoreFailure) -> SettledBlob {
    try work.settle(expecting: digest)
    return try settled()
  }

  /// The result of `work.settle`, which must have succeeded.
  public consuming func settled() throws(StoreFailure) -> SettledBlob {
    try SettledBlob(work)
  }
}

/// Bytes that are durable under their final name and wait for their row.
///
/// Let go of it, and the file goes.
public struct SettledBlob: ~Copyable, Sendable {
  let work: IngestWork
  /// The bytes.
  public let blob: Blob

  init(_ work: IngestWork) throws(StoreFailure) {
    guard let blob = work.settledBlob else {
      throw StoreFailure(.settle, .closed, hint: "settle() was not run, or it failed")
    }
    self.work = work
    self.blob = blob
  }
}

/// The shared body of an `Ingest`: what a worker thread works on.
///
/// One user at a time, by construction: a loop appends, then waits for the worker that flushes. So
/// the lock inside is never waited for; it is held over blocking calls, and only proves to the
/// compiler what the shape of the program already says.
public final class IngestWork: Sendable {
  enum Phase {
    /// The file is in `incoming/`.
    case writing
    /// The file is in `blobs/`, durable.
    case settled(Blob)
    /// A row names the file: hands off.
    case published(Blob)
    /// The row has another file; this one goes.
    case discarded
    /// A row may name the file: it stays, and its bytes can still be read.
    case left(Blob)
    /// Something failed, the file is to go; `place` is where it may be.
    case failed
  }

  struct State: ~Copyable {
    let limits: ImageLimits
    /// Whether these are bytes to keep for a while, which no one looks at.
    let isKept: Bool
    let expectedBytes: Int64?
    var reservation: Reservation
    var file: File?
    var place: Unlinker.Leftover.Place?
    var phase = Phase.writing
    var hash = SHA256()
    var sniffer = ImageSniffer()
    /// Follows the bytes that are hashed.
    var structure = ImageStructure()
    var buffer: [UInt8] = []
    /// Bytes taken, and of those the ones that are written and hashed.
    var count: Int64 = 0
    var written: Int64 = 0
    /// Bytes that the disk was asked for in advance.
    var allocated: Int64 = 0
    /// How large the reservation must become before more is taken, where only a look at the disk
    /// can tell whether there is room.
    var wanted: Int64?
    /// What `hash` came to, once no more bytes are written.
    var digest: Digest?
    var review = Review()
  }

  /// The hash of what is read back, as long as it is read from start to end.
  struct Review: ~Copyable {
    var hash = SHA256()
    /// Bytes of the file that are in it; `nil` when a piece was left out.
    var count: Int64? = 0
  }

  private let state: Mutex<State>
  let files: StoreFiles
  private let unlinker: Unlinker
  private let now: @Sendable () -> Int64

  /// An upload of a known length begins with so much space on the disk, and gets more as it comes:
  /// what was only announced holds nothing.
  public static let firstStep: Int64 = 1 << 20

  /// Bytes held before they are hashed and written: whole multiples of it keep writes aligned.
  static let bufferBytes = 256 << 10

  init(
    _ reservation: consuming Reservation, expectedBytes: Int64?, isKept: Bool = false,
    files: StoreFiles, unlinker: Unlinker, now: @escaping @Sendable () -> Int64
  ) throws(StoreFailure) {
    self.files = files
    self.unlinker = unlinker
    self.now = now
    let name = Hex.encode(SystemRandom.bytes16().span)
    files.inFlight.mark(incoming: name)
    let file: File
    do {
      file = try files.folders.incoming.file(name, .createNew, mode: 0o600)
    } catch {
      files.inFlight.unmark(incoming: name)
      files.failed(error)
      throw StoreFailure(.ingest, error, subject: Layout.incoming)
    }
    state = Mutex(
      State(
        limits: files.limits, isKept: isKept, expectedBytes: expectedBytes,
        reservation: reservation, file: file, place: .incoming(name)))
    do {
      try use { (state) throws(Errno) in try state.allocate(for: 1) }
    } catch {
      files.failed(error)
      throw StoreFailure(.ingest, error)
    }
  }

  deinit {
    let leftover = use { state -> Unlinker.Leftover? in
      switch state.phase {
      case .published, .discarded: return nil
      case .left(let blob):
        files.inFlight.unmark(blob.name)
        return nil
      case .writing, .settled, .failed: break
      }
      return state.leftover()
    }
    if let leftover { unlinker.submit(.init(leftover: leftover)) }
  }

  func use<Result, Failure: Error>(
    _ body: (inout State) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try state.withLock { (state) throws(Failure) in try body(&state) }
  }

  /// Hashes the buffer, writes it to the file, and gets the room that `append` asked for. Blocks on
  /// the disk.
  ///
  /// - Throws: `.full`, `.io`; the ingest is over then.
  public func flush() throws(StoreFailure) {
    try use { (state) throws(StoreFailure) in
      guard case .writing = state.phase else { throw StoreFailure(.ingest, .closed) }
      do throws(Errno) {
        try state.flush()
      } catch {
        state.phase = .failed
        files.failed(error)
        throw StoreFailure(.ingest, error)
      }
      try state.extendAsWanted()
    }
  }

  /// Makes the bytes durable under their final name (STORE.md, "Ingest"): checks, mark in flight,
  /// fsync, 0440, close, rename, fsync of the folder. Blocks on the disk.
  ///
  /// - Parameter digest: what the bytes must hash to, when that is known.
  /// - Throws: `.lengthMismatch`, `.notAnImage`, `.tooManyPixels`, `.digestMismatch`,
  ///   `.full(.disk)`, `.io`; the ingest is over then, and its file goes with it.
  public func settle(expecting digest: Digest? = nil) throws(StoreFailure) {
    try flush()
    try use { (state) throws(StoreFailure) in
      guard case .writing = state.phase else { throw StoreFailure(.settle, .closed) }
      state.phase = .failed
      let image = try state.checkedImage()
      let found = state.endHash()
      if let digest, digest != found { throw StoreFailure(.settle, .digestMismatch) }
      let name: BlobName
      do throws(Errno) {
        name = try place(&state, found)
      } catch {
        files.failed(error)
        throw StoreFailure(.settle, error, subject: found.hex)
      }
      state.phase = .settled(
        Blob(name: name, bytes: state.count, image: image, storedAt: now()))
    }
  }

  private func place(_ state: inout State, _ digest: Digest) throws(Errno) -> BlobName {
    guard let file = state.file.take(), case .incoming(let source) = state.place else {
      preconditionFailure("a writing ingest has its file")
    }
    let name = BlobName.random(digest)
    files.inFlight.mark(name)
    do throws(Errno) {
      if state.expectedBytes != nil { try file.truncate(to: state.count) }
      // The descriptor is gone from here on, whatever fails: no second fsync can be tried on it.
      try file.sync()
      try file.setMode(0o440)
      try file.close()
      try files.folders.blobs.take(source, from: files.folders.incoming, as: name)
    } catch {
      files.inFlight.unmark(name)
      throw error
    }
    state.place = .blobs(name)
    files.inFlight.unmark(incoming: source)
    try files.folders.blobs.sync(folderOf: name)
    return name
  }

  var settledBlob: Blob? {
    use { state in
      if case .settled(let blob) = state.phase { return blob }
      return nil as Blob?
    }
  }
}

extension IngestWork {
  /// A durable row names the file.
  func keep() {
    use { state in
      guard case .settled(let blob) = state.phase else { return }
      files.ledger.publish(reserved: state.reservation.release(), stored: blob.diskBytes)
      files.inFlight.unmark(blob.name)
      state.phase = .published(blob)
    }
  }

  /// A row may name the file or not: it stays, and the orphan sweep decides later; not while this
  /// ingest is held, since its bytes may be on their way to whoever paid for them.
  func leave() {
    use { state in
      guard case .settled(let blob) = state.phase else { return }
      files.stuck.keep(.blobs(blob.name), blob.diskBytes)
      files.ledger.giveBack(state.reservation.release())
      state.phase = .left(blob)
    }
  }

  /// No row names the file; it is not needed (invariant 7: the row has another one).
  func discard() -> Unlinker.Leftover? {
    use { state in
      guard case .settled = state.phase else { return nil }
      state.phase = .discarded
      return state.leftover()
    }
  }
}

extension IngestWork.State {
  /// The file as one that is not needed; the reservation is the unlinker's from here on.
  fileprivate mutating func leftover() -> Unlinker.Leftover {
    // Settling cuts off what was allocated for it.
    let bytes = if case .blobs = place { count } else { max(count, allocated) }
    return Unlinker.Leftover(
      place: place, diskBytes: Disk.blocks(bytes), reserved: reservation.release())
  }

  mutating func append(_ bytes: Span<UInt8>) throws(StoreFailure) -> Int {
    guard case .writing = phase else { throw StoreFailure(.ingest, .closed) }
    do throws(StoreFailure) {
      return try take(bytes)
    } catch {
      // What is there now is not the image: it must never be settled.
      phase = .failed
      throw error
    }
  }

  private mutating func take(_ bytes: Span<UInt8>) throws(StoreFailure) -> Int {
    let taken = min(bytes.count, IngestWork.bufferBytes - buffer.count)
    let total = count + Int64(taken)
    guard isKept || total <= limits.bytes else {
      throw StoreFailure(.ingest, .tooLarge(limit: limits.bytes))
    }
    if let expectedBytes, total > expectedBytes {
      throw StoreFailure(.ingest, .lengthMismatch(expected: expectedBytes, found: total))
    }
    guard try hasRoom(for: total) else {
      wanted = total
      return 0
    }
    let piece = bytes.extracting(0..<taken)
    try sniff(piece)
    buffer.reserveCapacity(IngestWork.bufferBytes)
    // 19 GB/s; appending byte by byte is 0.3 GB/s.
    buffer.append(addingCapacity: taken) { free in
      for index in piece.indices { free.append(piece[index]) }
    }
    count = total
    return taken
  }

  /// Refuses what is no image, or too large a one, before more of it is taken (C1, C3).
  private mutating func sniff(_ bytes: Span<UInt8>) throws(StoreFailure) {
    guard !isKept, sniffer.verdict == .needMore else { return }
    switch sniffer.feed(bytes) {
    case .needMore: return
    case .notAnImage: throw StoreFailure(.ingest, .notAnImage)
    case .image(let facts): try check(facts)
    }
  }

  private func check(_ facts: ImageFacts) throws(StoreFailure) {
    guard facts.pixels <= limits.pixels else {
      throw StoreFailure(.ingest, .tooManyPixels(limit: limits.pixels))
    }
  }

  mutating func flush() throws(Errno) {
    guard !buffer.isEmpty else { return }
    var pending: [UInt8] = []
    swap(&pending, &buffer)
    // After an error the bytes are still there, for `readBack`.
    defer { swap(&pending, &buffer) }
    try allocate(for: written + Int64(pending.count))
    try file?.write(pending.span, at: written)
    // After the write: the digest is that of the bytes in the file, whatever fails.
    hash.update(pending.span)
    structure.feed(pending.span)
    written += Int64(pending.count)
    pending.removeAll(keepingCapacity: true)
  }

  func checkedImage() throws(StoreFailure) -> ImageFacts {
    if let expectedBytes, count != expectedBytes {
      throw StoreFailure(.settle, .lengthMismatch(expected: expectedBytes, found: count))
    }
    guard case .image(let facts) = sniffer.verdict else {
      throw StoreFailure(.settle, .notAnImage)
    }
    return facts
  }

  /// The digest of what was written; nothing is written after it.
  mutating func endHash() -> Digest {
    if let digest { return digest }
    let digest = exchange(&hash, with: SHA256()).finalize()
    self.digest = digest
    return digest
  }
}
