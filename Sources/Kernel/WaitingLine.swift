/// Pieces of work that wait, in the order in which they came.
///
/// An array's `removeFirst` moves up all that are left, and its owner holds a lock meanwhile that
/// an event loop may be waiting for. Here taking the first one moves none, however many wait.
public struct WaitingLine<Element> {
  /// A ring: the line begins at `head`, and goes on at the start behind the end.
  @usableFromInline var places: [Element?] = []
  @usableFromInline var head = 0
  @usableFromInline var length = 0

  /// Places that are kept when none waits; a longer line was a peak.
  @usableFromInline static var mostKept: Int { 1024 }

  /// An empty line.
  @inlinable public init() {}

  /// How many wait.
  @inlinable public var count: Int { length }

  /// Whether none waits.
  @inlinable public var isEmpty: Bool { length == 0 }

  /// The one that came first, which stays; `nil` when none waits.
  @inlinable public var first: Element? { isEmpty ? nil : places[head] }

  /// Puts one behind all others.
  @inlinable public mutating func append(_ element: Element) {
    if length == places.count { grow() }
    let place = head + length
    places[place < places.count ? place : place - places.count] = element
    length += 1
  }

  /// Takes out the one that came first; `nil` when none waits.
  @inlinable public mutating func takeFirst() -> Element? {
    if isEmpty { return nil }
    let first = places[head].take()
    head = head + 1 == places.count ? 0 : head + 1
    length -= 1
    if isEmpty, places.count > Self.mostKept { (places, head) = ([], 0) }
    return first
  }

  @usableFromInline mutating func grow() {
    var longer: [Element?] = []
    longer.reserveCapacity(max(16, 2 * length))
    longer += places[head...]
    longer += places[..<head]
    longer += repeatElement(nil, count: longer.capacity - length)
    (places, head) = (longer, 0)
  }
}
