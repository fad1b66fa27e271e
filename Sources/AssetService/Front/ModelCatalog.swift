// The models of the front (API.md §3): which names there are, and which upstreams answer for them.
internal import Configuration
internal import HTTPServer
internal import Wire

/// The configured models.
struct ModelCatalog: Sendable {
  private let models: [Settings.Model]
  private let upstreams: [String: Settings.Upstream]
  /// Whose upstreams can not be called: an order for one is 503, and clients are not shown it.
  private let unusable: Set<String>
  /// Since when they are there, as far as clients can tell: the start of the service.
  private let created: Int64

  init(_ settings: Settings, startedAt: Int64) {
    models = settings.models
    unusable = Set(settings.unusableModels.map(\.id))
    upstreams = Dictionary(uniqueKeysWithValues: settings.upstreams.map { ($0.name, $0) })
    created = startedAt
  }

  /// The entry for a name; the first entry without one.
  ///
  /// - Throws: 404 `model_not_found`, as OpenAI spells it.
  func model(named name: String?) throws(Failure) -> Settings.Model {
    guard let name else {
      guard let first = models.first, first.id != "*" else {
        throw .badRequest("Name a \"model\".", param: "model")
      }
      return first
    }
    if let exact = models.first(where: { $0.id == name }) { return exact }
    guard let rest = models.first(where: { $0.id == "*" }) else { throw .modelNotFound(name) }
    return rest
  }

  /// The upstreams of a model that can be called, in the order of failover.
  ///
  /// - Throws: 503 `upstream_not_configured` when none can.
  func upstreams(of model: Settings.Model) throws(Failure) -> [Settings.Upstream] {
    let all = model.upstreams.compactMap { upstreams[$0] }
    let usable = all.filter { $0.obstacle == nil }
    guard usable.isEmpty else { return usable }
    // Which variable is not set is for the log of the start: it may be a key by mistake.
    var failure = Failure(
      503, .server, "upstream_not_configured",
      "The model \"\(model.id)\" can not be used: its upstream is not configured.",
      shouldRetry: false)
    failure.facts.upstream = model.upstreams.first
    throw failure
  }

  /// The models that clients are shown: those with names of their own that can be used.
  private var shown: some Sequence<Settings.Model> {
    models.lazy.filter { $0.id != "*" && !unusable.contains($0.id) }
  }

  /// `GET /v1/models`
  var list: Response {
    let body: JSONValue = ["object": "list", "data": .array(shown.map(json))]
    return Response(status: 200, json: body.bytes)
  }

  /// `GET /v1/models/{id}`; of the same models as the list.
  func show(_ id: String) throws(Failure) -> Response {
    guard let model = shown.first(where: { $0.id == id }) else { throw .modelNotFound(id) }
    return Response(status: 200, json: json(model).bytes)
  }

  private func json(_ model: Settings.Model) -> JSONValue {
    [
      "id": .string(model.id), "object": "model", "created": .number(JSONNumber(created)),
      "owned_by": .string(model.upstreams.first ?? "assetd"), "type": "image_generation",
      "sizes": model.sizes.map { .array($0.map { .string($0) }) } ?? .null,
      "max_n": .number(JSONNumber(model.maxN)),
    ]
  }
}

extension Failure {
  static func modelNotFound(_ name: String) -> Failure {
    Failure(
      404, .invalidRequest, "model_not_found", "The model \"\(name.shownName)\" does not exist.",
      param: "model")
  }
}
