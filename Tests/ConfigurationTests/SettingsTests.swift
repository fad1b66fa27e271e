import Testing

@testable import Configuration

/// The settings of a file named `t`.
func load(
  _ text: String, overrides: ConfigurationOverrides = .init(), environment: [String: String] = [:],
  isShared: Bool = false
) throws(ConfigurationFailure) -> Settings {
  let file = ConfigurationFile(name: "t", bytes: Array(text.utf8), isShared: isShared)
  return try Settings.load(file, overrides: overrides, environment: environment)
}

/// What is reported about a file named `t`.
func problems(
  _ text: String, overrides: ConfigurationOverrides = .init(), environment: [String: String] = [:],
  isShared: Bool = false
) -> [String] {
  do throws(ConfigurationFailure) {
    _ = try load(text, overrides: overrides, environment: environment, isShared: isShared)
    return []
  } catch {
    return error.problems.map(\.description)
  }
}

struct SettingsTests {
  @Test func nothingGivesTheDefaults() throws {
    #expect(try load("{}") == Settings())
    #expect(try Settings.load(nil, environment: [:]) == Settings())
  }

  @Test func readsEveryKey() throws {
    let settings = try load(everyKey, environment: ["KEY": " sk-1\n", "BOOT": "boot"])
    #expect(settings.listen.map(\.description) == ["0.0.0.0:80", "[::]:80"])
    #expect(settings.adminListen.map(\.description) == ["127.0.0.1:9"])
    #expect(settings.publicURL?.description == "https://cdn.example.com/img")
    #expect(settings.trustedProxies.map(\.description) == ["10.0.0.0/8", "::1/128"])
    #expect(settings.corsOrigins == ["https://app.example.com", "*"])
    #expect(settings.cacheMaxAge == .seconds(3600))
    #expect(settings.cdnTagHeader == "Cache-Tag")
    #expect(settings.storage.root == "/s")
    #expect(settings.storage.maxBytes == 1000)
    #expect(settings.storage.minFreeBytes == 0)
    #expect(settings.storage.keyringFile == "/k")
    #expect(settings.auth.mode == .keys)
    #expect(settings.auth.bootstrapKey.secret?.value == "boot")
    #expect(settings.defaults.responseFormat == .base64JSON)
    #expect(settings.defaults.retention == .permanent)
    #expect(settings.defaults.ttl == .milliseconds(90_500))
    #expect(settings.defaults.base64 == .dataURL)
    #expect(settings.upstreams.map(\.name) == ["a"])
    #expect(settings.upstreams.map(\.dialect) == [.openai])
    #expect(settings.upstreams.map(\.baseURL) == [BaseURL("http://127.0.0.1:4000/v1")])
    #expect(settings.upstreams.map { $0.apiKey.secret?.value } == ["sk-1"])
    #expect(settings.upstreams.map(\.maxConcurrent) == [2])
    #expect(settings.upstreams.map(\.unknownParameters) == [.reject])
    var model = Settings.Model(id: "*", upstreams: ["a"])
    model.upstreamModel = "m"
    model.timeout = .seconds(5)
    model.expectedBytes = 1 << 20
    model.maxN = 4
    model.sizes = ["1024x1024", "auto"]
    model.responseFormat = .url
    model.retention = .temporary
    model.cache = .seconds(86_400)
    #expect(settings.models == [model])
    #expect(settings.collection.interval == .seconds(1))
    #expect(settings.collection.grace == .zero)
    #expect(settings.fetch.allow.map(\.description) == ["files.internal:81"])
    #expect(settings.fetch.maxBytes == 1)
    #expect(settings.fetch.maxRedirects == 0)
    #expect(settings.fetch.timeout == .seconds(1))
    #expect(settings.limits.bodyBytes == 1)
    #expect(settings.limits.imageBytes == 2)
    #expect(settings.limits.imagePixels == 3)
    #expect(settings.limits.connections == 4)
    #expect(settings.limits.connectionsPerAddress == 5)
    #expect(settings.limits.headerTimeout == .seconds(6))
    #expect(settings.limits.idleTimeout == .milliseconds(7))
    #expect(settings.limits.drainTimeout == .seconds(8))
    #expect(settings.privacy.storePrompts)
    #expect(settings.log.access == .off)
    #expect(settings.log.level == .debug)
  }

  private let everyKey = """
    { listen: ["0.0.0.0:80", "[::]:80"], admin_listen: "127.0.0.1:9",
      public_url: "https://cdn.example.com/img/", trusted_proxies: ["10.0.0.0/8", "::1"],
      cors_origins: ["https://App.example.com:443", "*"], cache_max_age: "1h",
      cdn_tag_header: "Cache-Tag",
      storage: { root: "/s", max_bytes: 1e3, min_free_bytes: 0, keyring_file: "/k" },
      auth: { mode: "keys", bootstrap_key_env: "BOOT" },
      defaults: { response_format: "b64_json", retention: "permanent", ttl: 90.5,
                  base64: "data_url" },
      upstreams: [{ name: "a", dialect: "openai", base_url: "http://127.0.0.1:4000/v1/",
                    api_key_env: "KEY", max_concurrent: 2, unknown_parameters: "reject" }],
      models: [{ id: "*", upstream: ["a"], upstream_model: "m", timeout: "5s",
                 expected_bytes: "1MiB", max_n: 4, sizes: ["1024x1024", "auto"],
                 response_format: "url", retention: "temporary", cache: "24h" }],
      gc: { interval: "1s", grace: 0, policies: [] },
      fetch: { allow: ["files.internal:81"], max_bytes: 1, max_redirects: 0, timeout: 1 },
      limits: { body_bytes: 1, image_bytes: 2, image_pixels: 3, connections: 4,
                connections_per_address: 5, header_timeout: 6, idle_timeout: "7ms",
                drain_timeout: "8s" },
      privacy: { store_prompts: true },
      log: { access: "off", format: "json", level: "debug" } }
    """

