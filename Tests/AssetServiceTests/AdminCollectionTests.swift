import SQLite
import Testing
import Wire

@testable import AssetService
@testable import Store

/// An operator's collection of many assets, each of them named.
@Suite struct AdminCollectionTests {
  /// So many assets on the bytes of one, all of which expired long ago.
  private func expire(_ count: Int, _ service: TestService) async throws {
    _ = try service.host(TestImages.png(seed: 3), "?ttl=3600")
    try await service.service.context.store.write { (session) throws(StoreFailure) in
      try catalog(.record) { () throws(SQLiteFailure) in
        try session.connection.execute(
          """
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
          INSERT INTO assets (id, digest, bytes, owner, retention, created_at, expires_at, used_at)
          SELECT randomblob(16), digest, bytes, owner, retention, created_at, 1 + i % 7, used_at
          FROM assets, n
          """)
      }
    }
  }

  /// More lines than are held in memory: all of them come, in the order of the plan, and the sums
  /// behind them.
  @Test func aLongListIsWhole() async throws {
    try await withService { service in
      try await expire(12_000, service)
      var named: [[String]] = []
      for isDryRun in [true, false] {
        let answer = try service.admin(
          "POST", "/admin/gc", "{\"dry_run\":\(isDryRun),\"list\":true}")
        #expect(answer.status == 200)
        #expect(answer["Content-Type"] == "application/x-ndjson")
        #expect(answer.body.count > 2 * Spool.writeBytes)
        let lines = try answer.body.split(separator: UInt8(ascii: "\n")).map {
          try JSONValue.parse($0.span)
        }
        named.append(lines.prefix { $0["id"] != nil }.compactMap { $0["id"]?.string })
        #expect(lines.last?["assets"]?.int == 12_000 && lines.last?["unlisted"] == nil)
        #expect(lines.count == 12_000 + 3 + 1)
      }
      #expect(named[0].count == 12_000 && Set(named[0]) == Set(named[1]))
      #expect(try hasNoIncoming(service.root))
      #expect(try service.assets == 1)
    }
  }
}
