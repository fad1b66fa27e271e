import Crypto
import Foundation
import Glibc
import Kernel
import Testing
import Wire

@testable import Store

@Suite struct IngestTests {
  @Test(arguments: [24, 1000, 256 << 10, (256 << 10) + 1, 700_001])
  func bytesComeBackAsTheyWere(size: Int) async throws {
    let scratch = try ScratchStore()
    let bytes = image(size, bytes: size)
    let published = try await scratch.put(bytes)
    let asset = published.asset
    #expect(published.isNew)
    #expect(asset.blob.digest == SHA256.digest(of: bytes.span))
    #expect(asset.blob.bytes == Int64(size))
    #expect(asset.blob.image == ImageFacts(mediaType: .png, width: 640, height: 480))
    #expect(asset.createdAt == scratch.clock.now && asset.blob.storedAt == scratch.clock.now)
    #expect(try scratch.content(asset.id) == bytes)
    #expect(try scratch.blobFiles() == [asset.blob.name.path])
    let attributes = try FileManager.default.attributesOfItem(
      atPath: scratch.path + "/blobs/" + asset.blob.name.path)
    #expect(attributes[.posixPermissions] as? Int == 0o440)
    try scratch.expectWhole()
  }

  @Test func splitsDoNotShow() throws {
    let scratch = try ScratchStore()
    let bytes = image(3, bytes: 300)
    for split in [1, 7, 23, 24, 299] {
      var ingest = try scratch.store.begin(try scratch.store.reserve(300))
      for start in stride(from: 0, to: 300, by: split) {
        try ingest.write(bytes.span.extracting(start..<min(start + split, 300)))
      }
      let settled = try ingest.settle()
      #expect(settled.blob.digest == SHA256.digest(of: bytes.span))
    }
    try scratch.expectWhole()
  }

