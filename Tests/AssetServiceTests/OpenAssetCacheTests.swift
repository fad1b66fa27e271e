import Crypto
import Kernel
import Testing
import Wire

@testable import AssetService
@testable import Store

/// What a loop keeps open, and what it gives up when descriptors run out.
@Suite struct OpenAssetCacheTests {
  private func asset(_ content: OpenAsset.Content) throws -> OpenAsset {
    let facts = try #require(ImageFacts(mediaType: .png, width: 16, height: 9))
    let blob = Blob(
      name: .random(TestImages.digest([1])), bytes: 100_000, image: facts, storedAt: 0)
    return OpenAsset(
      ServedAsset(
        Asset(
          id: .random(), blob: blob, owner: .local, lifetime: .permanent, isPinned: false,
          createdAt: 0, lastAccessAt: nil, model: nil, generation: nil, index: 0)),
      content: content, tagHeader: nil)
  }

  private struct Weak {
    weak var asset: OpenAsset?
  }

  /// A turn is no time to close thousands: those that were not fetched for longest go, and of those
  /// a removed one is closed by a thread, since its space is freed then.
  @Test func theOldestFilesGo() throws {
    let file = SharedFile(try Directory.open(path: "/proc/self").file("statm", .read))
    var cache = OpenAssetCache(capacity: 1000)
    var weak: [Weak] = []
    var ids: [AssetID] = []
    for index in 0..<300 {
      // Every tenth is small, and has no descriptor.
      let one = try asset(index % 10 == 0 ? .bytes([1]) : .file(file))
      cache.insert(one, epoch: index < 30 && index % 10 == 1 ? 1 : 2)
      weak.append(Weak(asset: one))
      ids.append(one.id)
    }
    // The first is fetched once more, and is the youngest then.
    #expect(cache.asset(ids[3], epoch: 2) != nil)
    #expect(cache.dropOldest(64) { _, epoch in epoch == 1 } == 64)
    let left = weak.indices.filter { weak[$0].asset != nil }
    // 0…74: 8 small ones, 3 that were removed, the youngest; 63 files, and one more behind them.
    let gone = weak.indices.filter { weak[$0].asset == nil }
    #expect(gone.count == 64 && gone.allSatisfy { $0 < 80 && $0 % 10 != 0 && $0 != 3 })
    #expect(left.count == 236 && cache.count == 233)
    #expect(Set(cache.takeStale().map(\.id)) == [ids[1], ids[11], ids[21]])
    #expect(cache.asset(ids[3], epoch: 2) != nil && cache.asset(ids[0], epoch: 2) != nil)
    // Until none is left that has a descriptor.
    var dropped = 64
    while true {
      let more = cache.dropOldest(64) { _, _ in false }
      guard more > 0 else { break }
      dropped += more
    }
    #expect(dropped == 267 && cache.count == 30)
    cache.insert(try asset(.file(file)), epoch: 2)
    #expect(cache.count == 31)
  }
}
