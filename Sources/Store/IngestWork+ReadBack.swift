// A paid image still goes out when it can not be stored (API.md §3): the bytes that an ingest took
// can be read again, whatever became of it.
internal import Crypto
internal import Kernel

extension IngestWork {
  /// Reads bytes that were taken, also after a failure. Blocks on the disk.
  ///
  /// A page that could not be written may be dropped from memory and read as zeroes (fsync(2)): the
  /// file's bytes are hashed as they pass, from its start to its end, and its last bytes are given
  /// only when they all are what was written (invariant 11).
  ///
  /// - Returns: how many bytes were read; 0 at the end of what was taken.
  /// - Throws: `.damaged`, `.io`.
  public func readBack(
    at offset: Int64, into buffer: inout MutableSpan<UInt8>
  ) throws(StoreFailure) -> Int {
    // A lent span can not go into the closure below: its bytes come out as an array instead.
    let size = buffer.count
    let piece = try use { (state) throws(StoreFailure) in
      try readBack(&state, offset, size)
    }
    for index in piece.indices { buffer[index] = piece[index] }
    return piece.count
  }

  /// Takes no more: what was taken can be read back, and is never settled. Memory and descriptor
  /// are given up once the file has all of it. Blocks on the disk.
  ///
  /// - Throws: `.full`, `.io`, where the ingest had not failed before; all can be read even so.
  public func seal() throws(StoreFailure) {
    try use { (state) throws(StoreFailure) in
      let isWriting: Bool
      switch state.phase {
      case .writing: isWriting = true
      case .failed: isWriting = false
      case .settled, .published, .discarded, .left: return
      }
      state.phase = .failed
      guard state.file != nil else { return }
      do throws(Errno) { try state.flush() } catch {
        // The disk that has failed before may fail again: that is no news.
        guard isWriting else { return }
        files.failed(error)
        throw StoreFailure(.ingest, error)
      }
      state.buffer = []
      state.file = nil
    }
  }

  private func readBack(
    _ state: inout State, _ offset: Int64, _ size: Int
  ) throws(StoreFailure) -> [UInt8] {
    if offset >= state.written {
      let start = min(Int(offset - state.written), state.buffer.count)
      return Array(state.buffer[start...].prefix(size))
    }
    if state.file == nil { state.file = try opened(state) }
    var piece = [UInt8](repeating: 0, count: Int(min(Int64(size), state.written - offset)))
    var span = piece.mutableSpan
    let wait = files.health.waits.begin()
    defer { files.health.endWait(wait) }
    let count: Int
    do { count = try state.file?.read(into: &span, at: offset) ?? 0 } catch {
      note(.failed(error), state)
      throw StoreFailure(.read, error)
    }
    piece.removeLast(piece.count - count)
    guard state.isAsWritten(piece, at: offset) else {
      if piece.isEmpty { note(.ended(at: offset), state) } else { noteAltered(state) }
      throw StoreFailure(.read, .damaged, hint: "look at the disk and the kernel's log")
    }
    // All of it was read: what waits for the rest of its answer holds no descriptor.
    if offset + Int64(piece.count) == state.written, case .failed = state.phase { state.file = nil }
    return piece
  }

  private func opened(_ state: borrowing State) throws(StoreFailure) -> File? {
    do throws(Errno) {
      switch state.place {
      case .incoming(let name): return try files.folders.incoming.fileIfThere(name)
      case .blobs(let name): return try files.folders.blobs.open(name)
      case nil: return nil
      }
    } catch {
      note(.failed(error), state)
      throw StoreFailure(.read, error)
    }
  }

  /// What is wrong with a file that has its final name is known from here on: a row may name it,
  /// or is about to.
  private func note(_ fault: SharedFile.Fault, _ state: borrowing State) {
    if let name = state.finalName {
      return files.reads.missed(fault, of: name, bytes: state.written)
    }
    if case .failed(let errno) = fault { return files.health.noteFailedRead(errno, of: state.path) }
    files.health.noteUnreadable()
  }

  private func noteAltered(_ state: borrowing State) {
    files.health.noteUnreadable()
    if let name = state.finalName {
      files.damaged.refuse(name, "its bytes are not what was written")
    }
  }
}

extension IngestWork.State {
  /// The file's path from the store's folder.
  fileprivate var path: String {
    switch place {
    case .incoming(let name): Layout.incoming + "/" + name
    case .blobs(let name): Layout.blobs + "/" + name.path
    case nil: Layout.incoming
    }
  }

  /// The file's name in `blobs/`, where it has to be there.
  fileprivate var finalName: BlobName? {
    switch phase {
    case .settled(let blob), .left(let blob): blob.name
    case .writing, .published, .discarded, .failed: nil
    }
  }

  /// Whether nothing speaks against this piece: it is not missing, and as the last one of the file
  /// it makes the digest whole.
  fileprivate mutating func isAsWritten(_ piece: [UInt8], at offset: Int64) -> Bool {
    if piece.isEmpty { return false }
    if case .writing = phase { return true }
    if offset == 0 { review = IngestWork.Review() }
    guard review.count == offset else {
      // Not in order, so nothing can be said any more.
      review.count = nil
      return true
    }
    review.hash.update(piece.span)
    review.count = offset + Int64(piece.count)
    guard review.count == written else { return true }
    let found = exchange(&review.hash, with: SHA256()).finalize()
    review.count = nil
    return found == endHash()
  }
}
