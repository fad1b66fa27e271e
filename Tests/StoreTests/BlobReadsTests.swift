import Foundation
import Glibc
import Kernel
import Testing
import Wire

@testable import Store

/// Whoever reads a blob, and does not get its bytes: damage and failures are known from there on.
@Suite struct BlobReadsTests {
  private func path(_ asset: Asset, _ scratch: ScratchStore) -> String {
    scratch.path + "/blobs/" + asset.blob.name.path
  }

  private func cut(_ path: String, to bytes: Int) throws {
    #expect(unsafe chmod(path, 0o600) == 0)
    #expect(unsafe truncate(path, bytes) == 0)
  }

  private func fail(_ count: Int, _ body: () throws -> Void) rethrows {
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    defer { _ = SystemCallTrace.stop(thread: thread) }
    for _ in 0..<count { SystemCallTrace.fail(.pread, nth: 1, code: EIO, thread: thread) }
    try body()
  }

  /// It was whole when it was opened.
  @Test func aFileThatIsCutWhileItIsOpenIsDamaged() async throws {
    let events = ToldEvents()
    let scratch = try ScratchStore(report: { events.add($0) })
    let asset = try await scratch.put(image(1, bytes: 50_000)).asset
    let file = try #require(
      try scratch.store.open(asset.id, reader: try scratch.store.reader()).file)
    let epoch = scratch.store.epochs.current(asset.id)
    #expect(try file.readAll(limit: 1 << 20)?.count == 50_000)
    #expect(scratch.store.damagedBlobs == (0, 0))
    try cut(path(asset, scratch), to: 20_000)
    for _ in 0..<2 { #expect(try file.readAll(limit: 1 << 20)?.count == 20_000) }
    #expect(scratch.store.damagedBlobs == (1, 1))
    let problem = "the file ended after 20000 of 50000 bytes while it was read"
    #expect(events.all == [.damagedBlob(asset.blob.name, problem: problem)], "it is told once")
    #expect(scratch.store.epochs.current(asset.id) != epoch, "who has it open looks again")
    let failure = #expect(throws: StoreFailure.self) { _ = try scratch.content(asset.id) }
    #expect(failure?.kind == .assetDamaged)
    _ = try await scratch.put(image(1, bytes: 50_000))
    #expect(try scratch.content(asset.id)?.count == 50_000)
    #expect(scratch.store.damagedBlobs == (0, 1))
  }

  /// One bad place is no failing disk, however many ask for it; three files are.
  @Test func whatCanNotBeReadIsCounted() async throws {
    let events = ToldEvents()
    let scratch = try ScratchStore(report: { events.add($0) })
    var files: [SharedFile] = []
    for seed in 0..<3 {
      let asset = try await scratch.put(image(seed)).asset
      files += [try scratch.store.open(asset.id, reader: try scratch.store.reader()).file]
        .compactMap { $0 }
    }
    try #require(files.count == 3)
    let errno = Errno(.pread, code: EIO)
    for count in 1...4 {
      fail(1) { #expect(throws: errno) { _ = try files[0].readAll(limit: 1 << 20) } }
      #expect(scratch.store.failureCount == count)
    }
    #expect(scratch.store.health == .good && events.all.count == 1)
    for file in files.dropFirst() {
      fail(1) { #expect(throws: errno) { _ = try file.readAll(limit: 1 << 20) } }
    }
    #expect(scratch.store.health == .readOnly(.diskFailing))
    #expect(throws: StoreFailure.self) { _ = try scratch.store.reserve(1) }
    #expect(events.all.contains(.readOnly(.diskFailing)) && events.all.count == 4)
    #expect(scratch.store.damagedBlobs == (0, 0), "its bytes may come another time")
  }

  /// An open that fails comes through the same door.
  @Test func whatCanNotBeOpenedIsCounted() async throws {
    let events = ToldEvents()
    let scratch = try ScratchStore(report: { events.add($0) })
    let asset = try await scratch.put(image(1)).asset
    let (reader, thread) = (try scratch.store.reader(), KernelThread.currentID)
    SystemCallTrace.start(thread: thread)
    defer { _ = SystemCallTrace.stop(thread: thread) }
    for _ in 0..<4 {
      SystemCallTrace.fail(.openat, nth: 1, code: EIO, thread: thread)
      #expect(throws: StoreFailure.self) { _ = try scratch.store.open(asset.id, reader: reader) }
    }
    #expect(scratch.store.failureCount == 4 && scratch.store.health == .good)
    let (path, problem) = ("blobs/" + asset.blob.name.path, "\(Errno(.openat, code: EIO))")
    #expect(events.all == [.unreadable(path, problem: problem)])
  }

  /// A small one is read before its answer begins: that can still say what is wrong.
  @Test func aSmallOneFailsBeforeItsAnswer() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let store = scratch.store
    let threads = try await pointThreads(store)
    for thread in threads {
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(.pread, nth: 1, code: EIO, thread: thread)
    }
    let failure = await #expect(throws: StoreFailure.self) {
      _ = try await store.load(asset.id, smallBytes: 4096)
    }
    for thread in threads { _ = SystemCallTrace.stop(thread: thread) }
    #expect(failure?.kind == .io(Errno(.pread, code: EIO)))
    #expect(store.failureCount == 1)
    #expect(try await store.load(asset.id, smallBytes: 4096).bytes == image(1))
  }

