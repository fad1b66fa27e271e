// From a document to settings: one function per section of the file.

/// What the command line says over the file.
public struct ConfigurationOverrides: Sendable {
  /// `--listen`, as often as it was given.
  public var listen: [String] = []
  /// `--storage`
  public var storageRoot: String?

  /// Nothing is overridden.
  public init() {}
}

extension Settings {
  /// Reads, fills in and checks a configuration; a file of nothing but space and comments is one of
  /// defaults.
  ///
  /// - Parameters:
  ///   - file: nil: the built-in defaults.
  ///   - overrides: flags; they win over the file.
  ///   - environment: the process's variables, for secrets given as `NAME_env`.
  /// - Throws: every problem of the file and of the flags at once. A variable of an upstream's key
  ///   that is unset is none: see `Upstream.obstacle`.
  public static func load(
    _ file: ConfigurationFile?, overrides: ConfigurationOverrides = ConfigurationOverrides(),
    environment: [String: String]
  ) throws(ConfigurationFailure) -> Settings {
    let file = file ?? ConfigurationFile(name: "built-in defaults", bytes: Array("{}".utf8))
    let review = Review(SourceText(name: file.name, bytes: file.bytes))
    var loader = SettingsLoader(review: review, file: file, environment: environment)
    do {
      let isEmpty = JSON5Parser.holdsNothing(file.bytes)
      let document = try JSON5Parser.parse(isEmpty ? Array("{}".utf8) : file.bytes)
      for twice in document.duplicates where !review.isFull {
        let line = review.source.position(of: twice.firstOffset).line
        review.report(
          "duplicate key; it is given on line \(line) already", path: twice.path,
          offset: twice.offset)
      }
      loader.read(document.root)
      loader.findBuiltInKeys()
      loader.apply(overrides)
      loader.check()
    } catch {
      review.report(error.message, path: error.path, offset: error.offset)
    }
    try review.finish()
    return loader.settings
  }
}

/// A load under way.
struct SettingsLoader {
  let review: Review
  let file: ConfigurationFile
  let environment: [String: String]
  var settings = Settings()
  /// Where things stand that are checked against others later.
  var places = Places()

  struct Places {
    /// Every address to listen on; no item: it is built in or a flag's.
    var listen: [(address: ListenAddress, item: Item?)] = []
    var adminListen: [(address: ListenAddress, item: Item?)] = []
    /// The given upstreams.
    var upstreams: Item?
    /// Whether every upstream's name could be read.
    var areUpstreamsKnown = true
    /// Whether the file lists its own models.
    var hasModels = false
    /// Each use of an upstream's name by a model.
    var upstreamUses: [(name: String, item: Item)] = []
  }

  init(review: Review, file: ConfigurationFile, environment: [String: String]) {
    self.review = review
    self.file = file
    self.environment = environment
    places.listen = settings.listen.map { ($0, nil) }
  }

  mutating func read(_ root: JSON5Node) {
    Item(node: root, trail: KeyTrail(), review: review).section { top in
      readAddresses(&top)
      readWeb(&top)
      readStorage(&top)
      readAuth(&top)
      readDefaults(&top)
      readUpstreams(&top)
      readModels(&top)
      readCollection(&top)
      readFetch(&top)
      readLimits(&top)
      top.section("privacy") { section in
        section.read("store_prompts", into: &settings.privacy.storePrompts) { $0.bool() }
      }
      top.section("log") { log in
        log.read("access", into: &settings.log.access) { $0.choice(Settings.Log.Access.self) }
        log.read("format", into: &settings.log.format) { $0.choice(Settings.Log.Format.self) }
        log.read("level", into: &settings.log.level) { $0.choice(Settings.Log.Level.self) }
      }
    }
  }

  private mutating func readAddresses(_ top: inout Section) {
    if let item = top.take("listen") {
      places.listen = item.oneOrMore { $0.listenAddress() } ?? []
      if !places.listen.isEmpty { settings.listen = places.listen.map(\.address) }
    }
    if let item = top.take("admin_listen"), !item.isNull {
      places.adminListen = item.oneOrMore { $0.listenAddress() } ?? []
      settings.adminListen = places.adminListen.map(\.address)
    }
  }

