internal import Synchronization
public import Wire

/// Last fetches in memory: one time per asset, written in batches by `Store.flushAccessLog`.
public final class AccessLog: Sendable {
  private let latest = Mutex<[AssetID: Int64]>([:])

  /// Assets remembered between two flushes; more are not noted until then.
  public static let limit = 65_536

  init() {}

  /// Notes a fetch at `now`, in unix seconds. A cache calls this at most once a minute per asset.
  public func note(_ id: AssetID, at now: Int64) {
    latest.withLock { latest in
      if let known = latest[id] {
        if known < now { latest[id] = now }
      } else if latest.count < AccessLog.limit {
        latest[id] = now
      }
    }
  }

  /// What was noted since the last call, in the order of the ids.
  func take() -> [(id: AssetID, at: Int64)] {
    let taken = latest.withLock { latest in
      let taken = latest
      latest = [:]
      return taken
    }
    return taken.map { (id: $0.key, at: $0.value) }.sorted { $0.id < $1.id }
  }

  /// Notes again what was taken and could not be written.
  func putBack(_ accesses: ArraySlice<(id: AssetID, at: Int64)>) {
    for access in accesses { note(access.id, at: access.at) }
  }
}
