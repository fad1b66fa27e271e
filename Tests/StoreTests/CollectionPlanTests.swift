import SQLite
import Testing
import Wire

@testable import Store

/// What a dry run keeps does not grow with the store.
@Suite struct CollectionPlanTests {
  private func planner(_ scratch: ScratchStore, hasOverlap: Bool) throws -> Planner {
    Planner(
      reader: try scratch.store.reader(), files: scratch.store.files,
      options: CollectionOptions(), now: scratch.clock.now, round: SweepRound(), doubt: nil,
      assetsLeft: nil, hasOverlap: hasOverlap)
  }

  /// 30 assets on bytes of their own, 20 on 10 others', all of them expired; 5 that share bytes
  /// with one that has not.
  private func filled() async throws -> ScratchStore {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    for seed in 0..<30 { _ = try await scratch.put(image(seed), .temporary(until: now)) }
    for seed in 0..<20 {
      _ = try await scratch.put(image(100 + seed % 10), .temporary(until: now + Int64(seed)))
    }
    for seed in 0..<5 {
      _ = try await scratch.put(image(200 + seed), .temporary(until: now))
      _ = try await scratch.put(image(200 + seed), .permanent())
    }
    scratch.clock.advance(60)
    return scratch
  }

  @Test func onlySharedBytesAreKept() async throws {
    let scratch = try await filled()
    var planner = try planner(scratch, hasOverlap: false)
    let result = try planner.plan(Policy(.expired(grace: 0))) { _ in }
    #expect(result.assets == 55 && result.blobs == 40)
    #expect(planner.taken.isEmpty)
    #expect(planner.left.values.sorted() == [1, 1, 1, 1, 1])
    #expect(try scratch.store.collect([Policy(.expired(grace: 0))]).results == [result])
    try scratch.expectWhole()
  }

  @Test func overlappingPoliciesNameAnAssetOnce() async throws {
    let scratch = try await filled()
    let policies = [Policy(.expired(grace: 50), name: "old"), Policy(.expired(grace: 0))]
    let plan = try scratch.store.plan(policies).results
    #expect(plan.map(\.assets) == [46, 9] && plan.map(\.blobs) == [31, 9])
    #expect(try scratch.store.collect(policies).results == plan)
  }

  @Test func theCountIsThePlans() async throws {
    let scratch = try await filled()
    let store = scratch.store
    #expect(try store.count(Policy.builtIn) == 0, "the grace")
    let policies = [
      Policy(.expired(grace: 0)), Policy(.orphans(grace: 0)), Policy(.records(after: 1)),
    ]
    #expect(try store.count(policies) == 55)
    #expect(try store.count(policies, CollectionOptions(limit: 7)) == 7)
    scratch.clock.advance(10 * 365 * 24 * 3600)
    #expect(try store.count(policies) == 0, "the clock jumped: nothing would go")
  }

  /// Page after page, each of its own statement: while the lines of one are told, the log can be
  /// brought home.
  @Test func noStatementLastsAsLongAsThePlan() async throws {
    let scratch = try ScratchStore()
    let count = 2 * Planner.page + 11
    try await scratch.fill(count)
    var ids: [AssetID?] = []
    var kept = 0
    let connection = try Connection(path: scratch.path + "/catalog.sqlite", access: .readWrite)
    let plan = try scratch.store.plan([Policy(.expired(grace: 0))]) { item in
      ids.append(item.id)
      if ids.count % 250 == 1, (try? connection.checkpoint(.truncate)) != true { kept += 1 }
    }
    #expect(kept == 0)
    #expect(plan.results.first?.assets == count && Set(ids).count == ids.count)
    var taken: [AssetID?] = []
    _ = try scratch.store.collect([Policy(.expired(grace: 0))]) { taken.append($0.id) }
    #expect(Set(taken) == Set(ids) && taken.count == ids.count)
  }

  @Test func aPlanEndsWithTheDaemon() async throws {
    let scratch = try await filled()
    var seen = 0
    _ = try scratch.store.plan([Policy(.expired(grace: 0))]) { _ in
      seen += 1
      scratch.store.stopCollecting()
    }
    #expect(seen == 1)
  }
}
