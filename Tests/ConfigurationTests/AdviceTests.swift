import Testing

@testable import Configuration

struct AdviceTests {
  /// Everything at once, so that nobody has to start many times.
  @Test func tellsAllThatIsNotOffered() throws {
    let settings = try load(
      """
      { admin_listen: "127.0.0.1:9", fetch: { allow: ["files.internal"] },
        models: [ { id: "sample", upstream: "sample", cache: "24h" } ],
        gc: { policies: [ { kind: "expired" }, { kind: "idle", after: "30d" },
          { kind: "max_age", limit: "90d" }, { kind: "owner_size", high: 2, low: 1 },
          { kind: "total_size", high: 2, low: 1 }, { kind: "orphans" }, { kind: "records" } ] } }
      """)
    let names = settings.notOffered.map { $0.prefix { $0 != ":" } }
    #expect(
      names == [
        "gc.policies", "gc.policies", "gc.policies", "gc.policies", "admin_listen", "models",
        "fetch.allow",
      ])
    #expect(Settings().notOffered.isEmpty)
  }

  @Test(arguments: [
    ("trusted_proxies: ['0.0.0.0/0']", "trusted_proxies: 0.0.0.0/0"),
    ("trusted_proxies: ['10.0.0.0/8', '::/0']", "trusted_proxies: ::/0"),
    ("trusted_proxies: ['128.0.0.0/1']", "trusted_proxies: 128.0.0.0/1"),
    ("limits: { image_bytes: '2GiB' }", "limits.image_bytes (2GiB) is more than limits.body_bytes"),
    ("gc: { policies: [] }", "gc.policies is empty"),
    ("gc: { policies: [{ kind: 'orphans' }] }", "gc.policies has no \"expired\""),
    (
      "models: [], upstreams: [{ name: 'a', dialect: 'openai', base_url: 'http://a:4000' }]",
      "upstreams: the base_url of \"a\""
    ),
  ])
  func warns(text: String, sentence: String) throws {
    let warnings = try load("{ \(text) }").warnings
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix(sentence) == true, "\(warnings)")
  }

  @Test(arguments: [
    "", "trusted_proxies: ['10.0.0.0/8', '192.168.1.1', 'fc00::/7', '::1']",
    "models: [], upstreams: [{ name: 'a', dialect: 'openai', base_url: 'http://a/openai/v1' }]",
    "models: [], upstreams: [{ name: 'a', dialect: 'openai', base_url: 'http://a/v1beta/openai' }]",
  ])
  func doesNotWarn(text: String) throws {
    #expect(try load("{ \(text) }").warnings.isEmpty)
  }

  @Test func warnsOfASmallDisk() {
    let settings = Settings()
    let gib: Int64 = 1 << 30
    #expect(settings.warnings(disk: 100 * gib, free: 2 * gib).isEmpty)
    #expect(settings.warnings(disk: gib / 2, free: gib / 4).first?.contains("too small") == true)
    #expect(settings.warnings(disk: 100 * gib, free: gib / 2).first?.contains("is full") == true)
  }

  @Test(arguments: ["", " \n\t", "// nothing\n", "/* nothing\n at all */ // here", "\u{FEFF}"])
  func anEmptyFileMeansTheDefaults(text: String) throws {
    #expect(try load(text) == Settings())
  }

  @Test(arguments: ["/* never closed", "/", "x", "[]", "null"])
  func whatIsNotEmptyIsRead(text: String) {
    #expect(!problems(text).isEmpty)
  }
}
