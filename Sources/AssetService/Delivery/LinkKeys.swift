internal import Links
internal import Synchronization

/// The keys of links, for all loops: they change while the service runs, when the key ring's file
/// does (API.md §7).
final class LinkKeys: Sendable {
  private let current: Mutex<LinkVerifier>
  private let generation = Atomic<Int>(0)

  init(_ verifier: LinkVerifier) { current = Mutex(verifier) }

  /// The verifier of now.
  var verifier: LinkVerifier { current.withLock { $0 } }

  /// Counts the changes; a loop that has read this many need not look at the verifier again.
  var changes: Int { generation.load(ordering: .acquiring) }

  /// From now on no other keys are good: each loop sees it with its next request.
  func replace(with verifier: LinkVerifier) {
    current.withLock { $0 = verifier }
    generation.add(1, ordering: .releasing)
  }
}
