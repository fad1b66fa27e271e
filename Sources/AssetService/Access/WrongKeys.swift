// How many wrong keys an address may send (A8). A key of 256 random bits is not guessed, so this is
// about cost and noise: a good key passes from any address, also from one that many share and one
// of them misuses.
internal import Synchronization
internal import Wire

/// Wrong keys by network, for all loops: about twenty a minute each, in a table that never grows.
///
/// A bucket per network leaks one wrong key every three seconds, and holds twenty.
final class WrongKeys: Sendable {
  /// The time that one wrong key counts for, nanoseconds.
  private static let cost: Int64 = 3_000_000_000
  /// How much a bucket holds, nanoseconds.
  private static let burst: Int64 = 60_000_000_000
  /// Places for one hash; the table has 4,096 in all.
  private static let ways = 4
  private static let sets = 1024

  private struct Bucket {
    var network: IPAddress?
    /// When it is empty again, on the monotonic clock.
    var emptyAt: Int64 = .min
  }
  private let buckets = Mutex([Bucket](repeating: Bucket(), count: ways * sets))

  /// Counts a wrong key from `address` at `now`, nanoseconds of the monotonic clock.
  ///
  /// - Returns: `nil`, or when there were too many, in how many seconds the next one is answered.
  func count(from address: IPAddress, now: Int64) -> Int? {
    let network = Self.network(of: address)
    var hasher = Hasher()
    hasher.combine(network)
    let first = Int(UInt(bitPattern: hasher.finalize()) % UInt(Self.sets)) * Self.ways
    return buckets.withLock { buckets in
      // Whom the table has no room for takes the place of the one that is empty soonest.
      var place = first
      for index in first..<first + Self.ways {
        if buckets[index].network == network {
          place = index
          break
        }
        if buckets[index].emptyAt < buckets[place].emptyAt { place = index }
      }
      if buckets[place].network != network { buckets[place] = Bucket(network: network) }
      let filled = max(buckets[place].emptyAt, now) + Self.cost
      let excess = filled - now - Self.burst
      guard excess <= 0 else { return Int((excess + 999_999_999) / 1_000_000_000) }
      buckets[place].emptyAt = filled
      return nil
    }
  }

  /// Whoever has one address of an IPv6 /64 has them all.
  private static func network(of address: IPAddress) -> IPAddress {
    if case .v6(let high, _) = address.unmapped { return .v6(high: high, low: 0) }
    return address.unmapped
  }
}
