// Upstreams and models.

extension SettingsLoader {
  mutating func readUpstreams(_ top: inout Section) {
    guard let item = top.take("upstreams") else { return }
    places.upstreams = item
    var names: Set<String> = []
    let upstreams = item.list { item in
      let upstream = upstream(item)
      if let upstream, !upstream.name.isEmpty, !names.insert(upstream.name).inserted {
        item.fail("two upstreams are named \(quoted(upstream.name))")
      }
      return upstream
    }
    places.areUpstreamsKnown = upstreams?.allSatisfy { !$0.name.isEmpty } ?? false
    settings.upstreams = upstreams ?? []
  }

  private func upstream(_ item: Item) -> Settings.Upstream? {
    var upstream: Settings.Upstream?
    item.section { section in
      let name = section.require("name") { $0.name() }
      let dialect = section.require("dialect") { $0.choice(Settings.Dialect.self) }
      // Read on without a name or a dialect, for the other keys' problems.
      var found = Settings.Upstream(name: name ?? "", dialect: dialect ?? .openai)
      section.readNullable("base_url", into: &found.baseURL) { $0.baseURL() }
      found.apiKey = secret("api_key", in: &section).0
      section.read("max_concurrent", into: &found.maxConcurrent) { $0.integer(1...65_536) }
      section.read("unknown_parameters", into: &found.unknownParameters) {
        $0.choice(Settings.Upstream.UnknownParameters.self)
      }
      if dialect?.isRemote == true, found.baseURL == nil {
        section.item.fail("\"base_url\" is missing")
      }
      upstream = found
    }
    return upstream
  }

  mutating func readModels(_ top: inout Section) {
    guard let item = top.take("models") else { return }
    places.hasModels = true
    var ids: Set<String> = []
    var uses: [(name: String, item: Item)] = []
    let models = item.list { item in
      let model = model(item, &uses)
      if let model, !model.id.isEmpty, !ids.insert(model.id).inserted {
        item.fail("two models have the id \(quoted(model.id))")
      }
      return model
    }
    settings.models = models ?? []
    places.upstreamUses = uses
  }

  private func model(
    _ item: Item, _ uses: inout [(name: String, item: Item)]
  ) -> Settings.Model? {
    var model: Settings.Model?
    item.section { section in
      let id = section.require("id") { $0.label() }
      let upstreams = section.require("upstream") { item in
        item.oneOrMore { item in
          let name = item.string()
          if let name { uses.append((name, item)) }
          return name
        }
      }
      var found = Settings.Model(id: id ?? "", upstreams: upstreams ?? [])
      section.readNullable("upstream_model", into: &found.upstreamModel) { $0.label() }
      section.read("timeout", into: &found.timeout) { $0.timeout() }
      section.read("expected_bytes", into: &found.expectedBytes) { $0.bytes() }
      section.read("max_n", into: &found.maxN) { $0.integer(1...10) }
      section.readNullable("sizes", into: &found.sizes) { item in
        item.oneOrMore { $0.label() }
      }
      section.readNullable("response_format", into: &found.responseFormat) {
        $0.choice(Settings.ResponseFormat.self)
      }
      section.readNullable("retention", into: &found.retention) {
        $0.choice(Settings.Retention.self)
      }
      section.readNullable("cache", into: &found.cache) { $0.time(atLeast: .seconds(1)) }
      model = found
    }
    return model
  }
}
