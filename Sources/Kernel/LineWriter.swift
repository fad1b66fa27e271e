// Logs without waiting. Whoever reads a standard stream may stall it for ever: a container runtime,
// a pipe to a program that hangs, a disk that fails. So one thread writes, and nobody else.
//
//   loops ──add──► waiting (bounded) ──swap──► the thread ──write(2), as long as it takes──► stream
//                     │ no room
//                     └──► dropped, and counted
internal import CLinux
internal import Synchronization

/// A standard stream with the thread that writes to it; lines leave in the order in which they
/// came.
public final class LineWriter: Sendable {
  /// What happens to a line when there is no room.
  public enum Rank: Sendable {
    /// It is dropped early, so that what is kept finds room.
    case expendable
    /// It has room of its own beyond what the expendable ones may take.
    case kept
  }

  /// How many lines were not written, of each rank.
  public struct Losses: Sendable, Equatable {
    /// Of `Rank.expendable`.
    public var expendable = 0
    /// Of `Rank.kept`.
    public var kept = 0

    /// None.
    public init() {}
  }

  private struct State {
    var waiting: [UInt8] = []
    /// The lines in it.
    var lines = Losses()
    var lost = Losses()
    /// Whether the thread will look again by itself.
    var isAwake = false
    var isClosed = false
  }

  private let state: Mutex<State>
  private let write: @Sendable (Span<UInt8>) throws(Errno) -> Void
  private let edit: @Sendable ([UInt8]) -> [UInt8]
  private let bell: ThreadSignal
  private let finished: ThreadSignal
  private let room: (expendable: Int, kept: Int)

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - room: bytes of lines that may wait, and how many more of those that are kept. As much
  ///     again is on its way to the stream.
  ///   - edit: a last look at whole lines, on the thread.
  public convenience init(
    _ stream: StandardStream, room: (expendable: Int, kept: Int) = (1 << 20, 256 << 10),
    edit: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
  ) throws(Errno) {
    try self.init(room: room, edit: edit) { (text) throws(Errno) in try stream.write(text) }
  }

  /// The same; `write` takes the lines in a stream's place.
  init(
    room: (expendable: Int, kept: Int), edit: @escaping @Sendable ([UInt8]) -> [UInt8],
    write: @escaping @Sendable (Span<UInt8>) throws(Errno) -> Void
  ) throws(Errno) {
    self.write = write
    self.edit = edit
    self.room = (room.expendable, room.expendable + room.kept)
    bell = ThreadSignal()
    finished = ThreadSignal()
    var state = State()
    // Pages that are never touched cost nothing.
    state.waiting.reserveCapacity(self.room.kept)
    self.state = Mutex(state)
    // Not awaited: a stalled stream would hold up the end of the process. `close` waits a little.
    try KernelThread.start(name: "log", isAwaited: false) { [self] in run() }
  }

  /// Takes whole lines, or drops them all when there is no room. Never waits for the stream.
  ///
  /// - Parameter count: how many lines they are.
  public func add(_ lines: Span<UInt8>, count: Int = 1, _ rank: Rank) {
    let mustRing = state.withLock { state in
      let limit = rank == .kept ? room.kept : room.expendable
      guard !state.isClosed, state.waiting.count + lines.count <= limit else {
        state.lost.note(count, rank)
        return false
      }
      unsafe lines.withUnsafeBufferPointer { unsafe state.waiting.append(contentsOf: $0) }
      state.lines.note(count, rank)
      defer { state.isAwake = true }
      return !state.isAwake
    }
    if mustRing { bell.raise() }
  }

  /// Lines that were not written: there was no room, or the stream did not take them.
  public var losses: Losses { state.withLock { $0.lost } }

  /// Writes what waits, for at most so many milliseconds, and ends; lines that come later are lost.
  /// `false` when the stream did not take them in time.
  @discardableResult
  public func close(withinMilliseconds milliseconds: Int32) -> Bool {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard isFirst else { return true }
    bell.raise()
    return finished.wait(milliseconds: milliseconds)
  }

  private func run() {
    var taken: [UInt8] = []
    taken.reserveCapacity(room.kept)
    while true {
      bell.wait()
      while let lines = take(&taken) {
        let text = edit(taken)
        do throws(Errno) { try write(text.span) } catch {
          state.withLock { state in
            state.lost.note(lines.expendable, .expendable)
            state.lost.note(lines.kept, .kept)
          }
        }
      }
      if state.withLock({ $0.isClosed }) { break }
    }
    finished.raise()
  }

  /// Takes all that waits; `nil` when that is nothing.
  private func take(_ taken: inout [UInt8]) -> Losses? {
    taken.removeAll(keepingCapacity: true)
    return state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isAwake = false
        return nil
      }
      swap(&state.waiting, &taken)
      defer { state.lines = Losses() }
      return state.lines
    }
  }
}

extension LineWriter.Losses {
  fileprivate mutating func note(_ count: Int, _ rank: LineWriter.Rank) {
    switch rank {
    case .expendable: expendable += count
    case .kept: kept += count
    }
  }
}
