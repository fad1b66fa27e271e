internal import Synchronization
internal import Wire

/// Where pages of lists ended: who pages through a list goes on, although the asset that ended the
/// page has expired and was collected meanwhile, which leaves no tombstone. In memory, the oldest
/// forgotten first, and all of them at a restart. A client with such a place is told that it is not
/// known (400, `after`), as any id that never was: it never gets a list that begins or ends
/// elsewhere. All other places are in the catalogue: assets, and tombstones.
final class ListPlaces: Sendable {
  private struct State {
    var places: [AssetID: AssetPage.Place] = [:]
    /// The ids in the order in which they came, in a ring.
    var order: [AssetID] = []
    var next = 0
  }
  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int = 16_384) { self.limit = limit }

  /// Remembers the end of a page.
  func note(_ place: AssetPage.Place) {
    state.withLock { state in
      guard state.places.updateValue(place, forKey: place.id) == nil else { return }
      guard state.order.count == limit else { return state.order.append(place.id) }
      state.places[state.order[state.next]] = nil
      state.order[state.next] = place.id
      state.next = (state.next + 1) % limit
    }
  }

  /// The serial of an asset that ended a page of `owner`'s, or of everyone's for `nil`.
  func serial(of id: AssetID, owner: Owner?) -> Int64? {
    state.withLock { state in
      guard let place = state.places[id], owner == nil || place.owner == owner else { return nil }
      return place.serial
    }
  }
}
