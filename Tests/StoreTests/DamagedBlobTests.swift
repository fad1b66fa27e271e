import Foundation
import Kernel
import SQLite
import Testing
import Wire

@testable import Store

/// Damage is never answered as good, and bytes that are sent again repair it.
@Suite struct DamagedBlobTests {
  enum Damage: CaseIterable {
    case missing, empty, short, long

    func apply(to path: String) throws {
      switch self {
      case .missing: return try FileManager.default.removeItem(atPath: path)
      case .empty: try replace(path) { _ in Data() }
      case .short: try replace(path) { $0.dropLast() }
      case .long: try replace(path, Self.longer)
      }
    }

    private static func longer(_ data: Data) -> Data {
      var longer = data
      longer.append(0)
      return longer
    }

    private func replace(_ path: String, _ change: (Data) -> Data) throws {
      let changed = change(try Data(contentsOf: URL(fileURLWithPath: path)))
      try FileManager.default.removeItem(atPath: path)
      try changed.write(to: URL(fileURLWithPath: path))
    }
  }

  @Test(arguments: Damage.allCases, [false, true])
  func bytesSentAgainTakeThePlace(_ damage: Damage, reuse: Bool) async throws {
    let events = ToldEvents()
    let scratch = try ScratchStore(report: { events.add($0) })
    let first = try await scratch.put(image(1)).asset
    let other = try await scratch.put(image(1), .permanent(owner: owner("gw1"))).asset
    let path = scratch.path + "/blobs/" + first.blob.name.path
    try damage.apply(to: path)
    let failure = #expect(throws: StoreFailure.self) { _ = try scratch.content(first.id) }
    #expect(failure?.kind == .assetDamaged)
    #expect(scratch.store.damagedBlobs == (1, 1))
    let epoch = scratch.store.epochs.current(other.id)

    let again = try await scratch.put(image(1), .temporary(reuse: reuse))
    #expect(again.isNew != reuse)
    #expect(again.asset.blob.name != first.blob.name && again.asset.blob.bytes == 1000)
    for id in [first.id, other.id, again.asset.id] {
      #expect(try scratch.content(id) == image(1))
    }
    #expect(scratch.store.epochs.current(other.id) != epoch, "open damaged files are let go of")
    #expect(scratch.store.damagedBlobs == (0, 1))
    #expect(events.all.count == 2)
    #expect(events.all.last == .repairedBlob(first.blob.name))
    try scratch.expectWhole()
  }

  @Test func damageThatNobodyMetIsRepairedToo() async throws {
    let scratch = try ScratchStore()
    let first = try await scratch.put(image(1)).asset
    try Damage.short.apply(to: scratch.path + "/blobs/" + first.blob.name.path)
    _ = try await scratch.put(image(1))
    #expect(try scratch.content(first.id) == image(1))
    #expect(scratch.store.damagedBlobs == (0, 1))
    try scratch.expectWhole()
  }

  /// The file is good and its row is not: the file stays, and nobody is told of an asset.
  @Test func rowThatIsWrongTakesNoFile() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    try await scratch.store.write { (session) throws(StoreFailure) in
      try failures { () throws(SQLiteFailure) in
        try session.connection.execute("UPDATE blobs SET bytes = bytes + 1")
      }
    }
    let failure = await #expect(throws: StoreFailure.self) { _ = try await scratch.put(image(1)) }
    #expect(failure?.kind == .damaged)
    scratch.store.unlinker.drain()
    #expect(try scratch.blobFiles() == [asset.blob.name.path])
  }

  // MARK: - Which must not be opened, and which nobody names

  /// Whether a loop opens it: the kernel is free to drop a part of what that needs, not every time.
  private func isOpenedAtOnce(_ id: AssetID, _ scratch: ScratchStore) throws -> Bool {
    let reader = try scratch.store.loopReader()
    for _ in 0..<1000 {
      // Brings all of it into memory.
      _ = try? scratch.content(id)
      let epoch = scratch.store.epochs.current(id)
      guard let opened = try scratch.store.openAtOnce(id, epoch: epoch, reader: reader)
      else { continue }
      return opened.file != nil
    }
    return false
  }

  /// Neither where the kernel says what waits, and a loop opens what does not.
  @Test func aRefusedFileIsNotOpenedAtOnce() async throws {
    let scratch = try ScratchStore(onDisk: true)
    let store = scratch.store
    guard store.diskWaiting == .told else { return }
    let asset = try await scratch.put(image(1)).asset
    // Older kernels can not say it of names.
    guard try isOpenedAtOnce(asset.id, scratch) else { return }
    store.files.damaged.refuse(asset.blob.name, "its bytes are altered")
    #expect(try !isOpenedAtOnce(asset.id, scratch))
    store.files.damaged.forget(asset.blob.name, isRepaired: true)
    #expect(try isOpenedAtOnce(asset.id, scratch))
  }

  /// A reader finds the row, the deletion ends, then the reader notes that the file is missing.
  @Test func theDamageOfADeletedBlobIsForgotten() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let asset = try await scratch.put(image(1)).asset
    try Damage.missing.apply(to: scratch.path + "/blobs/" + asset.blob.name.path)
    let reader = try store.reader()
    var looks = 0
    let watch = StatementWatch(reader.session) { text in
      guard text == CatalogSQL.assetByID.text else { return }
      looks += 1
      if looks == 2 { scratch.remove(asset) }
    }
    defer { withExtendedLifetime(watch) {} }
    let failure = #expect(throws: StoreFailure.self) {
      _ = try store.open(asset.id, reader: reader)
    }
    #expect(failure?.kind == .assetDamaged && looks == 2)
    #expect(store.damagedBlobs == (0, 1))
    try scratch.expectWhole()
  }

  private func failures(
    _ body: () throws(SQLiteFailure) -> Void
  ) throws(StoreFailure) {
    do { try body() } catch { throw StoreFailure(.change, error) }
  }
}
