import Foundation
import Kernel
import SQLite
import Synchronization
import Testing
import Wire

@testable import Store

/// Damage of the catalogue, found by the check at the start or by a statement while it runs: no
/// writes, not ready, no collection (STORE.md, "Start").
@Suite struct CatalogueCheckTests {
  /// Brings the log home and overwrites the first page of a table or an index with zeroes.
  private func damage(_ name: String, in root: String) throws {
    let path = root + "/catalog.sqlite"
    let page: Int64
    do {
      let connection = try Connection(path: path, access: .readWrite)
      #expect(try connection.checkpoint(.truncate))
      let sql = "SELECT rootpage FROM sqlite_schema WHERE name = '\(name)'"
      page = try #require(try connection.integer(sql))
    }
    let file = try Directory.open(path: root).file("catalog.sqlite", .readWrite)
    try file.write([UInt8](repeating: 0, count: 4096).span, at: (page - 1) * 4096)
  }

  private func expectReadOnly(_ store: Store) {
    #expect(store.health == .readOnly(.damaged))
    #expect(store.damage != nil)
    let refused = #expect(throws: StoreFailure.self) { _ = try store.reserve(1) }
    #expect(refused?.kind == .readOnly)
    for run in [store.collect, store.plan] {
      let failure = #expect(throws: StoreFailure.self) {
        _ = try run(Policy.builtIn, CollectionOptions(allowsLarge: true)) { _ in }
      }
      #expect(failure?.kind == .damaged)
    }
  }

  @Test(arguments: ["assets", "blobs", "assets_by_digest", "assets_by_expiry", "generations"])
  func damageIsFoundAtTheStart(name: String) async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    let copy = try scratch.copy()
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try damage(name, in: copy)
    let store = try Store(ScratchStore.options(copy, TestClock()))
    defer { store.close() }
    expectReadOnly(store)
    // Reads go on where they can.
    if !name.hasPrefix("assets"), name != "blobs" {
      #expect(try store.reader().asset(asset.id) == asset)
    }
    #expect(try scratch.blobFiles().count == 1)
    await #expect(throws: StoreFailure.self) { _ = try await store.delete(asset.id, owner: nil) }
  }

  @Test func damageIsFoundByAStatement() async throws {
    let scratch = try ScratchStore()
    let asset = try await scratch.put(image(1)).asset
    #expect(scratch.store.health == .good)
    try damage("assets", in: scratch.path)
    let reader = try scratch.store.reader()
    let failure = #expect(throws: StoreFailure.self) { _ = try reader.asset(asset.id) }
    #expect(failure?.kind == .damaged)
    expectReadOnly(scratch.store)
  }

  @Test func damageIsFoundByTheWriter() async throws {
    let scratch = try ScratchStore()
    _ = try await scratch.put(image(1))
    try damage("tombstones", in: scratch.path)
    let failure = await #expect(throws: StoreFailure.self) {
      try await scratch.store.write { (session) throws(StoreFailure) in
        let place = AssetPlace(serial: 1, owner: "local", retention: "permanent")
        try session.bury(AssetID(number: 9), place, .deleted, now: 0)
      }
    }
    #expect(failure?.kind == .damaged)
    expectReadOnly(scratch.store)
  }

  // MARK: - Making way

  /// A look that does not end by itself, and keeps the log from beginning again, until it is told
  /// that the next one may.
  private final class Looks: Sendable {
    private let state = Mutex((begun: 0, isEndless: true, isOver: false))
    /// How many have begun to read.
    var begun: Int { state.withLock { $0.begun } }
    /// Whether one came to its end.
    var isOver: Bool { state.withLock { $0.isOver } }
    func endTheNext() { state.withLock { $0.isEndless = false } }

    var manner: CatalogueCheck.Manner {
      var manner = CatalogueCheck.Manner()
      manner.look = { [self] (connection) throws(SQLiteFailure) in
        let isEndless = state.withLock { $0.isEndless }
        let rows = try connection.prepare(
          """
          WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n)
          SELECT i, (SELECT count(*) FROM meta) FROM n
          """)
        _ = try rows.step()
        state.withLock { $0.begun += 1 }
        while isEndless { _ = try rows.step() }
        state.withLock { $0.isOver = true }
        return nil
      }
      return manner
    }
  }

  private func wait(_ condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while try !condition() {
      try #require(ContinuousClock.now < end)
      await Task.yield()
    }
  }

  /// A failed commit heals while a large catalogue is looked through, and the look comes to its
  /// end.
  @Test func aRecoveryDoesNotWaitForTheLook() async throws {
    let looks = Looks()
    let scratch = try ScratchStore(check: looks.manner)
    let store = scratch.store
    try await wait { looks.begun == 1 }
    let asset = try await scratch.put(image(1)).asset
    WriteFaults.fail(nth: 1, code: 5, thread: store.writer.threadID)
    await #expect(throws: StoreFailure.self) { _ = try await store.delete(asset.id, owner: nil) }
    try await wait { store.health == .good }
    #expect(try await store.delete(asset.id, owner: nil))
    looks.endTheNext()
    try await wait {
      store.check.makingWay {}
      return looks.isOver
    }
    #expect(try store.collect([Policy(.orphans(grace: 3600))]).results.count == 1)
    #expect(store.damage == nil)
  }

  /// The log does not grow with the time that the look takes.
  @Test func aLongLogInterruptsTheLook() async throws {
    let looks = Looks()
    var manner = looks.manner
    manner.logPages = 1000
    let scratch = try ScratchStore(check: manner)
    try await wait { looks.begun == 1 }
    looks.endTheNext()
    let blob = try await scratch.put(image(1)).asset.blob
    try await scratch.store.write { (session) throws(StoreFailure) in
      var new = NewAsset.temporary()
      new.model = String(repeating: "m", count: 3000)
      for _ in 0..<2500 { _ = try session.insert(blob, as: new, now: 0) }
    }
    try scratch.store.check.wait()
    #expect(looks.begun == 2 && scratch.store.damage == nil)
  }

  /// Each time it may last until the log is twice as long: it comes to its end.
  @Test func theLookGetsLongerEachTime() async throws {
    let scratch = try ScratchStore()
    let looks = Looks()
    var manner = looks.manner
    manner.logPages = 1000
    let check = try CatalogueCheck(
      path: scratch.path + "/catalog.sqlite", health: HealthMonitor { _ in }, manner)
    defer { check.stop() }
    try await wait { looks.begun == 1 }
    check.note(logPages: 1000)
    check.note(logPages: 1001)
    try await wait { looks.begun == 2 }
    looks.endTheNext()
    check.note(logPages: 2002)
    check.note(logPages: 2003)
    try check.wait()
    #expect(looks.begun == 3)
  }

  /// Neither damage nor health is found by a look that fails: for the disk, a lock, or want of
  /// memory or descriptors.
  @Test(
    arguments: [(10, nil), (14, "a row is missing"), (5, nil), (7, "a row is missing")]
      as [(Int32, String?)])
  func aLookThatFailsIsTriedAgain(code: Int32, problem: String?) async throws {
    let state = Mutex((count: 0, isFailing: true))
    var manner = CatalogueCheck.Manner()
    manner.look = { (_) throws(SQLiteFailure) in
      let isFailing = state.withLock { state in
        state.count += 1
        return state.isFailing
      }
      if !isFailing { return problem }
      throw SQLiteFailure(extendedCode: code, operation: "quick_check", message: "")
    }
    let scratch = try ScratchStore(check: manner)
    let store = scratch.store
    // Others are not held up by it.
    for run in [store.collect, store.plan] {
      let failure = #expect(throws: StoreFailure.self) {
        _ = try run(Policy.builtIn, CollectionOptions()) { _ in }
      }
      if case .sqlite = failure?.kind { continue }
      Issue.record("\(failure)")
    }
    for count in 2...3 {
      store.check.makingWay {}
      try await wait { state.withLock { $0.count } >= count }
    }
    try await wait { store.health == .good }
    #expect(store.damage == nil && store.failureCount == ([10, 14].contains(code) ? 1 : 0))
    state.withLock { $0.isFailing = false }
    store.check.makingWay {}
    let isSound = try await onThread { () -> Bool in
      while true {
        do throws(StoreFailure) {
          _ = try store.collect(Policy.builtIn)
          return true
        } catch {
          if error.kind == .damaged { return false }
          guard case .sqlite = error.kind else { throw error }
        }
      }
    }
    #expect(isSound == (problem == nil) && store.damage == problem)
  }

  /// Neither the end of a store nor a collection that waits for the look waits for its end.
  @Test func theEndDoesNotWaitForTheLook() async throws {
    let looks = Looks()
    let scratch = try ScratchStore(check: looks.manner)
    let store = scratch.store
    try await wait { looks.begun == 1 }
    let isOver = Mutex(false)
    try KernelThread.start(name: "test-collect") {
      _ = try? store.collect([Policy(.orphans(grace: 3600))])
      isOver.withLock { $0 = true }
    }
    store.stopCollecting()
    try await wait { isOver.withLock { $0 } }
    store.close()
    #expect(store.damage == nil)
  }
}
