internal import Store
internal import Synchronization

/// Where an image's space comes from.
enum SpaceRequest: Sendable {
  /// Reserved now; it grows as the image arrives.
  case new(Int64)
  /// An upload of this length: there must be room for it, and it gets that as it arrives.
  case announced(Int64)
  /// A part of what was reserved before money was spent.
  case part(of: ReservedSpace, Int64)

  func reservation(in store: Store) throws(StoreFailure) -> Reservation {
    switch self {
    case .new(let bytes): try store.reserve(bytes)
    case .announced(let bytes): try store.reserve(announced: bytes)
    case .part(let space, let bytes): space.take(bytes)
    }
  }
}

/// Space that was promised before money is spent, and is handed out to the images as they come.
final class ReservedSpace: Sendable {
  private let rest: Mutex<Reservation>

  /// Reserves `bytes` of the store.
  init(_ bytes: Int64, in store: Store) throws(StoreFailure) {
    rest = Mutex(try store.reserve(bytes))
  }

  /// A part of it for one image; an image grows beyond its part by itself.
  func take(_ bytes: Int64) -> Reservation { rest.withLock { $0.split(bytes) } }
}
