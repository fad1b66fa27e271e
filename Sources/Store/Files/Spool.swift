// Bytes on their way out that are too many for memory, such as two million lines about what a
// collection takes: the last of them are held, the others wait in a file without a name, within the
// store's limits. Where that has no room, what comes then is counted and left out.
internal import Crypto
public import Kernel
internal import Synchronization
internal import Wire

/// Takes pieces of bytes, which come out in the same order.
public final class Spool: Sendable {
  private struct State: ~Copyable {
    var held: [UInt8] = []
    /// How much has come since it was last tried to write.
    var unwritten = 0
    var file: File?
    var written: Int64 = 0
    var reservation: Reservation?
    var left = 0
  }

  /// What a `Spool` has taken.
  public struct Content: Sendable {
    /// The first bytes; `nil` when all are in `held`.
    public let file: SharedFile?
    /// How many they are.
    public let fileBytes: Int64
    /// The last bytes.
    public let held: [UInt8]
    /// Pieces that had no room.
    public let left: Int
  }

  /// Held before they are written.
  static let writeBytes = 1 << 20
  /// Held at most, where they can not be.
  static let mostHeld = 4 << 20
  private let store: Store
  private let state = Mutex(State())

  /// An empty one; its file is made when it is needed, in `incoming/`.
  public init(_ store: Store) { self.store = store }

  /// Takes a piece. Blocks on the disk now and then.
  public func append(_ piece: [UInt8]) {
    state.withLock { state in
      if state.unwritten + piece.count > Self.writeBytes { write(&state) }
      state.unwritten += piece.count
      guard state.held.count + piece.count <= Self.mostHeld else {
        state.left += 1
        return
      }
      state.held += piece
    }
  }

  /// Ends it. The space is reserved for as long as this object lives.
  public func finish() -> Content {
    state.withLock { state in
      var file: SharedFile?
      if let written = state.file.take() { file = SharedFile(written) }
      defer { state.held = [] }
      return Content(
        file: file, fileBytes: state.written, held: state.held, left: state.left)
    }
  }

  /// Writes what is held. Where that can not be, it is tried again when as much has come again:
  /// the collection itself makes room.
  private func write(_ state: inout State) {
    state.unwritten = 0
    do throws(StoreFailure) {
      let total = state.written + Int64(state.held.count)
      try reserve(total, &state)
      if state.file == nil { state.file = try nameless() }
      do throws(Errno) { try state.file?.write(state.held.span, at: state.written) } catch {
        store.files.failed(error)
        throw StoreFailure(.collect, error)
      }
      state.written = total
      state.held.removeAll(keepingCapacity: true)
    } catch {
      // The failure was counted; what is held goes with the next try.
    }
  }

  private func reserve(_ total: Int64, _ state: inout State) throws(StoreFailure) {
    if state.reservation == nil { state.reservation = try store.reserve(0) }
    try state.reservation?.extend(to: total)
  }

  private func nameless() throws(StoreFailure) -> File {
    let name = Hex.encode(SystemRandom.bytes16().span)
    do throws(Errno) {
      let file = try store.files.folders.incoming.file(name, .createNew, mode: 0o600)
      try store.files.folders.incoming.remove(name)
      return file
    } catch {
      store.files.failed(error)
      throw StoreFailure(.collect, error, subject: Layout.incoming)
    }
  }
}
