import Testing

@testable import Configuration

/// Wrong configurations, and every word of what is said about them.
struct ProblemTests {
  static let form =
    "an address and port, such as \"127.0.0.1:8080\", \"[::1]:8080\" or, for all of IPv4, "
    + "\"0.0.0.0:8080\""
  static let notLoopback =
    " is not a loopback address, and auth.mode \"open\" allows no other: set auth.mode to \"keys\""
  static let upstreamKeys = "upstreams: [{name: 'a', dialect: 'openai'}]"

  static let table: [(text: String, expected: [String])] = [
    ("[]", ["t:1:1: a list is not an object"]),
    ("{listen: 1", ["t:1:1: \"{\" is never closed"]),
    (
      "{gc: {interval: 10m}}",
      [
        "t:1:17: gc.interval: not a number; a size or a time needs quotes: \"10m\""
      ]
    ),
    ("{\n  publicUrl: null,\n}", ["t:2:3: publicUrl: unknown key; did you mean \"public_url\"?"]),
    ("{gc: {polices: []}}", ["t:1:7: gc.polices: unknown key; did you mean \"policies\"?"]),
    (
      "{privacy: {'a b': 1}}",
      [
        "t:1:12: privacy[\"a b\"]: unknown key; known here: store_prompts"
      ]
    ),
    (
      "{log: {level: 'info',\n level: 'debug'}}",
      [
        "t:2:2: log.level: duplicate key; it is given on line 1 already"
      ]
    ),
    ("{/* ü */ listen: 8080}", ["t:1:18: listen: 8080 is not a string"]),
    ("{listen: []}", ["t:1:10: listen: an empty list: at least one is needed"]),
    ("{listen: null}", ["t:1:10: listen: must not be null"]),
    (
      "{listen: [':8080', '127.0.0.1']}",
      [
        "t:1:11: listen[0]: \":8080\" is not " + form,
        "t:1:20: listen[1]: \"127.0.0.1\" is not " + form,
      ]
    ),
    (
      "{listen: ['0.0.0.0:80', '127.0.0.1:80']}",
      [
        "t:1:11: listen[0]: \"0.0.0.0:80\"" + notLoopback
      ]
    ),
    (
      "{admin_listen: '[::]:80'}",
      [
        "t:1:16: admin_listen: \"[::]:80\"" + notLoopback
      ]
    ),
    (
      "{admin_listen: '127.0.0.1:8080'}",
      [
        "t:1:16: admin_listen: \"127.0.0.1:8080\" is listened on twice"
      ]
    ),
    (
      "{public_url: '/images'}",
      [
        "t:1:14: public_url: \"/images\" is not an absolute http or https URL without user, query "
          + "and fragment"
      ]
    ),
    (
      "{public_url: 'https://a/?b'}",
      [
        "t:1:14: public_url: \"https://a/?b\" is not an absolute http or https URL without user, "
          + "query and fragment"
      ]
    ),
    (
      "{trusted_proxies: ['10.0.0.1/8']}",
      [
        "t:1:20: trusted_proxies[0]: \"10.0.0.1/8\" is not an address or a network such as "
          + "\"10.0.0.0/8\" (no bits set beyond the prefix)"
      ]
    ),
    (
      "{trusted_proxies: '10.0.0.0/8'}",
      [
        "t:1:19: trusted_proxies: \"10.0.0.0/8\" is not a list"
      ]
    ),
    (
      "{cors_origins: ['https://a.b/']}",
      [
        "t:1:17: cors_origins[0]: \"https://a.b/\" is not an origin such as "
          + "\"https://example.com\", or \"*\""
      ]
    ),
    (
      "{cdn_tag_header: 'ETag'}",
      [
        "t:1:18: cdn_tag_header: \"ETag\" is not a header name that is free for tags, such as "
          + "\"Cache-Tag\""
      ]
    ),
    (
      "{cache_max_age: -1}",
      [
        "t:1:17: cache_max_age: -1 is not a number of seconds up to 100 years"
      ]
    ),
    (
      "{cache_max_age: NaN}",
      [
        "t:1:17: cache_max_age: NaN is not a number of seconds up to 100 years"
      ]
    ),
    (
      "{storage: {max_bytes: '50G', min_free_bytes: 1.5, root: ''}}",
      [
        "t:1:23: storage.max_bytes: \"50G\" has an unknown unit: say GB or GiB",
        "t:1:46: storage.min_free_bytes: 1.5 is not a whole number of bytes",
        "t:1:57: storage.root: \"\" is not a path",
      ]
    ),
    ("{storage: {max_bytes: 0}}", ["t:1:23: storage.max_bytes: 0 is too small: at least 1"]),
    ("{storage: []}", ["t:1:11: storage: a list is not an object"]),
    (
      "{auth: {mode: 'key'}}",
      [
        "t:1:15: auth.mode: \"key\" is not \"open\" or \"keys\"; did you mean \"keys\"?"
      ]
    ),
    (
      "{auth: {bootstrap_key_env: 'NOT_SET'}}",
      [
        "t:1:28: auth.bootstrap_key_env: the variable NOT_SET is not set"
      ]
    ),
    (
      "{auth: {bootstrap_key_env: 'A=B'}}",
      [
        "t:1:28: auth.bootstrap_key_env: this is not the name of a variable (letters, digits and "
          + "\"_\", not beginning with a digit); what stands here is not shown, since it may be "
          + "the secret itself"
      ]
    ),
    (
      "{auth: {bootstrap_key: 'a', bootstrap_key_env: 'B'}}",
      [
        "t:1:48: auth.bootstrap_key_env: bootstrap_key, bootstrap_key_env and bootstrap_key_file "
          + "exclude each other: give one"
      ]
    ),
    (
      "{defaults: {ttl: '500ms', response_format: 'b64', retention: true}}",
      [
        "t:1:18: defaults.ttl: \"500ms\" is out of range: 1s to 36500d",
        "t:1:44: defaults.response_format: \"b64\" is not \"url\" or \"b64_json\"",
        "t:1:62: defaults.retention: true is not \"temporary\" or \"permanent\"",
      ]
    ),
    (
      "{models: [], upstreams: [{}]}",
      [
        "t:1:26: upstreams[0]: \"name\" is missing", "t:1:26: upstreams[0]: \"dialect\" is missing",
      ]
    ),
    (
      "{models: [], upstreams: [{name: 'a b', dialect: 'opanai', max_concurrent: 0}]}",
      [
        "t:1:33: upstreams[0].name: \"a b\" is not a name: 1 to 64 letters, digits, \".\", \"_\" "
          + "and \"-\"",
        "t:1:49: upstreams[0].dialect: \"opanai\" is not \"sample\" or \"openai\"; did you mean "
          + "\"openai\"?",
        "t:1:75: upstreams[0].max_concurrent: 0 is out of range: 1 to 65536",
      ]
    ),
    (
      "{models: [], upstreams: [{name: 'a', dialect: 'openai', base_url: null}]}",
      [
        "t:1:26: upstreams[0]: \"base_url\" is missing"
      ]
    ),
    (
      "{models: [], upstreams: [{name: 'a', dialect: 'sample'}, {name: 'a', dialect: 'sample'}]}",
      ["t:1:58: upstreams[1]: two upstreams are named \"a\""]
    ),
    (
      "{\(upstreamKeys)}",
      [
        "t:1:13: upstreams: the built-in models need the upstream \"sample\", \"openai\": list "
          + "your own models in \"models\""
      ]
    ),
    (
      "{models: [{id: 'm', upstream: ['sampel', 'x']}]}",
      [
        "t:1:32: models[0].upstream[0]: there is no upstream named \"sampel\"; did you mean "
          + "\"sample\"?",
        "t:1:42: models[0].upstream[1]: there is no upstream named \"x\"",
      ]
    ),
    (
      "{models: [{upstream: 'sample', max_n: 11, timeout: 0, sizes: [], cache: '0s'}]}",
      [
        "t:1:11: models[0]: \"id\" is missing",
        "t:1:39: models[0].max_n: 11 is out of range: 1 to 10",
        "t:1:52: models[0].timeout: 0 is out of range: 1ms to 24h",
        "t:1:62: models[0].sizes: an empty list: at least one is needed",
        "t:1:73: models[0].cache: \"0s\" is out of range: 1s to 36500d",
      ]
    ),
    (
      "{models: [{id: 'm', upstream: 'sample'}, {id: 'm', upstream: 'sample'}]}",
      [
        "t:1:42: models[1]: two models have the id \"m\""
      ]
    ),
    (
      "{gc: {policies: [{kind: 'expires', x: 1}]}}",
      [
        "t:1:25: gc.policies[0].kind: \"expires\" is not \"expired\", \"idle\", \"orphans\", "
          + "\"records\", \"max_age\", \"owner_size\" or \"total_size\"; did you mean \"expired\"?"
      ]
    ),
    (
      "{gc: {policies: [{kind: 'total_size', high: '9GB', low: '10GB'}]}}",
      [
        "t:1:57: gc.policies[0].low: \"10GB\" is not below \"high\", 9GB"
      ]
    ),
    (
      "{gc: {policies: [{kind: 'owner_size', low: 1}, {kind: 'idle', retention: []}]}}",
      [
        "t:1:18: gc.policies[0]: \"high\" is missing",
        "t:1:48: gc.policies[1]: \"after\" is missing",
        "t:1:74: gc.policies[1].retention: an empty list: at least one is needed",
      ]
    ),
    (
      "{gc: {policies: [{kind: 'records'}, {kind: 'expired', name: 'records'}]}}",
      [
        "t:1:37: gc.policies[1]: two policies are named \"records\": give one of them "
          + "another \"name\""
      ]
    ),
    (
      "{gc: {policies: [{kind: 'records', limit: '1d'}]}}",
      [
        "t:1:36: gc.policies[0].limit: unknown key; known here: kind, name, after"
      ]
    ),
    (
      "{fetch: {allow: ['*'], max_redirects: 1.5}}",
      [
        "t:1:18: fetch.allow[0]: \"*\" is not a host, \"*.suffix\", an address or a network, each "
          + "with an optional \":port\"",
        "t:1:39: fetch.max_redirects: 1.5 is not a whole number",
      ]
    ),
    (
      "{limits: {connections: '1'}, privacy: {store_prompts: 'no'}, log: {format: 'text'}}",
      [
        "t:1:24: limits.connections: \"1\" is not a whole number",
        "t:1:55: privacy.store_prompts: \"no\" is not true or false",
        "t:1:76: log.format: \"text\" is not \"json\"",
      ]
    ),
  ]

