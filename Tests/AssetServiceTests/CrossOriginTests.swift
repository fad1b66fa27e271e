import Testing
import Wire

// Who may read answers across origins (API.md §1, §5; Fetch standard, §3.2 "CORS protocol").

@Suite struct CrossOriginTests {
  private static let app = ("Origin", "https://app.example")
  private static let other = ("Origin", "https://other.example")

  private static func preflight(
    _ origin: (String, String), _ method: String, _ names: String? = nil
  ) -> [(String, String)] {
    [origin, ("Access-Control-Request-Method", method)]
      + (names.map { [("Access-Control-Request-Headers", $0)] } ?? [])
  }

  /// Any page may read an image, and what is said instead of it.
  @Test func imagesAreForEveryOrigin() async throws {
    try await withService { service in
      let targets = try DeliveryTargets(service)
      let paths = [
        targets.link, targets.permanent, targets.altered, targets.removedLink, "/images/x",
      ]
      for path in paths {
        for fields in [[], [Self.app], [Self.app, ("If-None-Match", "*")]] {
          let answer = try service.ask("GET", path, fields)
          #expect(answer["Access-Control-Allow-Origin"] == "*", "\(path)")
          #expect(answer["Access-Control-Expose-Headers"] == "*", "\(path)")
          #expect(answer["Access-Control-Allow-Credentials"] == nil)
          // It is the same for all, and caches may keep one.
          #expect(answer["Vary"] == nil, "\(path)")
        }
        let fields = Self.preflight(Self.other, "GET", "range,if-none-match,authorization")
        let answer = try service.ask("OPTIONS", path, fields)
        #expect(answer.status == 204 && answer["Access-Control-Allow-Origin"] == "*")
        #expect(answer["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS")
        // A star does not cover Authorization.
        #expect(answer["Access-Control-Allow-Headers"] == "*, Authorization")
        #expect(answer["Access-Control-Max-Age"] == "86400")
        #expect(answer["Allow"] == "GET, HEAD, OPTIONS" && answer["Content-Length"] == nil)
      }
    }
  }

  @Test func theAPIIsForNamedOrigins() async throws {
    try await withService("cors_origins: [\"https://app.example\"]") { service in
      let names = "authorization,content-type,x-stainless-lang"
      let good = try service.ask("OPTIONS", "/v1/assets", Self.preflight(Self.app, "POST", names))
      #expect(good.status == 204 && good["Access-Control-Allow-Origin"] == Self.app.1)
      #expect(good["Access-Control-Allow-Headers"] == names)
      #expect(good["Access-Control-Allow-Methods"]?.contains("DELETE") == true)
      #expect(good["Vary"] == "Origin")
      let bad = try service.ask("OPTIONS", "/v1/assets", Self.preflight(Self.other, "POST", names))
      let fields = ["Allow-Origin", "Allow-Headers", "Allow-Methods", "Max-Age", "Expose-Headers"]
      for field in fields { #expect(bad["Access-Control-\(field)"] == nil, "\(field)") }
      for path in ["/v1/assets", "/v1/assets/none", "/openapi.json", "/healthz", "/v1/models"] {
        let shared = try service.ask("GET", path, [Self.app])
        #expect(shared["Access-Control-Allow-Origin"] == Self.app.1, "\(path)")
        #expect(shared["Access-Control-Expose-Headers"] == "*", "\(path)")
        for fields in [[], [Self.other], [("Origin", "null")], [("Origin", "https://APP.example")]]
        {
          let answer = try service.ask("GET", path, fields)
          #expect(answer["Access-Control-Allow-Origin"] == nil, "\(path) \(fields)")
          // Whatever a cache has seen first, it must ask again for another origin.
          #expect(answer["Vary"] == "Origin", "\(path) \(fields)")
        }
      }
    }
  }

  @Test func withoutOriginsTheAPIIsClosed() async throws {
    try await withService { service in
      for method in ["OPTIONS", "GET"] {
        let fields = Self.preflight(Self.app, "GET", "authorization")
        let answer = try service.ask(method, "/v1/assets", fields)
        #expect(!answer.lines.contains { $0.hasPrefix("Access-Control") }, "\(answer.lines)")
        #expect(answer["Vary"] == nil)
      }
    }
  }

  @Test func aStarNamesEveryOrigin() async throws {
    try await withService("cors_origins: [\"*\"]") { service in
      let answer = try service.ask("GET", "/v1/assets", [Self.other])
      #expect(answer["Access-Control-Allow-Origin"] == Self.other.1 && answer["Vary"] == "Origin")
    }
  }

  /// An owner's answers are nothing for caches; the contract is.
  @Test func theAPIIsNotCached() async throws {
    try await withService { service in
      let id = try #require(try service.host(DeliveryTargets.image).json["id"]?.string)
      for path in ["/v1/assets", "/v1/assets/\(id)", "/v1/models", "/healthz", "/v1/assets/none"] {
        let answer = try service.ask("GET", path)
        #expect(answer["Cache-Control"] == "no-store", "\(path)")
        #expect(answer.count(of: "Cache-Control") == 1, "\(path)")
      }
      #expect(try service.ask("GET", "/openapi.json")["Cache-Control"] == "max-age=3600")
    }
  }
}
