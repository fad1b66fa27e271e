import Foundation
import Glibc
import Synchronization
import Testing

@testable import Kernel

/// What readers of an open file meet, its keeper hears; and that they wait for the disk.
@Suite struct SharedFileTests {
  private final class Keeper: FileKeeper {
    struct Heard {
      var running = 0
      var reads = 0
      var faults: [SharedFile.Fault] = []
    }
    private let state = Mutex(Heard())
    var heard: Heard { state.withLock { $0 } }
    func readBegan() -> Int {
      state.withLock {
        $0.running += 1
        $0.reads += 1
        return $0.reads
      }
    }
    func readEnded(_ read: Int) { state.withLock { $0.running -= 1 } }
    func missed(_ fault: SharedFile.Fault) { state.withLock { $0.faults.append(fault) } }
  }

  /// A file of so many bytes, of which so many are announced.
  private func file(_ bytes: Int, announced: Int64, _ keeper: Keeper) throws -> SharedFile {
    let path = NSTemporaryDirectory() + "assetd-shared-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(count: bytes).write(to: URL(fileURLWithPath: path))
    let folder = try Directory.open(path: NSTemporaryDirectory())
    let name = try #require(path.split(separator: "/").last).description
    return SharedFile(try folder.file(name, .read), bytes: announced, keeper: keeper)
  }

  /// Every way to read it.
  private enum Way: CaseIterable {
    case piece, all, memory
  }

  private func read(_ file: SharedFile, _ way: Way, at offset: Int64) throws(Errno) {
    switch way {
    case .piece:
      var bytes = [UInt8](repeating: 0, count: 100)
      var span = bytes.mutableSpan
      _ = try file.read(into: &span, at: offset)
    case .all: _ = try file.readAll(limit: 1 << 20)
    case .memory: try file.bringIn(at: offset, count: 100)
    }
  }

  @Test(arguments: Way.allCases) private func anEndTooSoonIsHeard(_ way: Way) throws {
    let keeper = Keeper()
    try read(try file(1000, announced: 1001, keeper), way, at: 1000)
    #expect(keeper.heard.faults == [.ended(at: 1000)])
    #expect(keeper.heard.running == 0 && keeper.heard.reads == 1)
  }

  @Test(arguments: Way.allCases) private func theEndInItsPlaceIsNone(_ way: Way) throws {
    let keeper = Keeper()
    let whole = try file(1000, announced: 1000, keeper)
    for offset: Int64 in [0, 950, 1000] { try read(whole, way, at: offset) }
    // Nothing is asked for: that says nothing of the file.
    var nothing: [UInt8] = []
    var span = nothing.mutableSpan
    _ = try whole.read(into: &span, at: 0)
    #expect(keeper.heard.faults.isEmpty && keeper.heard.running == 0)
  }

  @Test(arguments: Way.allCases) private func aFailureIsHeard(_ way: Way) throws {
    let keeper = Keeper()
    let file = try file(1000, announced: 1000, keeper)
    let (thread, failure) = (KernelThread.currentID, Errno(.pread, code: EIO))
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.pread, nth: 1, code: EIO, thread: thread)
    #expect(throws: failure) { try read(file, way, at: 0) }
    _ = SystemCallTrace.stop(thread: thread)
    #expect(keeper.heard.faults == [.failed(failure)] && keeper.heard.running == 0)
  }

  /// sendfile(2) fails for both its ends: only the file's faults are its keeper's.
  @Test(arguments: [
    (EIO, true), (EUCLEAN, true), (ESTALE, true), (EPIPE, false), (ECONNRESET, false),
    (ETIMEDOUT, false), (ENOMEM, false),
  ])
  func faultsOfTheSocketAreNotTheFiles(_ code: Int32, isHeard: Bool) throws {
    let keeper = Keeper()
    let file = try file(10, announced: 10, keeper)
    file.noteFailure(Errno(.sendfile, code: code))
    #expect(keeper.heard.faults.count == (isHeard ? 1 : 0))
  }
}