  @Test(arguments: table)
  func isTold(text: String, expected: [String]) {
    #expect(problems(text) == expected)
  }

  @Test func everythingIsToldAtOnce() {
    let text = """
      {
        lisen: [],
        storage: { max_bytes: "x", max_bytes: 1 },
        gc: { interval: "0s" },
        auth: { mode: "none" },
      }
      """
    #expect(
      problems(text).map { $0.prefix { $0 != " " } } == [
        "t:2:3:", "t:3:25:", "t:3:30:", "t:4:19:", "t:5:17:",
      ])
  }

  /// The wrong kind of file ends soon: a hundred problems, not thousands.
  @Test func aFloodIsCut() {
    let text = "{" + (0..<5_000).map { "a\($0):1" }.joined(separator: ",") + "}"
    #expect(problems(text).count == 100)
  }

  @Test func flagsAreNamed() {
    var flags = ConfigurationOverrides()
    flags.listen = ["8080", "0.0.0.0:80", "[::1]:80", "[::1]:80"]
    flags.storageRoot = ""
    #expect(
      problems("{log: 1}", overrides: flags) == [
        "t:1:7: log: 1 is not an object", "--listen: \"8080\" is not " + Self.form,
        "--storage: \"\" is not a path",
        "--listen: \"0.0.0.0:80\"" + Self.notLoopback,
        "--listen: \"[::1]:80\" is listened on twice",
      ])
  }

  @Test(arguments: [
    ("interval", "interval"), ("intreval", "interval"), ("Interval", "interval"),
    ("intervall", "interval"), ("grce", "grace"), ("policy", nil), ("", nil), ("zzzz", nil),
  ])
  func guessesWords(typed: String, meant: String?) {
    #expect(Spelling.nearest(to: typed, among: ["interval", "grace", "policies"]) == meant)
  }

  @Test func quotesSafely() {
    #expect(quoted("a\"\\\n\u{7f}é") == "\"a\\\"\\\\\\x0a\\x7fé\"")
    #expect(quoted(String(repeating: "x", count: 99)).count == 63)
  }
}
