internal import Configuration
internal import Links
internal import Net
internal import Store
internal import Wire

/// What all loops share, and what never changes while the service runs.
struct ServiceContext: Sendable {
  let settings: Settings
  let store: Store
  let limits: ServiceLimits
  let shares: DescriptorShares
  /// For the API: files and catalogue.
  let workers: Workers
  /// For delivery: files that are not in memory. Uploads that queue for a thread do not delay it.
  let coldReaders: ColdReaders
  /// For the names of upstreams.
  let lookups: HostLookups
  let budgets: CallBudgets
  let linkKeys: LinkKeys
  let bases: BaseSettings
  let log: LogSink
  let state: ServiceState
  let wrongKeys = WrongKeys()
  let metrics = Metrics()
  /// Who may call which upstream.
  let gates: UpstreamGates
  /// The paid calls that run now.
  let purchases = PurchasesUnderWay()
  /// Paid images that can not be stored.
  let rescues = RescueMemory()
  /// Entries of conversions that can not be hosted.
  let conversions = RescueMemory()

  /// Lets all threads end.
  func stopWorkers() {
    workers.stop()
    lookups.stop()
    coldReaders.stop()
  }

  /// Makes and checks links with the keys of now.
  var links: LinkVerifier { linkKeys.verifier }

  /// Unix seconds.
  var now: Int64 { store.now() }

  /// A space that one hosted image of unknown size begins with; it grows as the image arrives.
  static let firstReservation: Int64 = 256 << 10
}