  @Test func readsPolicies() throws {
    let settings = try load(
      """
      { gc: { policies: [
        { kind: "expired" },
        { kind: "idle", after: "30d", retention: "permanent" },
        { kind: "max_age", limit: "90d", owner: "gw1", model: ["a/b", "c"] },
        { kind: "owner_size", high: "10GB", low: "9GB" },
        { kind: "total_size", high: "50GB", low: 0, retention: ["temporary", "permanent"],
          name: "room" },
        { kind: "orphans" }, { kind: "records", after: 0 } ] } }
      """)
    var permanent = Settings.Policy.Selection()
    permanent.retentions = [.permanent]
    var chosen = Settings.Policy.Selection()
    chosen.owners = ["gw1"]
    chosen.models = ["a/b", "c"]
    var both = Settings.Policy.Selection()
    both.retentions = [.temporary, .permanent]
    #expect(
      settings.collection.policies == [
        .init(.expired), .init(.idle(after: .seconds(30 * 86_400), permanent)),
        .init(.maxAge(limit: .seconds(90 * 86_400), chosen)),
        .init(.ownerSize(high: 10_000_000_000, low: 9_000_000_000, .init())),
        .init(.totalSize(high: 50_000_000_000, low: 0, both), name: "room"),
        .init(.orphans(grace: .seconds(3600))), .init(.records(after: .zero)),
      ])
    #expect(
      settings.collection.policies.map(\.name) == [
        "expired", "idle", "max_age", "owner_size", "room", "orphans", "records",
      ])
  }

  @Test func flagsWinOverTheFile() throws {
    var flags = ConfigurationOverrides()
    flags.listen = ["127.0.0.1:0", "[::1]:0"]
    flags.storageRoot = "/tmp/s"
    let settings = try load(
      "{listen: ['0.0.0.0:80'], storage: {root: 'x'}}", overrides: flags)
    #expect(settings.listen.map(\.description) == ["127.0.0.1:0", "[::1]:0"])
    #expect(settings.storage.root == "/tmp/s")
  }

  @Test func anUnsetKeyIsNoProblem() throws {
    let unset = try load("{}", environment: ["OPENAI_API_KEY": ""])
    #expect(unset.upstreams.map(\.obstacle) == [nil, "the variable OPENAI_API_KEY is not set"])
    let set = try load("{}", environment: ["OPENAI_API_KEY": "sk-x"])
    #expect(set.upstreams.map(\.obstacle) == [nil, nil])
    #expect(set.upstreams.last?.apiKey.secret?.value == "sk-x")
    let none = try load("{upstreams: [{name: 'a', dialect: 'openai'}], models: []}")
    #expect(none.upstreams.first?.apiKey == ConfiguredSecret.none)
    #expect(none.upstreams.first?.obstacle == nil)
  }

  @Test func aSummaryShowsNoSecret() throws {
    let text = "{upstreams: [{name: 'a', dialect: 'openai', api_key: 'sk-hidden'}], models: []}"
    let settings = try load(text)
    #expect(!settings.summary.contains("sk-hidden"))
    #expect(!"\(settings)".contains("sk-hidden"))
    var dumped = ""
    dump(settings, to: &dumped)
    #expect(!dumped.contains("sk-hidden") && dumped.contains("127"))
  }

  @Test func summarisesTheDefaults() {
    #expect(
      Settings().summary == """
        listen               http://127.0.0.1:8080
        console and metrics  on listen
        delivery URLs on     the API's own base
        access               open: no key is asked for
        storage              Storage, no size limit, 1GiB kept free
        scrub                every 30d, 8MiB a second at most
        default answer       url, temporary for 24h
        upstream sample      sample
        upstream openai      openai at https://api.openai.com/v1, not usable: the variable \
        OPENAI_API_KEY is not set
        model sample         upstream sample
        model gpt-image-2    upstream openai
        collection           every 10m
        policy expired       temporary assets past their time
        policy orphans       bytes without an asset after 1h
        policy records       records after 30d
        """)
  }

  /// Truncated and bent manuals are refused or read; they never trap.
  @Test func survivesBentManuals() throws {
    let manual = try manualBytes()
    var random = SeededGenerator(seed: 8)
    for _ in 0..<150 {
      var bytes = manual
      for _ in 0..<8 {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        bytes[at] = manual.randomElement(using: &random) ?? 0
      }
      let cut = Int.random(in: 0...bytes.count, using: &random)
      let file = ConfigurationFile(
        name: "t", bytes: Bool.random(using: &random) ? bytes : Array(bytes[..<cut]))
      do throws(ConfigurationFailure) {
        _ = try Settings.load(file, environment: [:])
      } catch {
        #expect(!error.problems.isEmpty)
      }
    }
  }
}
