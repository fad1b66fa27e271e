internal import SQLite

/// Temporary assets past their expiry and a grace.
struct ExpiredPolicy: AssetPolicy {
  /// Seconds after the expiry.
  let grace: Int64

  let removal = CatalogSQL.collectExpired
  let candidates = CatalogSQL.expiredCandidates
  let serials = CatalogSQL.expiredSerials
  let count = CatalogSQL.countExpired

  func bindTime(_ statement: Statement, now: Int64) { statement.bind(1, now - grace) }

  func bind(_ statement: Statement, now: Int64, limit: Int64) {
    bindTime(statement, now: now)
    statement.bind(2, limit)
  }

  func bindPlace(_ statement: Statement, after last: CollectedAsset?) {
    statement.bind(3, last?.expiresAt ?? .min)
    statement.bind(4, last?.place.serial ?? .min)
  }

  func reason(expiresAt: Int64?, now: Int64) -> String {
    "expired \(now - (expiresAt ?? now)) s ago"
  }
}
