import Foundation
import Testing

// A caching nginx in front never serves a link past its end (API.md §5, RFC 9111 §4.2).

@Suite(.enabled(if: CachingNginx.isInstalled, "nginx is not installed"))
struct CacheTests {
  /// What operators set, and what must not make a link live longer.
  private static let doors = [
    "plain": "", "late": "",
    "asking": "proxy_cache_revalidate on; proxy_cache_background_update on;",
    // It keeps what it likes for an hour, but for a time that the answer names.
    "deaf": "proxy_ignore_headers Cache-Control Expires; proxy_cache_valid 200 206 1h;",
  ]
  private let image = png(seed: 1, bytes: 50_000)

  private struct Link: Decodable {
    let url: String
    let expiresAt: Double

    var path: String { URL(string: url)?.path ?? "" }
  }

  /// A new asset and a link to it.
  private func host(_ daemon: Daemon, _ scratch: Scratch, ttl: Int) throws -> (AssetAnswer, Link) {
    let file = try scratch.file("image.png", image)
    let asset = try curl(
      "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + file, daemon.base + "/v1/assets"
    ).decoded(AssetAnswer.self)
    let link = try curl(
      "-f", "-H", "Content-Type: application/json", "-d", "{\"ttl\":\(ttl)}",
      "\(daemon.base)/v1/assets/\(asset.id)/links"
    ).decoded(Link.self)
    return (asset, link)
  }

  @Test func aLinkEndsInCachesToo() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let nginx = try CachingNginx(before: daemon, in: scratch, doors: Self.doors)
    try await nginx.untilItListens(Self.doors.keys)
    let (_, link) = try host(daemon, scratch, ttl: 4)
    for door in ["plain", "asking", "deaf"] {
      let first = try nginx.fetch(link.path, door: door)
      #expect(first.status == 200 && first.cache == "MISS" && first.body == image, "\(door)")
      let second = try nginx.fetch(link.path, door: door)
      #expect(second.status == 200 && second.cache == "HIT" && second.body == image, "\(door)")
    }
    // From here to a second past the end: one long poll of every door.
    var statuses: [String: Set<Int>] = [:]
    var isOver = false
    try await until("the link is over for a second") {
      for door in Self.doors.keys {
        let begin = Date().timeIntervalSince1970
        // That door's first request comes in the link's last second.
        if door == "late", begin < link.expiresAt - 0.9 { continue }
        let answer = try nginx.fetch(link.path, door: door)
        statuses[door, default: []].insert(answer.status)
        if answer.end < link.expiresAt { #expect(answer.status == 200, "\(door)") }
        // The daemon's clock stands still while it answers what came before.
        if answer.begin >= link.expiresAt + 0.1 {
          #expect(answer.status == 410, "\(door), \(answer.begin - link.expiresAt) s late")
        }
        if door == "late", answer.status == 200 {
          #expect(answer.cache == "MISS" && answer.fields["cache-control"] == "no-store")
        }
        isOver = answer.begin > link.expiresAt + 1.2
      }
      return isOver
    }
    for door in Self.doors.keys where door != "late" {
      #expect(statuses[door] == [200, 410], "\(door)")
    }
    // On a busy machine its second may pass between two polls.
    #expect(statuses["late"]?.contains(410) == true)
    // What is gone stays gone: this may be kept.
    let gone = try nginx.fetch(link.path, door: "plain")
    #expect(gone.status == 410 && gone.cache == "HIT")
    #expect(gone.fields["cache-control"] == "max-age=60")
  }

  /// What a cache makes of a copy while the link lives: HEAD, ranges, conditions.
  private func expectLiveAnswers(
    _ nginx: CachingNginx, _ door: String, _ path: String, _ asset: AssetAnswer
  ) throws {
    let whole = try nginx.fetch(path, door: door)
    #expect(whole.status == 200 && whole.cache == "HIT" && whole.body == image, "\(door)")
    #expect(whole.fields["etag"] == "\"\(asset.sha256)\"")
    #expect(whole.fields["cache-control"]?.hasSuffix(", immutable") == true)
    // For nginx alone.
    #expect(whole.fields["x-accel-expires"] == nil)
    let head = try nginx.fetch(path, door: door, ["-I"])
    #expect(head.status == 200 && head.cache == "HIT" && head.body.isEmpty, "\(door)")
    #expect(head.fields["content-length"] == String(image.count))
    let part = try nginx.fetch(path, door: door, ["-r", "100-199"])
    #expect(part.status == 206 && part.cache == "HIT" && part.body == image[100..<200], "\(door)")
    #expect(part.fields["content-range"] == "bytes 100-199/\(image.count)")
    let same = try nginx.fetch(path, door: door, ["-H", "If-None-Match: \"\(asset.sha256)\""])
    #expect(same.status == 304 && same.cache == "HIT" && same.body.isEmpty, "\(door)")
  }

  /// A cache that is cold is filled with the whole, whatever was asked of it, and answers the rest.
  @Test func whateverComesFirstFillsTheCacheWithTheWhole() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let nginx = try CachingNginx(before: daemon, in: scratch, doors: Self.doors)
    try await nginx.untilItListens(Self.doors.keys)
    let (asset, link) = try host(daemon, scratch, ttl: 3600)
    let firsts: [(door: String, arguments: [String], status: Int)] = [
      ("plain", ["-I"], 200), ("late", ["-r", "5-9"], 206),
      ("asking", ["-H", "If-None-Match: \"\(asset.sha256)\""], 304),
    ]
    for (door, arguments, status) in firsts {
      let first = try nginx.fetch(link.path, door: door, arguments)
      #expect(first.status == status && first.cache == "MISS", "\(door)")
      try expectLiveAnswers(nginx, door, link.path, asset)
    }
  }

  /// 404 and 410 may be kept for a minute, a link that was not made here never: it may be a typo.
  @Test func refusalsAreKeptAsTheySay() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let nginx = try CachingNginx(before: daemon, in: scratch, doors: ["plain": ""])
    try await nginx.untilItListens(["plain"])
    let (asset, link) = try host(daemon, scratch, ttl: 3600)
    // The same asset; nobody has fetched it by this link.
    let (_, removed) = try host(daemon, scratch, ttl: 1800)
    let altered = link.path.replacing("/AQ", with: "/AR")
    let rows = [
      (path: "/images/\(asset.id).png", status: 404, cache: "HIT"),
      (path: link.path.dropLast(3) + "gif", status: 404, cache: "HIT"),
      (path: altered, status: 403, cache: "MISS"),
    ]
    for row in rows {
      let first = try nginx.fetch(row.path, door: "plain")
      let second = try nginx.fetch(row.path, door: "plain")
      #expect(first.status == row.status && first.cache == "MISS", "\(row)")
      #expect(second.status == row.status && second.cache == row.cache, "\(row)")
    }
    #expect(try status("-X", "DELETE", "\(daemon.base)/v1/assets/\(asset.id)") == 204)
    let gone = try nginx.fetch(removed.path, door: "plain")
    #expect(gone.status == 410 && gone.cache == "MISS")
    #expect(try nginx.fetch(removed.path, door: "plain").cache == "HIT")
  }
}
