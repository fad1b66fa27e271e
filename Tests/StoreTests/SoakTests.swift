import Kernel
import Synchronization
import Testing
import Wire

@testable import Store

private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}

@Suite struct SoakTests {
  /// G1 in small: writers on shared digests, deletes, and collection without a pause or a grace.
  @Test func nothingAcknowledgedIsEverMissing() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let now = scratch.clock.now
    let isDone = Flag()
    let images = (0..<4).map { image($0) }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        // Everything that has expired, and every file that nobody names, at any age.
        let policies = [
          Policy(.expired(grace: 0)), Policy(.orphans(grace: -1_000_000_000)),
        ]
        while !isDone.isRaised {
          do { _ = try store.collect(policies) } catch { Issue.record(error) }
          await Task.yield()
        }
      }
      group.addTask {
        await withTaskGroup(of: Void.self) { writers in
          for writer in 0..<3 {
            writers.addTask {
              do {
                try await self.write(scratch, writer, images, now)
              } catch { Issue.record(error) }
            }
          }
        }
        isDone.raise()
      }
    }
    _ = try store.collect([Policy(.expired(grace: 0))])
    try scratch.expectWhole()
    #expect(try store.reader().totals().assets == 0)
  }

  private func write(
    _ scratch: ScratchStore, _ writer: Int, _ images: [[UInt8]], _ now: Int64
  ) async throws {
    let reader = try Mutex(scratch.store.reader())
    for round in 0..<60 {
      let bytes = images[(writer + round) % images.count]
      // Every third one expires at once and is the collector's; every second one shares its id
      // with the other writers, any of whom may delete it.
      let expires = round % 3 == 0
      let shares = round % 2 == 0 && !expires
      let asset = try await scratch.put(
        bytes,
        .temporary(
          until: expires ? now : now + 3600, owner: shares ? .local : owner("writer \(writer)"),
          reuse: shares)
      ).asset
      if expires { continue }
      let content = try reader.withLock { reader in
        try scratch.store.open(asset.id, reader: reader).file?.readAll(limit: 1 << 20)
      }
      #expect(content == bytes || shares && content == nil, "\(asset.id)")
      _ = try await scratch.store.delete(asset.id, owner: nil)
    }
  }

  @Test func tenThousandRowsOpenAndListAtOnce() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let now = scratch.clock.now
    try await scratch.store.write { (session) throws(StoreFailure) in
      for _ in 0..<10_000 { _ = try session.insert(asset.blob, as: .temporary(), now: now) }
    }
    let after = try ScratchStore(copyOf: scratch.path)
    #expect(try after.store.reader().totals().assets == 10_001)
    #expect(try after.store.reader().asset(asset.id) == asset)
    #expect(try after.store.reader().assets(AssetQuery(owner: .local))?.assets.count == 100)
    after.clock.advance(3600 + 600)
    let report = try after.store.collect(Policy.builtIn)
    #expect(report.results[0].assets == 10_001 && report.results[0].blobs == 1)
    try after.expectWhole()
  }
}
