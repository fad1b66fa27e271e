import SQLite
import Testing

@testable import Store

/// Every statement's plan is known: nothing scans a table, nothing sorts.
@Suite struct CatalogSQLTests {
  /// Statements that may, with what bounds them.
  private static let excused: [(sql: CatalogSQL, step: String, reason: String)] = [
    (.totals, "SCAN totals", "the table has one row"),
    (.keys, "SCAN keys", "on a reading thread; some hundred keys, made by hand"),
    (.largestOwners, "SCAN owners", "on a reading thread; one row per owner"),
    (.largestOwners, "USE TEMP B-TREE FOR ORDER BY", "100 of them are kept"),
    (.assetsOfGeneration, "USE TEMP B-TREE FOR ORDER BY", "the ten images of one generation"),
  ]

  /// A catalogue as a new store makes it, and the writer's session on it.
  private func session(_ scratch: ScratchStore) throws -> CatalogSession {
    try .writing(Connection(path: scratch.path + "/catalog.sqlite", access: .readWrite))
  }

  private func plan(_ sql: CatalogSQL, _ session: CatalogSession) throws -> [String] {
    let statement = try session.connection.prepare("EXPLAIN QUERY PLAN " + sql.text)
    var steps: [String] = []
    while try statement.step() { steps.append(statement.text(3)) }
    return steps
  }

  @Test func nothingScansAndNothingSorts() throws {
    let scratch = try ScratchStore()
    let session = try session(scratch)
    var found: Set<String> = []
    for sql in CatalogSQL.allCases {
      for step in try plan(sql, session)
      where ["SCAN", "TEMP B-TREE", "AUTOMATIC"].contains(where: { step.contains($0) }) {
        let excuse = Self.excused.first { $0.sql == sql && step.hasPrefix($0.step) }
        #expect(excuse != nil, "\(sql): \(step)")
        if let excuse { found.insert("\(sql) \(excuse.step)") }
      }
    }
    #expect(found.count == Self.excused.count, "an excuse that nothing needs: \(found)")
  }

  /// The lists and what runs inside the writer, by name: an index that is there but not taken costs
  /// as much as none.
  @Test(arguments: [
    (CatalogSQL.reusableAsset, "assets_by_digest (digest=? AND owner=? AND retention=?)"),
    (.scanAll, "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    (.scanOwner, "assets_by_owner (owner=? AND serial>? AND serial<?)"),
    (.scanOwnerRetention, "assets_by_owner_retention (owner=? AND retention=? AND serial>?"),
    (.scanOwnerModel, "assets_by_owner_model (owner=? AND model=? AND serial>?"),
    (.collectExpired, "SEARCH assets USING INTEGER PRIMARY KEY (rowid=?)"),
    (.expiredSerials, "assets_by_expiry (expires_at>? AND expires_at<?)"),
    (.perhapsUnused, "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    (.forgetPerhapsUnused, "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    (.expiredCandidates, "assets_by_expiry (expires_at>? AND expires_at<?)"),
    (.expiredCandidates, "assets_by_expiry (expires_at=? AND serial>?)"),
    (.countExpired, "assets_by_expiry (expires_at>? AND expires_at<?)"),
    (.generationByKey, "generations_by_key (owner=? AND idempotency_key=?)"),
    (.blobsOfFolder, "PRIMARY KEY (digest>? AND digest<?)"),
    (.nextBlob, "PRIMARY KEY (digest>?)"),
  ])
  func indexIsTheRightOne(sql: CatalogSQL, step: String) throws {
    let scratch = try ScratchStore()
    let plan = try plan(sql, try session(scratch))
    #expect(plan.contains { $0.contains(step) }, "\(plan)")
  }

  @Test func everyCaseHasAText() {
    for sql in CatalogSQL.allCases { #expect(!sql.text.isEmpty, "\(sql)") }
    #expect(Set(CatalogSQL.allCases.map(\.text)).count == CatalogSQL.allCases.count)
  }
}
