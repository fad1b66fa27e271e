internal import Store

/// The orders that wait for one upstream. Owners take turns, whoever came first with however many:
/// each one's next order waits for one of every other owner's, and no owner has all the places.
struct UpstreamLine {
  /// A line that is longer says so at once instead.
  ///
  /// Shorter than the number of orders that may run at once (`ServiceLimits.generations`): one
  /// upstream that is slow leaves room for the orders of others.
  static let longest = 256
  /// The places that one owner may have: others find room, however many orders one of them sends.
  static let mostOfOneOwner = longest / 4 * 3

  /// Owners with orders that wait, the next one first.
  private var turns: [Owner] = []
  /// Each one's orders, the oldest first; never none.
  private var places: [Owner: [PlaceInLine]] = [:]

  /// All who wait.
  var all: [PlaceInLine] { places.values.flatMap { $0 } }

  /// A place behind the owner's others; `nil` when there is none left.
  mutating func join(_ owner: Owner) -> PlaceInLine? {
    // Places whose time was over are no line.
    let waiting = places.compactMapValues { places in
      let rest = places.filter(\.isWaiting)
      return rest.isEmpty ? nil : rest
    }
    turns.removeAll { waiting[$0] == nil }
    places = waiting
    let count = places.values.reduce(0) { $0 + $1.count }
    guard count < Self.longest, places[owner, default: []].count < Self.mostOfOneOwner else {
      return nil
    }
    let place = PlaceInLine()
    if places[owner] == nil { turns.append(owner) }
    places[owner, default: []].append(place)
    return place
  }

  /// Takes out the next one's oldest place, which may have ended by itself meanwhile; `nil` when
  /// nobody waits.
  mutating func next() -> PlaceInLine? {
    guard !turns.isEmpty else { return nil }
    let owner = turns.removeFirst()
    guard var own = places[owner], !own.isEmpty else { return next() }
    let place = own.removeFirst()
    places[owner] = own.isEmpty ? nil : own
    if !own.isEmpty { turns.append(owner) }
    return place
  }

  /// Takes out all.
  mutating func removeAll() -> [PlaceInLine] {
    defer { self = UpstreamLine() }
    return all
  }
}
