// From the configuration to what each part asks for: one initialiser per part.
internal import Configuration
internal import HTTPServer
internal import Kernel
internal import Links
internal import Net
internal import Store
internal import Wire

extension StoreOptions {
  init(_ settings: Settings) {
    self.init(
      root: settings.storage.root, maxBytes: settings.storage.maxBytes,
      minFreeBytes: settings.storage.minFreeBytes,
      limits: ImageLimits(
        bytes: settings.limits.imageBytes, pixels: Int64(settings.limits.imagePixels)),
      keyringFile: settings.storage.keyringFile,
      newKeyring: { KeyRing.create(now: SystemClock.wallSeconds).json() })
    scrub = settings.storage.scrub.map {
      ScrubPace(interval: $0.interval.wholeSeconds, rate: $0.rate)
    }
  }
}

extension ServerLimits {
  init(_ limits: Settings.Limits, _ shares: DescriptorShares) {
    self.init()
    connections = min(limits.connections, shares.connections)
    connectionsPerAddress = limits.connectionsPerAddress
    headerTimeout = limits.headerTimeout.nanoseconds
    idleTimeout = limits.idleTimeout.nanoseconds
  }
}

extension BaseSettings {
  init(_ settings: Settings, _ state: ServiceState) {
    self.init(
      publicURL: settings.publicURL?.description, trustedProxies: settings.trustedProxies,
      state: state, configured: settings.listen.first)
  }
}

extension LoopParts {
  /// Pages of the catalogue that deliveries keep in memory, over all loops: some 200,000 assets.
  private static let pageCacheBytes = 64 << 20

  init(_ context: ServiceContext, loops: Int) throws {
    let settings = context.settings
    self.init(
      openAssets: min(context.limits.openAssets, context.shares.openAssets),
      pageCacheBytes: max(4 << 20, Self.pageCacheBytes / max(1, loops)),
      cachePolicy: CachePolicy(settings), catalog: ModelCatalog(settings, startedAt: context.now),
      settings: settings, lookups: context.lookups,
      trust: try TLSTrust())
  }
}

extension CachePolicy {
  init(_ settings: Settings) {
    let takesPermanent = settings.collection.policies.contains { policy in
      switch policy.rule {
      case .expired, .orphans, .records: false
      case .idle(_, let selection), .maxAge(_, let selection),
        .ownerSize(_, _, let selection), .totalSize(_, _, let selection):
        selection.retentions.contains(.permanent)
      }
    }
    self.init(cap: settings.cacheMaxAge?.wholeSeconds, collectsPermanent: takesPermanent)
  }
}
