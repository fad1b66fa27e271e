import Foundation
import Glibc
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

/// What makes the store not ready, and how it becomes ready again by itself.
@Suite struct DiskWatchTests {
  private func begin(_ scratch: ScratchStore) throws(StoreFailure) {
    _ = try scratch.store.begin(try scratch.store.reserve(10))
  }

  private func until(
    _ scratch: ScratchStore, _ health: StoreHealth, _ place: SourceLocation = #_sourceLocation
  ) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while scratch.store.health != health {
      try #require(
        ContinuousClock.now < end, "\(scratch.store.health)", sourceLocation: place)
      await Task.yield()
    }
  }

  /// Moves a part of the store away, and back.
  @Test(arguments: ["incoming", "blobs", "catalog.sqlite", ""])
  func aStoreThatIsNotWhereItWasTakesNothing(_ part: String) async throws {
    let events = Events()
    let scratch = try ScratchStore(report: { events.add($0) })
    _ = try await scratch.put(image(1))
    let path = part.isEmpty ? scratch.path : scratch.path + "/" + part
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    // Nobody has asked for anything.
    try await until(scratch, .readOnly(.moved))
    let refused = #expect(throws: StoreFailure.self) { try begin(scratch) }
    #expect(refused?.kind == .readOnly)
    try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    try await until(scratch, .good)
    _ = try await scratch.put(image(2))
    #expect(events.all == [.readOnly(.moved), .writable])
    try scratch.expectWhole()
  }

  /// Another catalogue has taken the place of the one that is written to.
  @Test func aReplacedCatalogueTakesNothing() async throws {
    let scratch = try ScratchStore()
    let path = scratch.path + "/catalog.sqlite"
    try FileManager.default.copyItem(atPath: path, toPath: path + ".copy")
    #expect(unsafe rename(path + ".copy", path) == 0)
    try await until(scratch, .readOnly(.moved))
  }

  private func fail(_ call: SystemCall, _ code: Int32, thread: Int32) {
    SystemCallTrace.start(thread: thread)
    for _ in 0..<1000 { SystemCallTrace.fail(call, nth: 1, code: code, thread: thread) }
  }

  /// Makes the look's own calls fail: what it finds counts at once, for the one who met the fault.
  @Test(arguments: [
    (SystemCall.openat, EIO, StoreHealth.Cause.diskFailing),
    (.openat, EROFS, .fileSystemReadOnly), (.fallocate, EIO, .diskFailing),
    (.pwrite, EROFS, .fileSystemReadOnly), (.fsync, EIO, .diskFailing),
  ])
  func whoMeetsAFaultLeavesTheStoreNotReady(
    _ call: SystemCall, _ code: Int32, _ cause: StoreHealth.Cause
  ) async throws {
    let scratch = try ScratchStore()
    let files = scratch.store.files
    files.watch.look()
    fail(call, code, thread: files.watch.threadID)
    // As often as that may happen: nothing is held against the disk when it has passed.
    for _ in 0..<4 {
      files.failed(Errno(call, code: code))
      #expect(scratch.store.health == .readOnly(cause))
    }
    #expect(throws: StoreFailure.self) { _ = try scratch.store.reserve(1) }
    #expect(scratch.store.failureCount == 4)
    _ = SystemCallTrace.stop(thread: files.watch.threadID)
    try await until(scratch, .good)
    _ = try await scratch.put(image(1))
    try scratch.expectWhole()
  }

  /// Every call of an ingest that fails is counted, and has the disk looked at.
  @Test(arguments: [
    SystemCall.openat, .fallocate, .pwrite, .ftruncate, .fsync, .fchmod, .close, .rename,
  ])
  func everyFailedCallIsCounted(_ call: SystemCall) async throws {
    let scratch = try ScratchStore()
    let (store, own) = (scratch.store, KernelThread.currentID)
    store.files.watch.look()
    fail(.openat, EIO, thread: store.files.watch.threadID)
    defer { _ = SystemCallTrace.stop(thread: store.files.watch.threadID) }
    SystemCallTrace.start(thread: own)
    SystemCallTrace.fail(call, nth: 1, code: EIO, thread: own)
    let bytes = image(1)
    #expect(throws: StoreFailure.self) {
      var ingest = try store.begin(try store.reserve(announced: 1000), expectedBytes: 1000)
      try ingest.write(bytes.span)
      _ = try ingest.settle()
    }
    _ = SystemCallTrace.stop(thread: own)
    #expect(store.health == .readOnly(.diskFailing))
  }

  /// No inode, or a quota: there seem to be bytes.
  @Test(arguments: [ENOSPC, EDQUOT]) func aDiskWithoutRoomForAFileIsFull(code: Int32) async throws {
    let scratch = try ScratchStore()
    let (store, watch) = (scratch.store, scratch.store.files.watch)
    watch.look()
    fail(.fallocate, code, thread: watch.threadID)
    store.files.failed(Errno(.openat, code: code))
    #expect(store.isFull && store.health == .good && store.failureCount == 1)
    let refused = #expect(throws: StoreFailure.self) { _ = try store.reserve(1) }
    #expect(refused?.kind == .full(.disk))
    _ = SystemCallTrace.stop(thread: watch.threadID)
    let end = ContinuousClock.now + .seconds(60)
    while store.isFull {
      try #require(ContinuousClock.now < end)
      await Task.yield()
    }
    _ = try await scratch.put(image(1))
    try scratch.expectWhole()
  }

  /// A statement that fails before the commit: nothing is written until the catalogue takes writes
  /// again, and the next second finds that it does.
  @Test func aStatementThatFailsIsCounted() async throws {
    let events = Events()
    let scratch = try ScratchStore(report: { events.add($0) })
    scratch.store.files.health.note(
      SQLiteFailure(extendedCode: 10, operation: "step", message: "disk I/O error"))
    #expect(scratch.store.failureCount == 1)
    try await until(scratch, .good)
    #expect(events.all == [.readOnly(.catalogueFailing), .writable])
    _ = try await scratch.put(image(1))
  }

  /// The same by a real statement, long before its COMMIT: what does not fit into memory is written
  /// early.
  @Test func aStatementThatTheDiskFailsIsToldAndHeals() async throws {
    let events = Events()
    let scratch = try ScratchStore(report: { events.add($0) })
    let blob = try await scratch.put(image(1)).asset.blob
    let thread = scratch.store.writer.threadID
    await #expect(throws: StoreFailure.self) {
      try await scratch.store.write { (session) throws(StoreFailure) in
        try catalog(.record) { () throws(SQLiteFailure) in
          try session.connection.setCache(bytes: 0)
        }
        WriteFaults.fail(nth: 1, code: EIO, thread: thread)
        var new = NewAsset.temporary()
        new.model = String(repeating: "m", count: 3000)
        for _ in 0..<1000 { _ = try session.insert(blob, as: new, now: 0) }
        Issue.record("all rows were held in memory")
      }
    }
    #expect(events.all.first == .readOnly(.catalogueFailing))
    #expect(scratch.store.failureCount == 1)
    try await until(scratch, .good)
    #expect(events.all == [.readOnly(.catalogueFailing), .writable])
    _ = try await scratch.put(image(2))
    #expect(try scratch.store.reader().totals().assets == 2)
    try scratch.expectWhole()
  }

  /// Another program holds the catalogue's lock for longer than it is waited for.
  @Test func aForeignLockIsBusyAndPasses() async throws {
    let scratch = try ScratchStore()
    let settled = try scratch.settle(image(1))
    let other = try Connection(path: scratch.path + "/catalog.sqlite", access: .readWrite)
    try other.execute("BEGIN IMMEDIATE")
    do {
      _ = try await scratch.store.publish(settled, as: .temporary())
      Issue.record("it must fail")
    } catch {
      #expect(error.kind == .busy)
    }
    #expect(scratch.store.health == .readOnly(.catalogueLocked))
    #expect(throws: StoreFailure.self) { _ = try scratch.store.reserve(1) }
    try other.execute("COMMIT")
    try await until(scratch, .good)
    _ = try await scratch.put(image(2))
    try scratch.expectWhole()
  }

  /// A descriptor that is missing says nothing of the disk.
  @Test func aShortageOfDescriptorsIsCountedOnly() throws {
    let scratch = try ScratchStore()
    let own = KernelThread.currentID
    SystemCallTrace.start(thread: own)
    for _ in 0..<4 {
      SystemCallTrace.fail(.openat, nth: 1, code: EMFILE, thread: own)
      #expect(throws: StoreFailure.self) { try begin(scratch) }
    }
    _ = SystemCallTrace.stop(thread: own)
    #expect(scratch.store.health == .good && scratch.store.failureCount == 4)
  }
}

private final class Events: Sendable {
  private let events = Mutex<[StoreEvent]>([])
  var all: [StoreEvent] { events.withLock { $0 } }
  func add(_ event: StoreEvent) { events.withLock { $0.append(event) } }
}
