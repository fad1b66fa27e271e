internal import Synchronization

/// When keys were used last: collected in memory, because a request must not wait for a write.
public final class KeyUses: Sendable {
  private let unwritten = Mutex<[Int64: Int64]>([:])

  init() {}

  /// Notes that the key with this id was used at `now`, in unix seconds.
  public func note(_ id: Int64, at now: Int64) {
    unwritten.withLock { $0[id] = max($0[id] ?? now, now) }
  }

  /// What is not in the catalogue yet, by the ids of the keys.
  public var latest: [Int64: Int64] { unwritten.withLock { $0 } }

  /// The same; it is somebody else's to keep from now on.
  func take() -> [Int64: Int64] {
    unwritten.withLock { unwritten in
      defer { unwritten = [:] }
      return unwritten
    }
  }
}
