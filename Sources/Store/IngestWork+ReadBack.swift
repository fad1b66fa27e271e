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

  private func readBack(
    _ state: inout State, _ offset: Int64, _ size: Int
  ) throws(StoreFailure) -> [UInt8] {
    if offset >= state.written {
      let start = min(Int(offset - state.written), state.buffer.count)
      return Array(state.buffer[start...].prefix(size))
    }
    if state.file == nil {
      state.file = try kernel(.read) { () throws(Errno) in
        switch state.place {
        case .incoming(let name): try files.folders.incoming.fileIfThere(name)
        case .blobs(let name): try files.folders.blobs.open(name)
        case nil: nil
        }
      }
    }
    var piece = [UInt8](repeating: 0, count: Int(min(Int64(size), state.written - offset)))
    var span = piece.mutableSpan
    let count: Int
    do { count = try state.file?.read(into: &span, at: offset) ?? 0 } catch {
      files.health.noteFailure(error)
      throw StoreFailure(.read, error)
    }
    piece.removeLast(piece.count - count)
    guard state.isAsWritten(piece, at: offset) else {
      throw StoreFailure(.read, .damaged, hint: "look at the disk and the kernel's log")
    }
    return piece
  }
}

extension IngestWork.State {
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
