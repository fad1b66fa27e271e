import Crypto
import Foundation
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
  private static let writers = 8
  /// Images of each writer; `ASSETD_SOAK` is another number, for a night.
  private static let rounds =
    ProcessInfo.processInfo.environment["ASSETD_SOAK"].flatMap { Int($0) } ?? 150

  /// G1 in small: writers on shared digests, deletes, reads, and collection without a pause or a
  /// grace.
  @Test func nothingAcknowledgedIsEverMissing() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let isDone = Flag()
    // In few folders: the sweep comes to each again and again.
    let images = (0...).lazy.map { image($0) }
      .filter { SHA256.digest(of: $0.span).bytes[0] < 4 }.prefix(6)
    let shared = Array(images)
    async let rounds = onThread { try Self.collect(store, until: isDone) }
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<Self.writers {
        group.addTask {
          do { try await Self.write(scratch, writer, shared) } catch { Issue.record(error) }
        }
      }
    }
    isDone.raise()
    #expect(try await rounds > 0)
    _ = try store.collect([Policy(.expired(grace: 0))])
    try scratch.expectWhole()
    #expect(try store.reader().totals().assets == 0)
  }

  /// Everything that has expired, and every file that nobody names, at any age.
  private static func collect(_ store: Store, until isDone: Flag) throws -> Int {
    let policies = [Policy(.expired(grace: 0)), Policy(.orphans(grace: -1_000_000_000))]
    var rounds = 0
    repeat {
      let report = try store.collect(policies, .init(folders: 0..<4))
      #expect(report.sweepStop == nil)
      rounds += 1
    } while !isDone.isRaised
    return rounds
  }

  private static func write(
    _ scratch: ScratchStore, _ writer: Int, _ images: [[UInt8]]
  ) async throws {
    let (store, now) = (scratch.store, scratch.clock.now)
    let reader = try Mutex(store.reader())
    for round in 0..<rounds {
      let bytes = images[(writer + round) % images.count]
      // Some come to nothing after their file has its name.
      if round % 7 == 0 { _ = try scratch.settle(bytes) }
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
        try store.open(asset.id, reader: reader).file?.readAll(limit: 1 << 20)
      }
      #expect(content == bytes || shares && content == nil, "\(asset.id)")
      _ = try await store.delete(asset.id, owner: nil)
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