  @Test func orderIsThatOfTheContract() throws {
    // STORE.md, "Ingest": write, fsync, 0440, close, rename, fsync of the folder that has the name
    // now; only then is there a value that `publish` takes.
    let scratch = try ScratchStore()
    let store = scratch.store
    let bytes = image(1, bytes: 300_000)
    var ingest = try store.begin(try store.reserve(300_000), expectedBytes: 300_000)
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    try ingest.write(bytes.span)
    let settled = try ingest.settle()
    let synced = SystemCallTrace.synced(thread: thread)
    let calls = SystemCallTrace.stop(thread: thread)
    let folder = scratch.path + "/blobs/" + settled.blob.name.folder
    #expect(synced.count == 2 && synced[1] == folder, "\(synced)")
    #expect(synced[0].hasPrefix(scratch.path + "/incoming/"), "\(synced)")
    #expect(
      calls == [
        .pwrite, .pwrite, .ftruncate, .fsync, .fchmod, .close, .rename, .openat, .fsync,
      ])
    #expect(try store.reader().totals().blobs == 0)
    #expect(settled.blob.bytes == 300_000)
  }

  @Test func abandonedIngestLeavesNothing() throws {
    let scratch = try ScratchStore()
    do {
      let reservation = try scratch.store.reserve(1 << 20)
      #expect(scratch.store.space.reserved == 1 << 20)
      _ = consume reservation
    }
    #expect(scratch.store.space.reserved == 0)
    do {
      var ingest = try scratch.store.begin(try scratch.store.reserve(10))
      try ingest.write(image(1, bytes: 5000).span)
      #expect(scratch.store.space.reserved == 8192, "it grew with the image")
    }
    do { _ = try scratch.settle(image(2)) }
    try scratch.expectWhole()
    #expect(try scratch.blobFiles().isEmpty)
  }

  @Test func splitReservationsComeBackToo() throws {
    let scratch = try ScratchStore()
    do {
      var order = try scratch.store.reserve(3 * 4096)
      let first = order.split(4096)
      #expect(first.bytes == 4096 && order.bytes == 8192)
      let rest = order.split(1 << 30)
      #expect(rest.bytes == 8192 && order.bytes == 0)
      #expect(scratch.store.space.reserved == 3 * 4096)
    }
    #expect(scratch.store.space.reserved == 0)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    var expected: Int64?
    var digest: Digest?
    let kind: StoreFailure.Kind
  }

  @Test(arguments: [
    Refusal(testDescription: "HTML", bytes: Array("<html></html>".utf8), kind: .notAnImage),
    Refusal(testDescription: "nothing", bytes: [], kind: .notAnImage),
    Refusal(testDescription: "half a header", bytes: Array(image(1)[..<20]), kind: .notAnImage),
    Refusal(
      testDescription: "too long", bytes: image(1, bytes: 3000), kind: .tooLarge(limit: 2000)),
    Refusal(
      testDescription: "too many pixels", bytes: image(1, width: 70_000, height: 70_000),
      kind: .tooManyPixels(limit: 1_000_000)),
    Refusal(
      testDescription: "shorter than said", bytes: image(1), expected: 1001,
      kind: .lengthMismatch(expected: 1001, found: 1000)),
    Refusal(
      testDescription: "longer than said", bytes: image(1), expected: 999,
      kind: .lengthMismatch(expected: 999, found: 1000)),
    Refusal(
      testDescription: "said to be too long", bytes: [], expected: 2001,
      kind: .tooLarge(limit: 2000)),
    Refusal(
      testDescription: "another content", bytes: image(1),
      digest: SHA256.digest(of: image(2).span), kind: .digestMismatch),
  ])
  func refusalsLeaveNothing(_ refusal: Refusal) throws {
    let scratch = try ScratchStore(limits: ImageLimits(bytes: 2000, pixels: 1_000_000))
    let failure = #expect(throws: StoreFailure.self) {
      var ingest = try scratch.store.begin(
        try scratch.store.reserve(100), expectedBytes: refusal.expected)
      try ingest.write(refusal.bytes.span)
      _ = try ingest.settle(expecting: refusal.digest)
    }
    #expect(failure?.kind == refusal.kind)
    try scratch.expectWhole()
    #expect(scratch.store.failureCount == 0, "not the disk's fault")
  }

  @Test func refusedBytesCanNotBeSettledAllTheSame() throws {
    let scratch = try ScratchStore(limits: ImageLimits(bytes: 1000))
    var ingest = try scratch.store.begin(try scratch.store.reserve(1000))
    try ingest.write(image(1).span)
    let failure = #expect(throws: StoreFailure.self) { try ingest.write([1].span) }
    #expect(failure?.kind == .tooLarge(limit: 1000))
    let work = ingest.work
    #expect(throws: StoreFailure.self) { try work.settle() }
    // The same for a caller that holds only the body.
    let other = try scratch.store.begin(try scratch.store.reserve(1000)).work
    #expect(try other.append(image(2).span) == 1000)
    #expect(throws: StoreFailure.self) { _ = try other.append([1].span) }
    #expect(throws: StoreFailure.self) { try other.settle() }
  }

  /// Every call of an ingest after the reservation, and how often it comes.
  static let faults: [(SystemCall, Int)] = [
    (.openat, 1), (.fallocate, 1), (.pwrite, 1), (.pwrite, 2), (.ftruncate, 1), (.fsync, 1),
    (.fchmod, 1), (.close, 1), (.rename, 1), (.openat, 2), (.fsync, 2),
  ]

  @Test(arguments: faults, [ENOSPC, EIO, EDQUOT, EMFILE])
  func everyFailedCallLeavesNoHalfState(fault: (SystemCall, Int), code: Int32) throws {
    let scratch = try ScratchStore()
    let bytes = image(1, bytes: 300_000)
    let thread = KernelThread.currentID
    _ = try scratch.store.reserve(300_000)  // asks the disk once, before the faults
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(fault.0, nth: fault.1, code: code, thread: thread)
    defer { _ = SystemCallTrace.stop(thread: thread) }
    let failure = #expect(throws: StoreFailure.self) {
      var ingest = try scratch.store.begin(
        try scratch.store.reserve(300_000), expectedBytes: 300_000)
      try ingest.write(bytes.span)
      _ = try ingest.settle()
    }
    let isFull = code == ENOSPC || code == EDQUOT
    #expect(failure?.kind == (isFull ? .full(.disk) : .io(Errno(fault.0, code: code))))
    _ = SystemCallTrace.stop(thread: thread)
    try scratch.expectWhole()
    #expect(try scratch.blobFiles().isEmpty)
    // The next one goes well.
    _ = try scratch.settle(bytes)
  }

  @Test func failedSyncIsNeverTriedAgain() throws {
    let scratch = try ScratchStore()
    var ingest = try scratch.store.begin(try scratch.store.reserve(1000))
    try ingest.write(image(1).span)
    let work = ingest.work
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.fsync, nth: 1, code: EIO, thread: thread)
    #expect(throws: StoreFailure.self) { try work.settle() }
    #expect(throws: StoreFailure.self) { try work.settle() }
    let calls = SystemCallTrace.stop(thread: thread)
    #expect(calls.filter { $0 == .fsync }.count == 1)
    do {
      _ = try ingest.settled()
      Issue.record("there is nothing settled")
    } catch {
      #expect(error.kind == .closed)
    }
  }

  @Test func takenBytesCanBeReadBackAfterAFailure() throws {
    // API.md §3: a paid image is never dropped.
    let scratch = try ScratchStore()
    let bytes = image(1, bytes: 300_000)
    for call in [SystemCall.pwrite, .fsync, .rename] {
      var ingest = try scratch.store.begin(try scratch.store.reserve(300_000))
      try ingest.write(bytes.span)
      let thread = KernelThread.currentID
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(call, nth: 1, code: ENOSPC, thread: thread)
      #expect(throws: StoreFailure.self) { try ingest.work.settle() }
      _ = SystemCallTrace.stop(thread: thread)
      #expect(try ingest.work.readAllBack() == bytes)
      // Once more, as after a look at the head for the type.
      #expect(try ingest.work.readAllBack() == bytes)
    }
    try scratch.expectWhole()
  }

  @Test(arguments: [SystemCall.pwrite, .fsync, .rename], [false, true])
  func bytesThatTheDiskLostAreNotReadBack(call: SystemCall, isCut: Bool) throws {
    // Invariant 11: after a failed fsync a page may be gone and read as zeroes, or the end be gone.
    let scratch = try ScratchStore()
    let bytes = image(1, bytes: 700_000)
    var ingest = try scratch.store.begin(try scratch.store.reserve(700_000))
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(call, nth: call == .pwrite ? 2 : 1, code: EIO, thread: thread)
    do {
      try ingest.write(bytes.span)
      try ingest.work.settle()
      Issue.record("it must fail")
    } catch {
      #expect(error.kind == .io(Errno(call, code: EIO)))
    }
    _ = SystemCallTrace.stop(thread: thread)
    let name = try #require(try scratch.incomingFiles().first)
    let folder = try Directory.open(path: scratch.path + "/incoming")
    let file = try folder.file(name, .readWrite)
    if isCut {
      try file.truncate(to: 8192)
    } else {
      try file.write([UInt8](repeating: 0, count: 4096).span, at: 8192)
    }
    let failure = #expect(throws: StoreFailure.self) { _ = try ingest.work.readAllBack() }
    #expect(failure?.kind == .damaged)
  }

  @Test func threeFailedSyncsInAMinuteMakeItReadOnly() async throws {
    let scratch = try ScratchStore()
    let kept = try await scratch.put(image(0)).asset
    for attempt in 1...3 {
      #expect(scratch.store.health == .good)
      let thread = KernelThread.currentID
      var ingest = try scratch.store.begin(try scratch.store.reserve(1000))
      try ingest.write(image(attempt).span)
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(.fsync, nth: 1, code: EIO, thread: thread)
      #expect(throws: StoreFailure.self) { try ingest.work.settle() }
      _ = SystemCallTrace.stop(thread: thread)
    }
    #expect(scratch.store.health == .readOnly(.diskFailing))
    let refused = #expect(throws: StoreFailure.self) { _ = try scratch.store.reserve(1) }
    #expect(refused?.kind == .readOnly)
    #expect(try scratch.content(kept.id) == image(0), "reads go on")
  }

  // MARK: Bytes that are only kept

  /// Of any kind and length; never an image, and gone with their work.
  @Test(arguments: [0, 1, 256 << 10, 700_001])
  func keptBytesCanBeReadAndNeverSettled(size: Int) throws {
    let scratch = try ScratchStore(limits: ImageLimits(bytes: 1000, pixels: 1))
    let store = scratch.store
    // An image that is too large in two ways would be refused.
    let bytes = size < 24 ? Array("no image".utf8.prefix(size)) : image(size, bytes: size)
    do {
      let work = try store.beginKeeping(try store.reserve(0))
      try write(bytes, to: work)
      try work.seal()
      try work.seal()
      for _ in 0..<2 { #expect(try work.readAllBack() == bytes) }
      #expect(throws: StoreFailure.self) { try work.settle() }
      #expect(throws: StoreFailure.self) { _ = try work.append(bytes.span) }
      #expect(work.count == Int64(size) && store.space.reserved >= Int64(size))
    }
    try scratch.expectWhole()
  }

  /// An image that is refused in the middle of it can be read as far as it was taken; without the
  /// memory and the descriptor of an ingest.
  @Test func whatWasTakenOfARefusedImageCanBeRead() throws {
    let scratch = try ScratchStore(limits: ImageLimits(bytes: 300_000, pixels: 1 << 30))
    let bytes = image(1, bytes: 400_000)
    do {
      let work = try scratch.store.begin(try scratch.store.reserve(0)).work
      #expect(throws: StoreFailure.self) { try write(bytes, to: work) }
      try work.seal()
      #expect(work.use { $0.buffer.isEmpty && $0.file == nil })
      #expect(try work.readAllBack().elementsEqual(bytes.prefix(Int(work.count))))
      #expect(work.use { $0.file == nil })
    }
    try scratch.expectWhole()
  }

  /// A disk that does not take them is said; what was taken can be read even so, and damage shows.
  @Test func keptBytesAreNeverAltered() throws {
    let scratch = try ScratchStore()
    let bytes = image(1, bytes: 300_000)
    let thread = KernelThread.currentID
    do {
      let work = try scratch.store.beginKeeping(try scratch.store.reserve(0))
      try write(bytes, to: work)
      SystemCallTrace.start(thread: thread)
      SystemCallTrace.fail(.pwrite, nth: 1, code: ENOSPC, thread: thread)
      #expect(throws: StoreFailure.self) { try work.seal() }
      _ = SystemCallTrace.stop(thread: thread)
      #expect(try work.readAllBack() == bytes)
    }
    scratch.store.unlinker.drain()
    do {
      let work = try scratch.store.beginKeeping(try scratch.store.reserve(0))
      try write(bytes, to: work)
      try work.seal()
      let folder = scratch.path + "/incoming/"
      let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder).first)
      var altered = bytes
      altered[1234] ^= 1
      try Data(altered).write(to: URL(filePath: folder + name))
      let failure = #expect(throws: StoreFailure.self) { _ = try work.readAllBack() }
      #expect(failure?.kind == .damaged)
    }
    try scratch.expectWhole()
  }

  private func write(_ bytes: [UInt8], to work: IngestWork) throws {
    var done = 0
    while done < bytes.count {
      done += try work.append(bytes.span.extracting(done..<bytes.count))
      if done < bytes.count { try work.flush() }
    }
  }
}

extension IngestWork {
  /// All bytes that were taken, piece by piece.
  func readAllBack() throws(StoreFailure) -> [UInt8] {
    var back: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 100_000)
    while true {
      var span = buffer.mutableSpan
      let count = try readBack(at: Int64(back.count), into: &span)
      if count == 0 { return back }
      back += buffer[..<count]
    }
  }
}
