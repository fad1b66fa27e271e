import Kernel
import Synchronization
import Testing

@testable import Store

@Suite struct SpaceLedgerTests {
  @Test func hardLimitIsExact() async throws {
    // Invariant 8, in blocks of 4 KiB.
    let scratch = try ScratchStore(maxBytes: 3 * 4096)
    let store = scratch.store
    _ = try await scratch.put(image(1, bytes: 4097))
    #expect(store.space.stored == 8192)
    let last = try store.reserve(1)
    let failure = #expect(throws: StoreFailure.self) { _ = try store.reserve(1) }
    #expect(failure?.kind == .full(.store))
    #expect(store.isFull)
    _ = consume last
    #expect(!store.isFull)
    let tooMuch = #expect(throws: StoreFailure.self) { _ = try store.reserve(Int64.max) }
    #expect(tooMuch?.kind == .full(.store))
  }

  @Test func growingPastTheLimitFailsAndKeepsTheReservation() throws {
    let scratch = try ScratchStore(maxBytes: 8192)
    var reservation = try scratch.store.reserve(4096)
    try reservation.extend(to: 8192)
    #expect(throws: StoreFailure.self) { try reservation.extend(to: 8193) }
    #expect(reservation.bytes == 8192)
    var ingest = try scratch.store.begin(reservation)
    let failure = #expect(throws: StoreFailure.self) {
      try ingest.write(image(1, bytes: 8193).span)
    }
    #expect(failure?.kind == .full(.store))
  }

  @Test func diskKeepsItsFreeBytes() throws {
    let scratch = try ScratchStore()
    let folders = scratch.store.files.folders
    let ledger = SpaceLedger(
      maxBytes: nil, minFreeBytes: 1 << 20, disk: folders, freeBytes: { (1 << 20) + 8192 })
    try ledger.take(8192)
    let failure = #expect(throws: StoreFailure.self) { try ledger.take(4096) }
    #expect(failure?.kind == .full(.disk))
    ledger.giveBack(8192)
    #expect(!ledger.isFull)
    #expect(ledger.use == SpaceUse())
  }

  /// Invariant 8, also within the second between two looks at the disk: four that store as fast as
  /// they can, on a disk that has what was not yet written to it.
  @Test func freeBytesAreKeptBetweenTwoLooks() async throws {
    let scratch = try ScratchStore()
    let disk = FreeBytes(100 * 4096)
    let least: Int64 = 30 * 4096
    let ledger = SpaceLedger(
      maxBytes: nil, minFreeBytes: least, disk: scratch.store.files.folders,
      freeBytes: { disk.count.load(ordering: .relaxed) })
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          while true {
            do { try ledger.take(4096) } catch { return }
            disk.count.wrappingSubtract(4096, ordering: .relaxed)
            ledger.publish(reserved: 4096, stored: 4096)
          }
        }
      }
    }
    #expect(disk.count.load(ordering: .relaxed) == least)
    #expect(ledger.use.stored == 70 * 4096 && ledger.use.reserved == 0)
    #expect(ledger.isFull)
    // What others free is seen before anyone is refused.
    disk.count.wrappingAdd(4096, ordering: .relaxed)
    try ledger.take(4096)
    ledger.giveBack(4096)
    #expect(!ledger.isFull)
  }

  /// `append` runs on a loop: it asks for no space. Near the limit the next flush does.
  @Test(arguments: [true, false]) func onlyAFlushAsksTheDisk(_ hasRoom: Bool) throws {
    let disk = FreeBytes(8192)
    let thread = KernelThread.currentID
    let scratch = try ScratchStore(freeBytes: { disk.look(on: thread) })
    var ingest = try scratch.store.begin(try scratch.store.reserve(4096))
    let bytes = image(1, bytes: 20_000)
    scratch.store.files.ledger.bury(0)
    let asked = disk.looks.load(ordering: .relaxed)
    #expect(try ingest.append(bytes.span.extracting(0..<5000)) == 5000)
    #expect(try ingest.append(bytes.span.extracting(5000..<20_000)) == 0)
    _ = scratch.store.isFull
    #expect(disk.looks.load(ordering: .relaxed) == asked, "nobody was asked on this thread")
    if hasRoom { disk.count.store(1 << 20, ordering: .relaxed) }
    do {
      try ingest.flush()
      #expect(hasRoom)
    } catch {
      #expect(!hasRoom && error.kind == .full(.disk))
      return
    }
    #expect(try ingest.append(bytes.span.extracting(5000..<20_000)) == 15_000)
    #expect(try ingest.settle().blob.bytes == 20_000)
  }

  /// What was only announced holds little, of the store as of the disk, however slowly it comes.
  @Test func spaceFollowsTheArrival() throws {
    let scratch = try ScratchStore()
    let (store, announced, step) = (scratch.store, Int64(10 << 20), IngestWork.firstStep)
    var slow: [IngestWork] = []
    for _ in 0..<20 {
      let space = try store.reserve(announced: announced)
      slow.append(try store.begin(space, expectedBytes: announced).work)
    }
    #expect(store.space.reserved == 20 * step)
    #expect(try onDisk(scratch) <= 20 * step)
    let work = try #require(slow.first)
    slow = [work]
    store.unlinker.drain()
    let bytes = image(1, bytes: Int(announced))
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    var arrived = 0
    while arrived < bytes.count {
      arrived += try work.append(bytes.span.extracting(arrived..<min(arrived + 5000, bytes.count)))
      let reserved = store.space.reserved
      #expect(reserved >= Int64(arrived) && reserved <= max(step, 2 * Int64(arrived) + 4096))
      try work.flush()
      #expect(try onDisk(scratch) <= reserved)
    }
    let calls = SystemCallTrace.stop(thread: thread)
    #expect(calls.count { $0 == .fallocate } == 4, "2, 4, 8 and 10 MiB")
    try work.settle()
    #expect(try work.blob.bytes == announced)
  }

  /// What does not fit is refused before it comes, and what just fits is taken.
  @Test func theLastStepsAreAsLargeAsTheyCanBe() throws {
    let announced: Int64 = 3 << 20
    let scratch = try ScratchStore(maxBytes: announced + 8192)
    let store = scratch.store
    let failure = #expect(throws: StoreFailure.self) {
      _ = try store.reserve(announced: announced + 8193)
    }
    #expect(failure?.kind == .full(.store))
    var ingest = try store.begin(
      try store.reserve(announced: announced), expectedBytes: announced)
    let other = try store.reserve(4096)
    try ingest.write(image(1, bytes: Int(announced)).span)
    #expect(store.space.reserved == announced + other.bytes)
    #expect(try ingest.settle().blob.bytes == announced)
  }

  private func onDisk(_ scratch: ScratchStore) throws -> Int64 {
    let folder = try Directory.open(path: scratch.path + "/incoming")
    return try folder.names().reduce(0) { try $0 + (folder.status(of: $1)?.diskBytes ?? 0) }
  }

  /// What others free or take is seen without anyone who asks for space.
  @Test func theDiskIsLookedAtBesideTheLoops() async throws {
    let disk = FreeBytes(8192)
    let scratch = try ScratchStore(freeBytes: { disk.look(on: 0) })
    let store = scratch.store
    #expect(!store.isFull)
    for free: Int64 in [0, 8192] {
      disk.count.store(free, ordering: .relaxed)
      let end = ContinuousClock.now + .seconds(30)
      while store.isFull != (free == 0) {
        try #require(ContinuousClock.now < end)
        await Task.yield()
      }
    }
  }

  /// Who is refused hears how much was asked for, how much there is, and which setting keeps it.
  @Test func aFullDiskGivesItsFigures() throws {
    let scratch = try ScratchStore(freeBytes: { 10_000 })
    let failure = #expect(throws: StoreFailure.self) { _ = try scratch.store.reserve(12_000) }
    #expect(failure?.kind == .full(.disk))
    #expect(
      failure?.hint == "12288 bytes asked for, 10000 free on the disk, 0 of them to be left free "
        + "(storage.min_free_bytes)")
  }
}

/// What a disk of a test has free.
private final class FreeBytes: Sendable {
  let count: Atomic<Int64>
  /// How often one thread has looked.
  let looks = Atomic<Int>(0)
  init(_ bytes: Int64) { count = Atomic(bytes) }
  func look(on thread: Int32) -> Int64 {
    if KernelThread.currentID == thread { looks.wrappingAdd(1, ordering: .relaxed) }
    return count.load(ordering: .relaxed)
  }
}
