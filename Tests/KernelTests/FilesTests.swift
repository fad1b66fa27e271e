import Foundation
import Glibc
import Testing

@testable import Kernel

/// A folder of one test, removed with it.
struct ScratchFolder: ~Copyable {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "assetd-files-" + UUID().uuidString
    try Directory.make(path: path)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct FilesTests {
  @Test func writesAndReadsAtOffsets() throws {
    let folder = try ScratchFolder()
    let directory = try Directory.open(path: folder.path)
    let file = try directory.file("a", .createNew, mode: 0o600)
    try file.write(([1, 2, 3, 4] as [UInt8]).span, at: 2)
    try file.write(([9] as [UInt8]).span, at: 3)
    #expect(try file.readAll(limit: 6) == [0, 0, 1, 9, 3, 4])
    #expect(try file.readAll(limit: 5) == nil)
    var buffer = [UInt8](repeating: 7, count: 3)
    var span = buffer.mutableSpan
    #expect(try file.read(into: &span, at: 4) == 2)
    #expect(buffer == [3, 4, 7])
    let status = try file.status()
    #expect(status.bytes == 6 && status.mode == 0o600 && status.kind == .regular)
    try file.setMode(0o440)
    try file.truncate(to: 3)
    #expect(try directory.status(of: "a").map { [$0.bytes, Int64($0.mode)] } == [3, 0o440])
    try file.close()
  }

  @Test func shortWritesGoOn() throws {
    // RLIMIT_FSIZE would hit the whole process; a forced EIO after the first call shows the loop.
    let folder = try ScratchFolder()
    let directory = try Directory.open(path: folder.path)
    let file = try directory.file("a", .createNew)
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.pwrite, nth: 1, code: ENOSPC, thread: thread)
    #expect(throws: Errno(.pwrite, code: ENOSPC)) {
      try file.write(([1] as [UInt8]).span, at: 0)
    }
    #expect(SystemCallTrace.stop(thread: thread) == [.pwrite])
  }

  @Test func createNewNeverOpensWhatIsThere() throws {
    let folder = try ScratchFolder()
    let directory = try Directory.open(path: folder.path)
    try directory.file("a", .createNew).close()
    let taken = #expect(throws: Errno.self) { _ = try directory.file("a", .createNew) }
    #expect(taken?.isAlreadyThere == true)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/link", withDestinationPath: "a")
    let loop = #expect(throws: Errno.self) { _ = try directory.file("link", .read) }
    #expect(loop?.code == ELOOP)
    #expect(try directory.status(of: "link")?.kind == .other)
  }

  @Test func renameNeverReplaces() throws {
    let folder = try ScratchFolder()
    let directory = try Directory.open(path: folder.path)
    #expect(try directory.makeDirectory("sub"))
    #expect(try !directory.makeDirectory("sub"))
    let sub = try directory.directory("sub")
    try directory.file("a", .createNew).close()
    try directory.file("b", .createNew).close()
    try directory.rename("a", to: sub, as: "x")
    let taken = #expect(throws: Errno.self) { try directory.rename("b", to: sub, as: "x") }
    #expect(taken?.isAlreadyThere == true)
    try directory.link("b", to: sub, as: "y")
    try sub.sync()
    #expect(try sub.names().sorted() == ["x", "y"])
    #expect(try directory.status(of: "b")?.links == 2)
    #expect(try sub.remove("x"))
    #expect(try !sub.remove("x"))
    #expect(try sub.fileIfThere("x") == nil)
  }

  @Test func listsMoreNamesThanOneBufferHolds() throws {
    let folder = try ScratchFolder()
    let directory = try Directory.open(path: folder.path)
    let wanted = (0..<1500).map { "file-with-a-long-enough-name-\($0)" }
    for name in wanted { try directory.file(name, .createNew).close() }
    #expect(try Set(directory.names()) == Set(wanted))
    #expect(try directory.names().count == wanted.count)
  }

  @Test(
    arguments: [
      [], [0], [UInt8](repeating: 0, count: 64), [UInt8](repeating: 255, count: 64),
    ] as [[UInt8]])
  func recordsThatMakeNoSenseEndTheList(bytes: [UInt8]) {
    var names: [String] = []
    Directory.appendNames(in: bytes[...], to: &names)
    #expect(names.isEmpty)
  }

  @Test func oneLockPerFile() throws {
    let folder = try ScratchFolder()
    let directory = try Directory.open(path: folder.path)
    let first = try directory.file("lock", .readWriteOrCreate)
    #expect(try first.tryLock())
    let second = try directory.file("lock", .readWriteOrCreate)
    #expect(try !second.tryLock())
    try first.close()
    #expect(try second.tryLock())
  }

  @Test func allocatesWithoutChangingTheLength() throws {
    let folder = try ScratchFolder()
    let directory = try Directory.open(path: folder.path)
    let file = try directory.file("a", .createNew)
    if try file.allocate(1 << 20) {
      let status = try file.status()
      #expect(status.bytes == 0 && status.diskBytes >= 1 << 20)
    }
    try file.setModified(1_000_000)
    #expect(try file.status().modified == 1_000_000)
    let space = try directory.space()
    #expect(space.freeBytes > 0 && space.totalBytes >= space.freeBytes)
  }

  @Test func signalLetsAsManyPassAsItWasRaised() throws {
    let signal = ThreadSignal()
    #expect(!signal.wait(milliseconds: 0))
    signal.raise()
    #expect(signal.wait(milliseconds: 0))
    signal.raise()
    signal.raise()
    signal.wait()
    signal.wait()
  }
}
