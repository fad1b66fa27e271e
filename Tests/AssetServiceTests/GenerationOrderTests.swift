import Configuration
import Testing
import Wire

@testable import AssetService

@Suite struct GenerationOrderTests {
  private func order(_ body: JSONValue) throws -> GenerationOrder {
    let settings = try Settings.load(
      ConfigurationFile(name: "test", bytes: Array("{}".utf8)), environment: [:])
    return try GenerationOrder(
      body, catalog: ModelCatalog(settings, startedAt: 0), caller: .open,
      defaults: settings.defaults)
  }

  private func upstream(_ unknown: Settings.Upstream.UnknownParameters) -> Settings.Upstream {
    var upstream = Settings.Upstream(name: "u", dialect: .openai)
    upstream.unknownParameters = unknown
    return upstream
  }

  private static let body: JSONValue = [
    "prompt": "a fox", "size": nil, "n": 2, "x": 1, "asset": ["ttl": 60], "stream": false,
    "model": "sample", "user": "u",
  ]

  @Test func ourOwnMembersAndNullsAreNotParameters() throws {
    let order = try order(Self.body)
    #expect(order.parameters.members.map(\.name) == ["prompt", "n", "x", "model", "user"])
    let sent = try order.parameters(for: upstream(.forward))
    #expect(sent.members.map(\.name) == ["prompt", "n", "x", "user"])
    let known = try order.parameters(for: upstream(.drop))
    #expect(known.members.map(\.name) == ["prompt", "n", "user"])
    #expect(throws: Failure.self) { try order.parameters(for: upstream(.reject)) }
  }

  /// The parser lets fewer through: the cost must not rest on that alone.
  @Test(.timeLimit(.minutes(1)))
  func manyMembersCostEachOnce() throws {
    let many = (0..<200_000).map { JSONObject.Member(name: "m\($0)", value: 1) }
    let members = [JSONObject.Member(name: "prompt", value: "a fox")] + many
    let order = try order(.object(JSONObject(members)))
    #expect(order.parameters.members.count == 200_001)
    #expect(try order.parameters(for: upstream(.forward)).members.count == 200_002)
    #expect(try order.parameters(for: upstream(.drop)).members.count == 2)
  }

  /// It stands in rows, logs and lists for as long as its images live.
  @Test func aModelsNameIsShortAndOneLine() throws {
    let text = """
      { upstreams: [ { name: "u", dialect: "sample" } ], models: [ { id: "*", upstream: "u" } ] }
      """
    let settings = try Settings.load(
      ConfigurationFile(name: "test", bytes: Array(text.utf8)), environment: [:])
    func order(_ model: String) throws -> GenerationOrder {
      try GenerationOrder(
        ["prompt": "a fox", "model": .string(model)],
        catalog: ModelCatalog(settings, startedAt: 0), caller: .open, defaults: settings.defaults)
    }
    let longest = String(repeating: "é", count: 128)
    for name in ["gpt-image-2", "org/model:v1 (new)", longest] {
      #expect(try order(name).modelName == name)
    }
    for name in ["", longest + "x", "a\nb", "a\0", "\u{7F}", "a\u{85}", "\u{1B}[2J"] {
      let failure = #expect(throws: Failure.self) { try order(name) }
      #expect(failure?.status == 400 && failure?.param == "model", "\(name.debugDescription)")
    }
  }

  @Test func aPromptIsCountedInCodePoints() throws {
    _ = try order(["prompt": .string(String(repeating: "é", count: 32_000))])
    #expect(throws: Failure.self) {
      try order(["prompt": .string(String(repeating: "é", count: 32_001))])
    }
  }
}
