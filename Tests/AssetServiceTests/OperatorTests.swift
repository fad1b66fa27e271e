import Testing
import Wire

@testable import AssetService

// What an operator sees of a configuration and of a full store.

@Suite struct OperatorTests {
  private static let keyless = """
    upstreams: [ { name: "sample", dialect: "sample" },
      { name: "keyless", dialect: "openai", base_url: "http://127.0.0.1:9/v1",
        api_key_env: "IS_NOT_SET" } ],
    models: [ { id: "sample", upstream: "sample" }, { id: "alone", upstream: "keyless" },
      { id: "both", upstream: ["keyless", "sample"] }, { id: "a/b", upstream: "sample" },
      { id: "*", upstream: "sample" } ]
    """

  /// A model whose upstream has no key is not offered; an order for it is told why, and is free.
  @Test func modelsWithoutAKeyAreNotListed() async throws {
    try await withService(Self.keyless) { service in
      for path in ["/v1/models", "/v1/models?type=image_generation"] {
        let list = try service.ask("GET", path).json
        let ids = list["data"]?.array?.compactMap { $0["id"]?.string }
        #expect(ids == ["sample", "both", "a/b"], "\(path)")
        for model in list["data"]?.array ?? [] {
          let one = try service.ask("GET", "/v1/models/\(model["id"]?.string ?? "")")
          #expect(one.status == 200 && one.json == model, "\(one.text)")
        }
      }
      // What the list leaves out is not there alone, either.
      for id in ["alone", "*", "%2A", "none", "keyless"] {
        let one = try service.ask("GET", "/v1/models/\(id)")
        #expect(one.status == 404 && one.code == "model_not_found", "\(id): \(one.text)")
      }
      let order = #"{"model":"alone","prompt":"p"}"#
      let answer = try service.send("POST", "/v1/images/generations", order)
      #expect(answer.status == 503 && answer.code == "upstream_not_configured", "\(answer.text)")
      #expect(answer["x-should-retry"] == "false")
    }
  }

  /// A full store says what is asked for, what is taken, and which setting is the limit.
  @Test func aFullStoreGivesItsFigures() async throws {
    try await withService(storage: "max_bytes: 40960") { service in
      #expect(try service.host(TestImages.png(seed: 1, padding: 15_000)).status == 201)
      let more = try service.host(TestImages.png(seed: 2, padding: 30_000))
      #expect(more.status == 507 && more.code == "insufficient_storage")
      let message = try #require(more.json["error"]?["message"]?.string)
      for word in ["bytes asked for", "16384", "of 40960", "storage.max_bytes"] {
        #expect(message.contains(word), "\(message)")
      }
      let order = try service.send(
        "POST", "/v1/images/generations", #"{"prompt":"p","size":"64x64"}"#)
      #expect(order.status == 507 && order.text.contains("of 40960"), "\(order.text)")
    }
  }
}
