import SQLite
import Testing
import Wire

@testable import Store

@Suite struct AssetListsTests {
  /// Assets of two owners on one blob, one a second; the rest of each row depends on its number.
  private func filled(_ count: Int) async throws -> (scratch: ScratchStore, start: Int64) {
    let scratch = try ScratchStore()
    let start = scratch.clock.now
    let blob = try await scratch.put(image(1), .temporary(owner: owner("first"))).asset.blob
    try await scratch.store.write { (session) throws(StoreFailure) in
      for number in 0..<count {
        let name = owner(number % 2 == 0 ? "even" : "odd")
        var new: NewAsset = number % 100 == 0 ? .permanent(owner: name) : .temporary(owner: name)
        new.model = number == 4 ? "rare" : number % 4 == 0 ? "usual" : nil
        _ = try session.insert(blob, as: new, now: start + Int64(number))
      }
    }
    return (scratch, start)
  }

  /// All pages of a list, and how many there were.
  private func all(
    _ query: AssetQuery, _ reader: CatalogReader
  ) throws -> (numbers: [Int64], pages: Int) {
    var (query, assets, pages) = (query, [Asset](), 0)
    while true {
      let page = try #require(try reader.assets(query))
      assets += page.assets
      pages += 1
      #expect(page.assets.count <= query.limit)
      guard page.hasMore else { break }
      let last = try #require(page.last)
      #expect(query.after != last.id, "every page goes on")
      query.after = last.id
    }
    return (assets.map { $0.createdAt - TestClock.start }, pages)
  }

  @Test func filtersFindWhatThereIs() async throws {
    let (scratch, start) = try await filled(1000)
    let reader = try scratch.store.reader()
    for name in [owner("even"), nil] {
      for scanLimit in [10_000, 7] {
        func numbers(_ set: (inout AssetQuery) -> Void) throws -> [Int64] {
          var query = AssetQuery(owner: name, limit: 30)
          query.scanLimit = scanLimit
          set(&query)
          return try all(query, reader).numbers
        }
        let hundreds = (0..<10).reversed().map { Int64($0 * 100) }
        #expect(try numbers { $0.retention = .permanent } == hundreds)
        #expect(try numbers { $0.model = "rare" } == [4])
        #expect(try numbers { $0.model = "none" } == [])
        #expect(try numbers { ($0.model, $0.retention) = ("usual", .permanent) } == hundreds)
        let step = name == nil ? 1 : 2
        let since = Array(stride(from: 998, to: 990, by: -2)).map(Int64.init)
        #expect(
          try numbers { $0.createdAfter = start + 990 }
            == (name == nil ? (991...999).reversed().map { $0 } : since))
        #expect(try numbers { $0.createdAfter = start + 1000 } == [])
        #expect(
          try numbers { ($0.createdAfter, $0.createdBefore) = (start + 99, start + 105) }
            == stride(from: 104, through: 100, by: -step).map { Int64($0) })
        // The first one, which made the blob, was made at the very start too.
        let first: [Int64] = name == nil ? [1, 0, 0] : [0]
        #expect(try numbers { $0.createdBefore = start + 2 } == first)
      }
    }
  }

  /// A client may send any number.
  @Test(arguments: [Int64.min, .min + 1, 0, .max - 1, .max])
  func anyTimeIsATime(_ time: Int64) async throws {
    let (scratch, _) = try await filled(10)
    let reader = try scratch.store.reader()
    let all = try #require(try reader.assets(AssetQuery(owner: nil)))
    let before = try reader.assets(AssetQuery(owner: nil, createdBefore: time))
    #expect(before?.assets.count == (time > TestClock.start + 10 ? all.assets.count : 0))
    let after = try reader.assets(AssetQuery(owner: nil, createdAfter: time))
    #expect(after?.assets.count == (time > TestClock.start ? 0 : all.assets.count))
  }

  /// A4: whatever the filter, one page looks at so many rows and no more.
  @Test func onePageLooksAtABoundedNumberOfRows() async throws {
    let (scratch, start) = try await filled(1000)
    let reader = try scratch.store.reader()
    func pages(_ set: (inout AssetQuery) -> Void) throws -> Int {
      var query = AssetQuery(owner: nil, limit: 1000)
      query.scanLimit = 50
      set(&query)
      return try all(query, reader).pages
    }
    #expect(try pages { $0.model = "none" } == 21)
    // Half of the rows are of the owner; of those, the index knows the kind and the model.
    #expect(try pages { ($0.owner, $0.createdBefore) = (owner("even"), start + 1000) } == 10)
    #expect(try pages { ($0.owner, $0.model) = (owner("even"), "none") } == 1)
    #expect(try pages { ($0.owner, $0.retention) = (owner("odd"), .permanent) } == 1)
    // Times bound the scan itself, but for the minute by which a clock may be put back.
    #expect(try pages { $0.createdAfter = start + 5000 } == 1)
    #expect(try pages { $0.createdBefore = start } == 2)
    #expect(AssetQuery(owner: nil).scanLimit == 10_000)
  }

  /// A page that ended somewhere goes on there, although what ended it expired and was collected,
  /// which leaves no tombstone.
  @Test func pagesGoOnBehindWhatWasCollected() async throws {
    let scratch = try ScratchStore()
    let now = scratch.clock.now
    var ids: [AssetID] = []
    for seed in 0..<4 {
      let new = NewAsset.temporary(until: now + (seed == 2 ? 1 : 9999), owner: owner("gw1"))
      ids.append(try await scratch.put(image(seed), new).asset.id)
    }
    func page(_ name: Owner?, after: AssetID?) async throws -> [AssetID]? {
      try await scratch.store.list(AssetQuery(owner: name, after: after, limit: 2)) {
        $0.assets.map(\.id)
      }
    }
    #expect(try await page(owner("gw1"), after: nil) == [ids[3], ids[2]])
    scratch.clock.advance(10)
    #expect(try scratch.store.collect([Policy(.expired(grace: 0))]).results[0].assets == 1)
    #expect(try scratch.store.reader().lookUp(ids[2]) == .unknown)
    #expect(try await page(owner("gw1"), after: ids[2]) == [ids[1], ids[0]])
    #expect(try await page(nil, after: ids[2]) == [ids[1], ids[0]])
    #expect(try await page(owner("gw2"), after: ids[2]) == nil, "another owner's is unknown")
  }

  @Test func placesOfListsAreForgottenInTheirOrder() {
    let places = ListPlaces(limit: 3)
    func place(_ number: UInt8) -> AssetPage.Place {
      AssetPage.Place(id: AssetID(number: UInt128(number)), serial: Int64(number), owner: .local)
    }
    for number: UInt8 in [1, 2, 2, 3, 4, 5] { places.note(place(number)) }
    let known = (1...5).map { places.serial(of: AssetID(number: UInt128($0)), owner: nil) }
    #expect(known == [nil, nil, 3, 4, 5])
    #expect(places.serial(of: AssetID(number: 5), owner: owner("x")) == nil)
  }

  @Test func closedStoreReadsNothing() async throws {
    let scratch = try ScratchStore()
    #expect(try await scratch.store.read { try $0.totals().assets } == 0)
    scratch.store.close()
    await #expect(throws: StoreFailure.self) { try await scratch.store.read { _ in } }
  }
}
