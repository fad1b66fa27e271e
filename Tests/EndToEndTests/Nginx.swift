import Foundation
import Testing

/// A caching nginx in front of a daemon. Each of its doors is a socket of its own name, with a
/// cache of its own.
final class CachingNginx {
  static let program = "/usr/sbin/nginx"
  static let isInstalled = FileManager.default.isExecutableFile(atPath: program)

  private let child: Child
  private let folder: String

  /// Doors by name, and what each sets beside the cache.
  init(before daemon: Daemon, in scratch: Scratch, doors: [String: String]) throws {
    folder = scratch.path
    var text = """
      daemon off;
      master_process off;
      pid \(folder)/nginx.pid;
      events { worker_connections 256; }
      http {
        access_log off;
        add_header X-Cache $upstream_cache_status always;

      """
    for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
      text += "  \(name)_temp_path \(folder)/temp-\(name);\n"
    }
    for (name, settings) in doors {
      text += """
          proxy_cache_path \(folder)/cache-\(name) keys_zone=\(name):1m;
          server {
            listen unix:\(folder)/\(name).sock;
            location / { proxy_pass \(daemon.base); proxy_cache \(name); \(settings) }
          }

        """
    }
    let file = try scratch.file("nginx.conf", Data((text + "}\n").utf8))
    child = try Child(
      Self.program, ["-p", folder, "-c", file, "-e", folder + "/error.log"],
      errors: .file(folder + "/start.log"))
  }

  deinit {
    if child.isRunning { kill(child.processIdentifier, SIGTERM) }
    child.waitUntilExit()
  }

  /// Comes back when every door answers.
  func untilItListens(_ doors: some Collection<String>) async throws {
    for door in doors {
      try await until("nginx listens, \(said)") { try fetch("/healthz", door: door).status == 200 }
    }
  }

  /// What it says when it does not start.
  private var said: String {
    (try? String(contentsOfFile: folder + "/start.log", encoding: .utf8)) ?? ""
  }

  /// An answer through nginx.
  struct Answer {
    let status: Int
    let fields: [String: String]
    let body: Data
    /// Unix seconds before the request and after the answer.
    let begin, end: Double

    /// MISS, HIT, EXPIRED, …
    var cache: String? { fields["x-cache"] }
  }

  func fetch(_ path: String, door: String, _ arguments: [String] = []) throws -> Answer {
    let begin = Date().timeIntervalSince1970
    let result = try run(
      "/usr/bin/curl",
      ["-s", "-i", "--max-time", "60", "--unix-socket", "\(folder)/\(door).sock"] + arguments
        + ["http://localhost" + path])
    let end = Date().timeIntervalSince1970
    let blank = result.output.firstRange(of: Data("\r\n\r\n".utf8))
    let head = String(decoding: result.output[..<(blank?.lowerBound ?? 0)], as: UTF8.self)
    let lines = head.split(separator: "\r\n")
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon].lowercased()] = String(line[colon...].dropFirst(2))
    }
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return Answer(
      status: status ?? 0, fields: fields, body: result.output[(blank?.upperBound ?? 0)...],
      begin: begin, end: end)
  }
}