  /// All of them: each waits until all are there.
  private func pointThreads(_ store: Store) async throws -> Set<Int32> {
    let gate = ThreadSignal()
    let count = ReaderThreads.Kind.points.threads
    let ids = AsyncStream<Int32> { continuation in
      for _ in 0..<count {
        store.points.submit { _ in
          continuation.yield(KernelThread.currentID)
          gate.wait()
        }
      }
    }
    var threads: Set<Int32> = []
    for await id in ids {
      threads.insert(id)
      if threads.count == count { break }
    }
    for _ in 0..<count { gate.raise() }
    return threads
  }

  /// The file of a row that was just written.
  @Test func aMissingFileOfANewRowIsDamage() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    try FileManager.default.removeItem(atPath: path(asset, scratch))
    #expect(throws: StoreFailure.self) { _ = try scratch.store.open(asset.blob) }
    #expect(scratch.store.damagedBlobs == (1, 1))
    // Without its row that is no damage.
    _ = try await scratch.store.delete(asset.id, owner: nil)
    #expect(scratch.store.damagedBlobs.current == 0)
    #expect(throws: StoreFailure.self) { _ = try scratch.store.open(asset.blob) }
    #expect(scratch.store.damagedBlobs == (0, 1))
  }

  /// The read-back of what an upload has written, under its final name.
  @Test(arguments: [false, true]) func whatIsReadBackIsLookedAt(isAltered: Bool) async throws {
    let events = ToldEvents()
    let scratch = try ScratchStore(report: { events.add($0) })
    do {
      let settled = try scratch.settle(image(1, bytes: 5000))
      let (work, name) = (settled.work, settled.blob.name)
      let file = scratch.path + "/blobs/" + name.path
      if isAltered {
        #expect(unsafe chmod(file, 0o600) == 0)
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        try handle.seek(toOffset: 4000)
        try handle.write(contentsOf: Data([1, 2, 3]))
        try handle.close()
      } else {
        try cut(file, to: 0)
      }
      let failure = #expect(throws: StoreFailure.self) { _ = try work.readAllBack() }
      #expect(failure?.kind == .damaged)
      #expect(scratch.store.damagedBlobs == (1, 1))
      #expect(events.all.count == 1)
    }
    scratch.store.unlinker.drain()
    #expect(scratch.store.damagedBlobs == (0, 1), "nobody names it")
    try scratch.expectWhole()
  }

  /// Who can not even open the catalogue says so.
  @Test func aCatalogueThatCanNotBeOpenedIsCounted() async throws {
    let scratch = try ScratchStore()
    let path = scratch.path + "/catalog.sqlite"
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    #expect(throws: StoreFailure.self) { _ = try scratch.store.reader() }
    #expect(scratch.store.failureCount > 0 && scratch.store.health != .good)
    try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    try await until("it is there again") { scratch.store.health == .good }
  }
}
