// Lists, newest first. A page costs at most `AssetQuery.scanLimit` rows, whatever the filters are:
// the scan steps over the rows of one index, and what the index does not tell is looked at row by
// row. A page that ends for that reason says where the next one begins.
internal import SQLite
internal import Wire

extension CatalogSession {
  /// A page of assets; `nil` when `query.after` never was there, is another owner's than the
  /// query's, or is forgotten.
  func assets(_ query: AssetQuery) throws(StoreFailure) -> AssetPage? {
    var end = Int64.max
    if let serial = query.afterSerial {
      end = serial
    } else if let after = query.after {
      guard let serial = try place(of: after, owner: query.owner) else { return nil }
      end = serial
    }
    var start = Int64(0)
    if let time = query.createdAfter {
      start = try firstSerial(createdAfter: Self.earlier(time))
    }
    if let time = query.createdBefore {
      end = min(end, try firstSerial(createdAfter: Self.later(time)))
    }
    return try scan(query, start..<max(start, end))
  }

  /// Serials follow the time of creation, but for what a clock that was put back did.
  private static let clockSlack = ClockGuard.maxBack

  // Both stop at the ends of the type: a client may send any number.
  private static func earlier(_ time: Int64) -> Int64 {
    max(time, .min + clockSlack) - clockSlack
  }
  private static func later(_ time: Int64) -> Int64 {
    min(time, .max - clockSlack) + clockSlack
  }

  // MARK: One page

  private func scan(_ query: AssetQuery, _ range: Range<Int64>) throws(StoreFailure) -> AssetPage {
    var page = AssetPage()
    var steps = 0
    var seen: AssetPage.Place?
    var shown: AssetPage.Place?
    try each(query.scan) {
      query.bind($0, range)
    } fail: {
      StoreFailure(.read, $0)
    } _: { (row) throws(StoreFailure) in
      steps += 1
      guard let place = AssetPage.Place(row: row) else { return true }
      let isMatch = row.integer(3) == 1
      if steps > query.scanLimit || (isMatch && page.assets.count == query.limit) {
        page.hasMore = true
        return false
      }
      seen = place
      guard isMatch, let asset = try asset(serial: place.serial) else { return true }
      page.assets.append(asset)
      shown = place
      return true
    }
    // A page that the limit of the scan cut short goes on behind the last row that it looked at.
    page.last = page.hasMore && page.assets.count < query.limit ? seen : shown
    return page
  }

  private func asset(serial: Int64) throws(StoreFailure) -> Asset? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(.assetBySerial, { $0.bind(1, serial) }, Asset.init(row:)) ?? nil
    }
  }

  /// Where an asset stands in lists, or stood: whoever deletes what a page shows can go on with the
  /// next.
  private func place(of id: AssetID, owner: Owner?) throws(StoreFailure) -> Int64? {
    try catalog(.read) { () throws(SQLiteFailure) in
      try one(.place) {
        $0.bind(1, id)
        $0.bind(2, owner?.name)
      } _: {
        $0.integer(0)
      }
    }
  }

  // MARK: Times

  /// The first serial of an asset that was made after `time`, in unix seconds; one that no asset
  /// has yet when there is none. Halves the range some twenty times instead of reading it.
  private func firstSerial(createdAfter time: Int64) throws(StoreFailure) -> Int64 {
    try catalog(.read) { () throws(SQLiteFailure) in
      var low = Int64(0)
      var high = (try one(.newestSerial, { _ in }, { $0.integer(0) }) ?? 0) + 1
      while low < high {
        let middle = low + (high - low) / 2
        let row = try one(.creationFrom, { $0.bind(1, middle) }) {
          (serial: $0.integer(0), createdAt: $0.integer(1))
        }
        if let row, row.createdAt <= time { low = row.serial + 1 } else { high = middle }
      }
      return low
    }
  }
}

extension AssetQuery {
  /// The statement whose index takes over most of the filters.
  fileprivate var scan: CatalogSQL {
    if owner == nil { return .scanAll }
    if model != nil { return .scanOwnerModel }
    return retention != nil ? .scanOwnerRetention : .scanOwner
  }

  fileprivate func bind(_ statement: Statement, _ range: Range<Int64>) {
    statement.bind(1, range.lowerBound)
    statement.bind(2, range.upperBound)
    statement.bind(3, retention?.rawValue)
    statement.bind(4, model)
    statement.bind(5, createdAfter ?? .min)
    statement.bind(6, createdBefore ?? .max)
    if let owner { statement.bind(7, owner.name) }
  }
}

extension AssetPage.Place {
  /// serial, id, owner
  fileprivate init?(row: Statement) {
    guard let id = row.id(1, AssetID.self) else { return nil }
    self.init(id: id, serial: row.integer(0), owner: Owner(stored: row.text(2)))
  }
}
