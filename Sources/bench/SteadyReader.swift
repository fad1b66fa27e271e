internal import Foundation
internal import Kernel
internal import Synchronization

/// Fetches one file over and over, on a connection and a thread of its own.
final class SteadyReader: Sendable {
  private struct State {
    var isStopped = false
    var bytes = 0
    var failure: (any Error)?
  }
  private let state = Mutex(State())
  private let ended: ThreadSignal
  private let start = SystemClock.monotonicNanoseconds

  /// - Parameter cold: the same file, to be read from the disk for every answer.
  init(port: UInt16, path: String, cold: URL?) throws {
    ended = ThreadSignal()
    try KernelThread.start(name: "reader") { [self] in
      do { try read(port, path, cold) } catch { state.withLock { $0.failure = error } }
      ended.raise()
    }
  }

  /// Waits for the answer that is on its way; all bytes that came, and MB (1,000,000) per second.
  func stop() throws -> (bytes: Int, rate: Double) {
    state.withLock { $0.isStopped = true }
    ended.wait()
    let passed = SystemClock.monotonicNanoseconds - start
    return try state.withLock { state in
      if let failure = state.failure { throw failure }
      return (state.bytes, Double(state.bytes) / Double(passed) * 1e3)
    }
  }

  private func read(_ port: UInt16, _ path: String, _ cold: URL?) throws {
    let client = try LoopbackClient(port: port)
    while !state.withLock(\.isStopped) {
      if let cold { try Self.drop(cold) }
      let count = try client.pass(path)
      state.withLock { $0.bytes += count }
    }
  }

  /// Takes the file's pages out of memory, and nobody else's (posix_fadvise(2)): they are on the
  /// disk since the ingest was answered.
  private static func drop(_ file: URL) throws {
    let handle = try FileHandle(forReadingFrom: file)
    defer { try? handle.close() }
    guard posix_fadvise(handle.fileDescriptor, 0, 0, POSIX_FADV_DONTNEED) == 0 else {
      throw Trouble("\(file.path) can not be taken out of memory.")
    }
  }
}