  private mutating func readWeb(_ top: inout Section) {
    top.readNullable("public_url", into: &settings.publicURL) { $0.baseURL() }
    top.read("trusted_proxies", into: &settings.trustedProxies) { item in
      item.list { $0.network() }
    }
    top.read("cors_origins", into: &settings.corsOrigins) { item in item.list { $0.origin() } }
    top.readNullable("cache_max_age", into: &settings.cacheMaxAge) { $0.time() }
    top.readNullable("cdn_tag_header", into: &settings.cdnTagHeader) { $0.headerName() }
  }

  private mutating func readStorage(_ top: inout Section) {
    top.section("storage") { section in
      section.read("root", into: &settings.storage.root) { $0.path() }
      section.readNullable("max_bytes", into: &settings.storage.maxBytes) { $0.bytes() }
      section.read("min_free_bytes", into: &settings.storage.minFreeBytes) {
        $0.bytes(atLeast: 0)
      }
      section.readNullable("keyring_file", into: &settings.storage.keyringFile) { $0.path() }
      section.readNullable("scrub", into: &settings.storage.scrub) { $0.scrub() }
    }
  }

  private mutating func readAuth(_ top: inout Section) {
    top.section("auth") { section in
      section.read("mode", into: &settings.auth.mode) { $0.choice(Settings.Auth.Mode.self) }
      let (key, item) = secret("bootstrap_key", in: &section)
      if case .unset(let variable) = key {
        item?.fail("the variable \(variable) is not set")
      }
      settings.auth.bootstrapKey = key
    }
  }

  private mutating func readDefaults(_ top: inout Section) {
    top.section("defaults") { section in
      section.read("response_format", into: &settings.defaults.responseFormat) {
        $0.choice(Settings.ResponseFormat.self)
      }
      section.read("retention", into: &settings.defaults.retention) {
        $0.choice(Settings.Retention.self)
      }
      section.read("ttl", into: &settings.defaults.ttl) { $0.time(atLeast: .seconds(1)) }
      section.read("base64", into: &settings.defaults.base64) {
        $0.choice(Settings.Base64Form.self)
      }
    }
  }

  private mutating func readFetch(_ top: inout Section) {
    top.section("fetch") { section in
      section.read("allow", into: &settings.fetch.allow) { item in item.list { $0.fetchRule() } }
      section.read("max_bytes", into: &settings.fetch.maxBytes) { $0.bytes() }
      section.read("max_redirects", into: &settings.fetch.maxRedirects) { $0.integer(0...10) }
      section.read("timeout", into: &settings.fetch.timeout) { $0.timeout() }
    }
  }

  private mutating func readLimits(_ top: inout Section) {
    top.section("limits") { section in
      section.read("body_bytes", into: &settings.limits.bodyBytes) { $0.bytes() }
      section.read("image_bytes", into: &settings.limits.imageBytes) { $0.bytes() }
      section.read("image_pixels", into: &settings.limits.imagePixels) {
        $0.integer(1...1_000_000_000_000)
      }
      section.read("connections", into: &settings.limits.connections) { $0.integer(1...1_000_000) }
      section.read("connections_per_address", into: &settings.limits.connectionsPerAddress) {
        $0.integer(1...1_000_000)
      }
      section.read("header_timeout", into: &settings.limits.headerTimeout) { $0.timeout() }
      section.read("idle_timeout", into: &settings.limits.idleTimeout) { $0.timeout() }
      section.read("drain_timeout", into: &settings.limits.drainTimeout) { $0.timeout() }
    }
  }

  mutating func apply(_ overrides: ConfigurationOverrides) {
    if !overrides.listen.isEmpty {
      places.listen = overrides.listen.compactMap { text in
        if let address = ListenAddress(text) { return (address, nil) }
        review.report("\(quoted(text)) is not \(ListenAddress.form)", flag: "--listen")
        return nil
      }
      settings.listen = places.listen.map(\.address)
    }
    guard let root = overrides.storageRoot else { return }
    guard isPath(root) else {
      return review.report("\(quoted(root)) is not a path", flag: "--storage")
    }
    settings.storage.root = root
  }
}

extension Item {
  fileprivate func scrub() -> Settings.Scrub? {
    var scrub = Settings.Scrub()
    section { section in
      section.read("interval", into: &scrub.interval) { $0.time(atLeast: .seconds(1)) }
      section.read("rate", into: &scrub.rate) { $0.bytes() }
    }
    return scrub
  }
}
