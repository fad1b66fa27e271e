internal import SQLite

/// Temporary assets past their expiry and a grace.
struct ExpiredPolicy: AssetPolicy {
  /// Seconds after the expiry.
  let grace: Int64

  let condition = "expires_at IS NOT NULL AND pinned = 0 AND expires_at <= ?1"
  let order = "expires_at, serial"

  func bind(_ statement: Statement, now: Int64) {
    statement.bind(1, now - grace)
  }

  func reason(expiresAt: Int64?, now: Int64) -> String {
    "expired \(now - (expiresAt ?? now)) s ago"
  }
}
