import Foundation
import Kernel
import SQLite
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
}
