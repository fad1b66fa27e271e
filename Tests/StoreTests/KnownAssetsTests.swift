import Kernel
import Testing
import Wire

@testable import Store

/// A row that is known is not asked for again, and never outlives a change (invariant 9).
@Suite struct KnownAssetsTests {
  /// A store on a disk that tells what is in memory, and a kernel that opens only that; `nil` where
  /// there is none.
  private func told() throws -> ScratchStore? {
    let scratch = try ScratchStore(onDisk: true)
    return scratch.store.diskWaiting == .told ? scratch : nil
  }

  /// What a loop finds: the kernel is free to drop a part of what that needs, not every time.
  private func openAtOnce(
    _ id: AssetID, _ scratch: ScratchStore, _ reader: CatalogReader
  ) throws -> ServedLookup? {
    let store = scratch.store
    for _ in 0..<1000 {
      let epoch = store.epochs.current(id)
      if let opened = try store.openAtOnce(id, epoch: epoch, reader: reader) { return opened.asset }
      // Brings all of it into memory.
      _ = try? scratch.content(id)
      _ = try store.open(id, reader: reader)
    }
    return nil
  }

  @Test func aRowIsReadOnce() async throws {
    guard let scratch = try told() else { return }
    let store = scratch.store
    let asset = try await scratch.put(image(1)).asset
    let reader = try store.reader()
    guard let first = try openAtOnce(asset.id, scratch, reader) else { return }
    #expect(first == .asset(.init(asset)))
    var statements = 0
    let watch = StatementWatch(reader.session) { _ in statements += 1 }
    var found = 0
    for _ in 0..<100 {
      let epoch = store.epochs.current(asset.id)
      if try store.openAtOnce(asset.id, epoch: epoch, reader: reader) != nil { found += 1 }
    }
    #expect(statements == 0 && found > 0)
    withExtendedLifetime(watch) {}
  }

  @Test func aChangeIsSeen() async throws {
    guard let scratch = try told() else { return }
    let store = scratch.store
    let reader = try store.reader()
    let asset = try await scratch.put(image(1), .temporary()).asset
    let other = try await scratch.put(image(2), .temporary()).asset
    for id in [asset.id, other.id] {
      guard try openAtOnce(id, scratch, reader) != nil else { return }
    }
    _ = try await store.change(asset.id, owner: nil, AssetChange(isPinned: true))
    guard case .asset(let changed) = try openAtOnce(asset.id, scratch, reader) else {
      Issue.record("it is there")
      return
    }
    #expect(changed.isPinned)
    _ = try await store.delete(asset.id, owner: nil)
    guard case .removed = try openAtOnce(asset.id, scratch, reader) else {
      Issue.record("it was removed")
      return
    }
    #expect(try openAtOnce(other.id, scratch, reader) == .asset(.init(other)))
  }

  @Test func memoryIsBounded() async throws {
    let known = KnownAssets()
    let blob = try await ScratchStore().put(image(1)).asset.blob
    func served(_ number: UInt128) -> ServedAsset {
      ServedAsset(
        Asset(
          id: AssetID(number: number), blob: blob, owner: .local, lifetime: .permanent,
          isPinned: false, createdAt: 0, lastAccessAt: nil, model: nil, generation: nil, index: 0))
    }
    // All of one set; the last one is always known.
    for high in 0..<UInt128(100) {
      let asset = served(high << 64 | 5)
      known.keep(asset, epoch: 1)
      #expect(known.asset(asset.id, epoch: 1) == asset)
    }
    #expect(known.count == KnownAssets.rowsPerSet)
    // One that changed makes room.
    #expect(known.asset(AssetID(number: 99 << 64 | 5), epoch: 2) == nil)
    #expect(known.count == KnownAssets.rowsPerSet - 1)
  }

  /// Sixteen threads ask for rows of their own and of each other while they change.
  @Test func manyAskAtOnce() async throws {
    let known = KnownAssets()
    let blob = try await ScratchStore().put(image(1)).asset.blob
    let assets = (0..<64).map { number in
      ServedAsset(
        Asset(
          id: AssetID(number: UInt128(number % 4) | UInt128(number) << 64), blob: blob,
          owner: .local, lifetime: .permanent, isPinned: number % 2 == 0, createdAt: 0,
          lastAccessAt: nil, model: nil, generation: nil, index: 0))
    }
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<16 {
        group.addTask {
          for turn in 0..<500 {
            let asset = assets[(turn * 7 + task) % 64]
            let epoch = UInt64(turn / 100)
            if let found = known.asset(asset.id, epoch: epoch) {
              #expect(found == asset)
            } else {
              known.keep(asset, epoch: epoch)
            }
          }
        }
      }
    }
    #expect(known.count <= 64)
  }
}
