import Foundation
import Testing

// What those who read HTTP for a living say of our answers: redbot and httplint, from PyPI.

/// An interpreter that has both.
private enum Linter {
  static let python: String? = {
    guard let path = ProcessInfo.processInfo.environment["ASSETD_TEST_PYTHON"],
      (try? run(path, ["-c", "import httplint, redbot"]))?.status == 0
    else { return nil }
    return path
  }()
}

@Suite(
  .enabled(if: Linter.python != nil, "ASSETD_TEST_PYTHON names no Python with redbot and httplint"))
struct LintTests {
  /// Complaints that are not ours to heed, each with its reason.
  private static let known = [
    // API.md §5 has it so: delivery ignores Authorization, and without `public` a shared cache may
    // not keep an answer to a request that carries one (RFC 9111 §3.5).
    "STORE_PUBLIC_UNNECESSARY",
    // That the request was bad is what the answer says.
    "STATUS_BAD_REQUEST",
  ]

  private struct Job: Encodable {
    let method, url: String
    let fields: [String: String]
    let status: Int

    init(_ method: String, _ url: String, _ status: Int, _ fields: [String: String] = [:]) {
      (self.method, self.url, self.status, self.fields) = (method, url, status, fields)
    }
  }

  /// A daemon with an image of each kind.
  private struct Site {
    let daemon: Daemon
    let scratch: Scratch
    let link, permanent, expired, removed: String
    let asset: AssetAnswer

    init() throws {
      scratch = try Scratch()
      daemon = try Daemon(
        scratch.path + "/store", configuration: "{ cors_origins: [\"https://app.example\"] }")
      let file = try scratch.file("image.png", png(seed: 1, bytes: 20_000))
      let base = daemon.base
      func host(_ query: String) throws -> AssetAnswer {
        try curl(
          "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + file,
          base + "/v1/assets" + query
        ).decoded(AssetAnswer.self)
      }
      // The same asset keeps the later end: this link is the first one's.
      expired = try host("?ttl=1").url
      asset = try host("?ttl=1h")
      link = asset.url
      permanent = try host("?retention=permanent").url
      let other = try scratch.file("other.png", png(seed: 2, bytes: 2_000))
      let gone = try curl(
        "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + other, base + "/v1/assets"
      ).decoded(AssetAnswer.self)
      removed = gone.url
      _ = try curl("-f", "-X", "DELETE", "\(base)/v1/assets/\(gone.id)")
    }

    /// What the script prints, without what is known.
    func complaints(_ arguments: [String]) throws -> [String] {
      let script = try scratch.file("lint.py", Data(LintScript.text.utf8))
      let result = try run(try #require(Linter.python), [script] + arguments)
      var lines = result.text.split(separator: "\n").map(String.init)
      try #require(lines.popLast() == "done", "\(result.text) \(result.errors)")
      return lines.filter { line in !LintTests.known.contains { line.contains(": \($0): ") } }
    }
  }

  @Test func redbotHasNothingToSay() throws {
    let site = try Site()
    #expect(try site.complaints(["resource", site.link, site.permanent]) == [])
  }

  @Test func httplintHasNothingToSay() async throws {
    let site = try Site()
    try await until("a link expires") { try status(site.expired) == 410 }
    let jobs = delivery(site, site.link) + delivery(site, site.permanent) + api(site.daemon.base)
    let file = try site.scratch.file("jobs.json", try JSONEncoder().encode(jobs))
    #expect(try site.complaints(["exchange", file]) == [])
  }

  private func delivery(_ site: Site, _ url: String) -> [Job] {
    let tag = "\"\(site.asset.sha256)\""
    let altered = site.link.replacing("/AQ", with: "/AR")
    var jobs: [Job] = []
    for method in ["GET", "HEAD"] {
      let isGet = method == "GET"
      jobs += [
        Job(method, url, 200), Job(method, url, 200, ["Origin": "https://a.example"]),
        Job(method, url, 304, ["If-None-Match": tag]),
        Job(method, url, 304, ["If-None-Match": "*"]),
        Job(method, url, isGet ? 206 : 200, ["Range": "bytes=5-9"]),
        Job(method, url, isGet ? 206 : 200, ["Range": "bytes=-9", "If-Range": tag]),
        Job(method, url, isGet ? 416 : 200, ["Range": "bytes=999999-"]),
        Job(method, url, 200, ["Range": "bytes=0-1,3-4"]),
        Job(method, url, 412, ["If-Match": "\"x\""]),
        Job(method, url, 200, ["Want-Repr-Digest": "sha-256=5"]),
        Job(method, url + "?download=%22%C3%A9%22.png", 200),
        Job(method, String(url.dropLast(3)) + "gif", 404), Job(method, altered, 403),
        Job(method, site.expired, 410), Job(method, site.removed, 410),
      ]
    }
    let preflight = [
      "Origin": "https://a.example", "Access-Control-Request-Method": "GET",
      "Access-Control-Request-Headers": "range",
    ]
    return jobs + [Job("OPTIONS", url, 204, preflight), Job("POST", url, 405)]
  }

  private func api(_ base: String) -> [Job] {
    var jobs: [Job] = []
    let paths = [
      ("/v1/models", 200), ("/v1/models/sample", 200), ("/v1/models/none", 404),
      ("/v1/assets", 200), ("/v1/assets/none", 404), ("/v1/assets?limit=x", 400),
      ("/healthz", 200), ("/readyz", 200), ("/openapi.json", 200), ("/nothing", 404),
      ("/v1/images/generations", 405), ("/a//b", 400),
    ]
    for (path, status) in paths {
      for method in ["GET", "HEAD"] {
        for origin in ["https://app.example", "https://other.example"] {
          jobs.append(Job(method, base + path, status, ["Origin": origin]))
        }
        jobs.append(Job(method, base + path, status))
        jobs.append(Job(method, base + path, 400, ["Content-Length": "x"]))
      }
    }
    let preflight = [
      "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization,content-type",
    ]
    return jobs + [Job("OPTIONS", base + "/v1/assets", 204, preflight)]
  }
}
