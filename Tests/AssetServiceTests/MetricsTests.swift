import Foundation
import Testing

// What /metrics says (API.md §7) of exchanges that the test knows, on one loop: the scrape comes
// after them.

@Suite struct MetricsTests {
  /// The samples of a page, by name and labels.
  private func scrape(
    _ service: TestService, _ fields: [(String, String)] = []
  ) throws -> [String: Double] {
    let answer = try service.ask("GET", "/metrics", fields)
    #expect(answer.status == 200)
    #expect(answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
    var samples: [String: Double] = [:]
    for line in answer.text.split(separator: "\n") where !line.hasPrefix("#") {
      let cut = try #require(line.lastIndex(of: " "))
      let name = String(line[..<cut])
      #expect(samples[name] == nil, "\(name) is there twice")
      samples[name] = try #require(Double("\(line[line.index(after: cut)...])") as Double?)
    }
    return samples
  }

  @Test func whatHappenedIsCounted() async throws {
    try await withService(loops: 1) { service in
      let image = TestImages.png(padding: 3000)
      let link = try service.hostPath(image)
      let permanent = try service.hostPath(TestImages.png(padding: 9000), "?retention=permanent")
      for _ in 0..<3 { #expect(try service.ask("GET", link).status == 200) }
      #expect(try service.ask("GET", link, [("If-None-Match", "*")]).status == 304)
      #expect(try service.ask("HEAD", permanent).status == 200)
      #expect(try service.ask("GET", "/images/none.png").status == 404)
      #expect(try service.ask("GET", "/nothing").status == 404)
      #expect(try service.ask("GET", "/a b").status == 400)
      let page = try scrape(service)
      let requests = "assetd_http_requests_total"
      let wanted: [String: Double] = [
        "\(requests){kind=\"link\",status=\"2xx\"}": 3,
        "\(requests){kind=\"link\",status=\"3xx\"}": 1,
        "\(requests){kind=\"permanent\",status=\"2xx\"}": 1,
        "\(requests){kind=\"permanent\",status=\"4xx\"}": 1,
        "\(requests){kind=\"api\",status=\"2xx\"}": 2,
        "\(requests){kind=\"api\",status=\"4xx\"}": 1,
        "\(requests){kind=\"refused\",status=\"4xx\"}": 1,
        "assetd_http_response_body_bytes_total{kind=\"link\"}": Double(3 * image.count),
        "assetd_http_request_duration_seconds_count{kind=\"link\"}": 4,
        "assetd_http_request_duration_seconds_bucket{kind=\"link\",le=\"+Inf\"}": 4,
        "assetd_open_asset_hits_total": 3, "assetd_open_asset_misses_total": 2,
        "assetd_http_errors_total{status=\"404\",code=\"not_found\"}": 1,
        "assetd_http_errors_total{status=\"404\",code=\"unknown_url\"}": 1,
        "assetd_http_errors_total{status=\"400\",code=\"none\"}": 1,
        "assetd_assets": 2, "assetd_ready": 1, "assetd_connections": 1,
      ]
      for (name, value) in wanted { #expect(page[name] == value, "\(name)") }
      for name in [
        "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
        "process_max_fds", "process_start_time_seconds", "assetd_disk_free_bytes",
        "assetd_disk_total_bytes", "assetd_loop_turn_seconds_count",
        "assetd_loop_longest_turn_seconds{loop=\"0\"}",
      ] {
        #expect((page[name] ?? 0) > 0, "\(name)")
      }
      #expect(page["assetd_log_lines_dropped_total{rank=\"kept\"}"] == 0)
    }
  }

  /// Upstreams, by what became of their calls.
  @Test func callsOfUpstreamsAreCounted() async throws {
    try await withService(loops: 1) { service in
      let order = #"{"prompt":"p","size":"64x64"}"#
      #expect(try service.send("POST", "/v1/images/generations", order).status == 200)
      let page = try scrape(service)
      let name = "assetd_upstream_call"
      #expect(page["\(name)s_total{upstream=\"sample\",outcome=\"answered\"}"] == 1)
      #expect(page["\(name)_duration_seconds_count{upstream=\"sample\"}"] == 1)
      #expect(page["\(name)_duration_seconds_bucket{upstream=\"sample\",le=\"+Inf\"}"] == 1)
    }
  }

  /// A histogram's buckets never fall, and the last is the count.
  @Test func bucketsAddUp() async throws {
    try await withService(loops: 1) { service in
      for _ in 0..<5 { _ = try service.ask("GET", "/v1/models") }
      let page = try scrape(service)
      let name = "assetd_http_request_duration_seconds"
      let bounds = ["0.001", "0.01", "0.1", "1.0", "10.0", "60.0", "+Inf"]
      let buckets = try bounds.map {
        try #require(page["\(name)_bucket{kind=\"api\",le=\"\($0)\"}"])
      }
      #expect(buckets == buckets.sorted())
      #expect(buckets.last == 5 && page["\(name)_count{kind=\"api\"}"] == 5)
      #expect((page["\(name)_sum{kind=\"api\"}"] ?? 0) > 0)
    }
  }

  /// README.md lists every family that is there, and none that is not, in the words of the page.
  @Test func theManualListsThemAll() async throws {
    try await withService(storage: "max_bytes: \"50GB\"", loops: 1) { service in
      let lines = try service.ask("GET", "/metrics").text.split(separator: "\n").map(String.init)
      let page = zip(lines, lines.dropFirst()).compactMap { help, type -> String? in
        guard help.hasPrefix("# HELP ") else { return nil }
        let words = help.dropFirst("# HELP ".count).split(separator: " ", maxSplits: 1)
        let kind = type.split(separator: " ").last ?? ""
        #expect(type == "# TYPE \(words[0]) \(kind)")
        return "| `\(words[0])` | \(kind) | \(words[1]) |"
      }
      let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
      let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
      let listed = readme.split(separator: "\n").map(String.init).filter {
        $0.hasPrefix("| `assetd_") || $0.hasPrefix("| `process_")
      }
      #expect(page.count > 40)
      for row in page where !listed.contains(row) { Issue.record("README.md lacks \(row)") }
      for row in listed where !page.contains(row) { Issue.record("there is no \(row)") }
      #expect(Set(listed).count == listed.count)
    }
  }

  /// Errors of deliveries, too: also those that an image's own headers decide.
  @Test func refusedRangesAndConditionsAreCountedByCode() async throws {
    try await withService(loops: 1) { service in
      for query in ["", "?retention=permanent"] {
        let path = try service.hostPath(TestImages.png(padding: 9000), query)
        let range = try service.ask("GET", path, [("Range", "bytes=90000-")])
        #expect(range.status == 416 && range.code == "range_not_satisfiable")
        #expect(range["Content-Range"]?.hasPrefix("bytes */") == true)
        let condition = try service.ask("GET", path, [("If-Match", "\"other\"")])
        #expect(condition.status == 412 && condition.code == "precondition_failed")
      }
      let page = try scrape(service)
      let name = "assetd_http_errors_total"
      #expect(page["\(name){status=\"416\",code=\"range_not_satisfiable\"}"] == 2)
      #expect(page["\(name){status=\"412\",code=\"precondition_failed\"}"] == 2)
    }
  }

  /// With keys they are an admin's (API.md §2).
  @Test func numbersNeedAnAdminsKey() async throws {
    let keys = "auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }"
    try await withService(keys) { service in
      let reader = try service.key("{\"name\":\"r\",\"scopes\":[\"read\",\"host\",\"generate\"]}")
      #expect(try service.ask("GET", "/metrics").status == 401)
      let refused = try service.ask("GET", "/metrics", [("Authorization", "Bearer \(reader)")])
      #expect(refused.status == 403 && refused.code == "insufficient_scope")
      _ = try scrape(service, [("Authorization", "Bearer \(TestService.adminKey)")])
      #expect(try service.ask("POST", "/metrics", [], body: []).status == 401)
    }
  }
}
