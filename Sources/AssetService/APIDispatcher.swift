// The calls of the API by route and method: the list that a newcomer reads first.
internal import Configuration
internal import HTTPServer
internal import Net
internal import Store
internal import Wire

/// What a loop's service is made of, beside what is shared.
struct LoopParts: Sendable {
  /// How many assets a loop keeps open.
  let openAssets: Int
  /// How much of the catalogue its deliveries keep in memory.
  let pageCacheBytes: Int
  let cachePolicy: CachePolicy
  let catalog: ModelCatalog
  let settings: Settings
  let lookups: HostLookups
  /// Whom upstreams must prove to be; made once, as it reads the system's certificates.
  let trust: TLSTrust
}

/// Finds the handler of a call.
struct APIDispatcher {
  private let health: HealthHandlers
  private let assets: AssetHandlers
  private let conversion: ConvertHandler
  private let generation: GenerationHandler
  private let catalog: ModelCatalog
  private let admin: AdminHandlers
  private let metrics: MetricsHandler
  private let mode: Settings.Auth.Mode

  init(
    _ context: ServiceContext, _ parts: LoopParts, desk: UpstreamDesk, reader: CatalogReader,
    patience: Patience
  ) {
    health = HealthHandlers(context: context)
    assets = AssetHandlers(context: context, reader: reader)
    conversion = ConvertHandler(context: context, reader: reader)
    generation = GenerationHandler(
      context: context, catalog: parts.catalog, desk: desk, reader: reader, patience: patience)
    catalog = parts.catalog
    admin = AdminHandlers(context: context, reader: reader)
    metrics = MetricsHandler(
      context: context, reader: reader, upstreams: context.gates.counters)
    mode = context.settings.auth.mode
  }

  /// The calls that need no key.
  func answerOpenly(_ route: Route, _ request: Request) throws -> Response? {
    let isRead = request.head.method == .get || request.head.method == .head
    switch route {
    case .health where isRead: return health.alive
    case .readiness where isRead: return health.ready
    case .openAPI where isRead: return OpenAPIDocument.response
    case .health, .readiness, .openAPI: throw Failure.methodNotAllowed(on: route)
    default: return nil
    }
  }

  /// The calls of a known caller.
  func answer(
    _ route: Route, _ call: Call, on loop: isolated EventLoop
  ) async throws -> Response {
    switch (route, call.request.head.method) {
    case (.generations, .post):
      try call.refuseLaterAnswer()
      return try await generation.answer(call, on: loop)
    case (.convert, .post): return try await conversion.convert(call)
    case (.models, .get), (.models, .head): return try models(call)
    case (.model(let id), .get), (.model(let id), .head): return try model(id, call)
    case (.assets, .post): return try await assets.create(call)
    case (.assets, .get), (.assets, .head): return try await assets.list(call)
    case (.asset(let id), .get), (.asset(let id), .head): return try await assets.show(id, call)
    case (.asset(let id), .patch): return try await assets.change(id, call)
    case (.asset(let id), .delete): return try await assets.delete(id, call)
    case (.links(let id), .post): return try await assets.link(id, call)
    case (.admin(let name), _): return try await admin.answer(name, call)
    case (.metrics, .get), (.metrics, .head): return try await scrape(call)
    default: throw Failure.methodNotAllowed(on: route)
    }
  }

  private func models(_ call: Call) throws -> Response {
    try call.caller.require(.generate)
    return catalog.list
  }

  private func model(_ id: String, _ call: Call) throws -> Response {
    try call.caller.require(.generate)
    return try catalog.show(id)
  }

  /// Numbers of all owners: for a scope of its own, or in open mode everyone on this machine.
  private func scrape(_ call: Call) async throws -> Response {
    if mode == .keys { try call.caller.require(.metrics) }
    return try await metrics.answer()
  }
}
