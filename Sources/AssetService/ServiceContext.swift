internal import Configuration
internal import Links
internal import Net
internal import Store
internal import Wire

/// What all loops share, and what never changes while the service runs.
struct ServiceContext: Sendable {
  let settings: Settings
  let store: Store
  let workers: Workers
  let links: LinkVerifier
  let bases: BaseSettings
  let log: LogSink
  let state: ServiceState
  let metrics = Metrics()

  /// Unix seconds.
  var now: Int64 { store.now() }

  /// A space that one hosted image of unknown size begins with; it grows as the image arrives.
  static let firstReservation: Int64 = 256 << 10
}
