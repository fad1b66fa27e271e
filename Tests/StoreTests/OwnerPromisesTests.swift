import Crypto
import Foundation
import SQLite
import Testing
import Wire

@testable import Store

/// A key's quota before money is spent: what is stored, promised and asked must fit.
@Suite struct OwnerPromisesTests {
  private static let key = owner("gw1")

  private func new(_ quota: Int64) -> NewAsset {
    var new = NewAsset.temporary(owner: Self.key)
    new.quota = quota
    return new
  }

  @Test func whatIsStoredAndPromisedCounts() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    _ = try await scratch.put(image(1), new(5000))
    let first = try await store.promise(
      3000, for: .init(number: 1), of: Self.key, quota: 5000)
    let failure = await #expect(throws: StoreFailure.self) {
      _ = try await store.promise(1001, for: .init(number: 2), of: Self.key, quota: 5000)
    }
    #expect(failure?.kind == .full(.quota))
    #expect(failure?.figures == SpaceFigures(used: 4000, limit: 5000, asked: 1001))
    #expect("\(try #require(failure))".contains("used 4000, limit 5000, asked 1001"))
    // Less has come than was thought, and another owner has nothing to do with it.
    first.correct(to: 1000)
    _ = try await store.promise(3000, for: .init(number: 3), of: Self.key, quota: 5000)
    _ = try await store.promise(
      5000, for: .init(number: 4), of: owner("gw2"), quota: 5000)
    let most = await #expect(throws: StoreFailure.self) {
      _ = try await store.promise(
        Int64.max, for: .init(number: 5), of: Self.key, quota: 5000)
    }
    #expect(most?.kind == .full(.quota))
  }

  /// An upload can not take what an order was promised: its images are paid for.
  @Test func othersLeaveWhatIsPromised() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let promise = try await store.promise(
      1500, for: .init(number: 6), of: Self.key, quota: 2000)
    let failure = await #expect(throws: StoreFailure.self) {
      _ = try await scratch.put(image(1), new(2000))
    }
    #expect(failure?.figures == SpaceFigures(used: 1500, limit: 2000, asked: 1000))
    var publication = Publication()
    publication.promise = promise
    publication.add(try scratch.settle(image(2, bytes: 1500)), as: new(2000))
    #expect(try await store.publish(publication).count == 1)
  }

  /// Promises and uploads that stand in one transaction, in either order: who comes first has it.
  @Test(arguments: [true, false])
  func inOneTransactionTheFirstHasIt(isPromiseFirst: Bool) async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let writer = try await HeldWriter(store)
    let outcomes = try await withThrowingTaskGroup(of: (Bool, StoreFailure.Kind?).self) { group in
      for step in [isPromiseFirst, !isPromiseFirst] {
        let waiting = store.writer.waiting
        group.addTask {
          do {
            if step {
              _ = try await store.promise(
                1500, for: .init(number: 9), of: Self.key, quota: 2000)
            } else {
              var publication = Publication()
              publication.add(try scratch.settle(image(1)), as: self.new(2000))
              _ = try await store.publish(publication)
            }
            return (step, nil)
          } catch let error as StoreFailure { return (step, error.kind) }
        }
        try await writer.untilWaiting(waiting + 1)
      }
      writer.letGo()
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    #expect(outcomes == [!isPromiseFirst: .full(.quota)])
  }

  /// The order's image of a thousand bytes.
  private func publication(
    of promise: OwnerPromise, _ scratch: ScratchStore
  ) throws -> Publication {
    var publication = Publication()
    publication.promise = promise
    publication.add(try scratch.settle(image(2)), as: new(2000))
    return publication
  }

  /// An order that has its rows and still runs is counted once.
  @Test func publishedBytesCountOnce() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let first = try await store.promise(1000, for: .init(number: 1), of: Self.key, quota: 2000)
    let publication = try publication(of: first, scratch)
    _ = try await store.publish(publication)
    let second = try await store.promise(1000, for: .init(number: 2), of: Self.key, quota: 2000)
    #expect(store.promises.promised(to: Self.key) == 1000)
    withExtendedLifetime((first, second)) {}
  }

  /// A transaction that fails promises nothing, and what was promised before stays.
  @Test func aFailedCommitPromisesNothing() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let first = try await store.promise(1000, for: .init(number: 1), of: Self.key, quota: 2000)
    let publication = try publication(of: first, scratch)
    let thread = store.writer.threadID
    WriteFaults.fail(nth: 1, code: ENOSPC, thread: thread)
    do {
      _ = try await store.publish(publication)
      Issue.record("it was committed")
    } catch { #expect(error.kind == .full(.disk)) }
    WriteFaults.fail(nth: 1_000_000, code: EIO, thread: thread)
    #expect(store.promises.promised(to: Self.key) == 1000)
    await #expect(throws: StoreFailure.self) {
      _ = try await store.promise(1001, for: .init(number: 2), of: Self.key, quota: 2000)
    }
    _ = try await store.promise(1000, for: .init(number: 3), of: Self.key, quota: 2000)
    _ = consume first
    #expect(store.promises.promised(to: Self.key) == 0)
  }

  @Test func promisesEndWithTheirOrders() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    for _ in 0..<100 {
      _ = try await store.promise(2000, for: .init(number: 7), of: Self.key, quota: 2000)
    }
    _ = try await store.promise(1 << 40, for: .init(number: 8), of: Self.key, quota: nil)
    #expect(store.promises.promised(to: Self.key) == 0)
  }

  /// Whether an order of a thousand bytes was taken; then it is carried out.
  private func buy(_ seed: Int, _ scratch: ScratchStore, _ quota: Int64) async throws -> Bool {
    let store = scratch.store
    let id = GenerationID(number: UInt128(seed))
    let promise: OwnerPromise
    do throws(StoreFailure) {
      promise = try await store.promise(
        1000, for: id, of: Self.key, quota: quota)
    } catch {
      #expect(error.kind == .full(.quota))
      return false
    }
    let generation = Generation(
      id: id, owner: Self.key, fingerprint: SHA256.digest(of: image(seed).span),
      status: .completed, createdAt: 1, expiresAt: 2)
    var publication = Publication(generation: generation)
    publication.promise = promise
    publication.add(try scratch.settle(image(seed)), as: new(quota))
    _ = try await store.publish(publication)
    return true
  }

  /// Fifty orders at once on several threads: exactly as many as fit are taken, and all of those
  /// get their rows.
  @Test func fiftyOrdersAtOnceAreExact() async throws {
    let scratch = try ScratchStore()
    let store = scratch.store
    let quota: Int64 = 20 * 1000
    let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
      for seed in 0..<50 { group.addTask { try await self.buy(seed, scratch, quota) } }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(taken == 20)
    #expect(try store.reader().totals(of: Self.key).bytes == quota)
    #expect(store.promises.promised(to: Self.key) == 0)
    try scratch.expectWhole()
  }
}
