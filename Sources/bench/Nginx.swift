internal import Foundation
internal import Kernel

/// An nginx with one worker on the servers' core, set up as one would for images: sendfile, open
/// files kept, a buffered access log, the same security headers as ours.
final class Nginx {
  let port: UInt16
  let usage: Usage
  private let stage: Stage
  private let child: Child
  private let folder: URL
  private let secret = UUID().uuidString

  init(on stage: Stage) throws {
    self.stage = stage
    folder = try stage.makeFolder("nginx")
    for name in ["signed", "plain", "tmp"] { _ = try stage.makeFolder("nginx/\(name)") }
    port = try Self.freePort()
    let configuration = folder.appending(path: "nginx.conf")
    try Self.configuration(folder: folder.path, port: port, secret: secret).write(
      to: configuration, atomically: false, encoding: .utf8)
    let log = folder.appending(path: "start.log")
    child = try stage.start(
      ["nginx", "-e", log.path, "-p", folder.path, "-c", configuration.path], core: 0, log: log)
    usage = Usage(pid: child.pid)
    try waitUntilItListens(log)
  }

  /// It ends its worker by itself.
  func stop() {
    kill(child.pid, SIGTERM)
    _ = stage.wait(for: child)
  }

  func clearLog() { truncate(folder.appending(path: "access.log")) }

  /// Serves the same file, the very inode: what differs is never the page cache.
  ///
  /// - Returns: the paths of a signed link, good for a day, and of the bare file.
  func host(_ file: URL) throws -> (signed: String, plain: String) {
    let name = UUID().uuidString + ".png"
    for place in ["signed", "plain"] {
      try FileManager.default.linkItem(
        at: file, to: folder.appending(path: place).appending(path: name))
    }
    let expiry = SystemClock.wallSeconds + 86_400
    let signed = folder.appending(path: "tmp/signed")
    try "\(expiry)/signed/\(name) \(secret)".write(to: signed, atomically: false, encoding: .utf8)
    let hex = try stage.run(["md5sum", signed.path]).prefix(32)
    return ("/signed/\(name)?md5=\(Self.base64URL(hex))&expires=\(expiry)", "/plain/\(name)")
  }

  private static func base64URL(_ hex: Substring) -> String {
    var bytes = Data()
    var rest = hex
    while rest.count >= 2 {
      bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
      rest = rest.dropFirst(2)
    }
    return bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
  }

  /// nginx can not be asked for any port: one that was free a moment ago.
  private static func freePort() throws -> UInt16 {
    let any = SocketAddress(.v4(0x7F00_0001, port: 0))
    return try StreamSocket.listen(on: any).localAddress().port
  }

  private func waitUntilItListens(_ log: URL) throws {
    for _ in 0..<100 {
      if child.process.isRunning, !usage.children().isEmpty,
        (try? LoopbackClient(port: port).fetch("/"))?.status == 404
      {
        return
      }
      usleep(50_000)
    }
    let said = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    throw Trouble("nginx did not start: \(said)")
  }

  /// `tcp_nopush` stays off: on, 40 ms tails (ngx_http_core_module). No limit of requests per
  /// connection: ours has none.
  private static func configuration(folder: String, port: UInt16, secret: String) -> String {
    """
    daemon off;
    \(getuid() == 0 ? "user root;" : "")
    worker_processes 1;
    pid \(folder)/nginx.pid;
    error_log \(folder)/error.log;
    events { worker_connections 4096; }
    http {
      types { image/png png; }
      default_type application/json;
      log_format line escape=json '{"time":"$time_iso8601","request_id":"$connection-$msec",'
        '"peer":"$remote_addr","method":"$request_method","path":"$uri","status":$status,'
        '"bytes":$body_bytes_sent,"seconds":$request_time}';
      access_log \(folder)/access.log line buffer=64k flush=1s;
      sendfile on;
      open_file_cache max=1024 inactive=60s;
      open_file_cache_valid 60s;
      keepalive_timeout 75s;
      keepalive_requests 1000000000;
      server_tokens off;
      client_body_temp_path \(folder)/tmp;
      proxy_temp_path \(folder)/tmp;
      fastcgi_temp_path \(folder)/tmp;
      uwsgi_temp_path \(folder)/tmp;
      scgi_temp_path \(folder)/tmp;
      add_header Cache-Control "public, max-age=86399, immutable";
      add_header X-Content-Type-Options nosniff;
      add_header Content-Security-Policy "default-src 'none'; sandbox";
      add_header Access-Control-Allow-Origin *;
      add_header Access-Control-Expose-Headers *;
      add_header Cross-Origin-Resource-Policy cross-origin;
      add_header Timing-Allow-Origin *;
      add_header Content-Disposition inline;
      server {
        listen 127.0.0.1:\(port) backlog=4096;
        root \(folder);
        location = / { return 404; }
        location /plain/ { }
        location /signed/ {
          secure_link $arg_md5,$arg_expires;
          secure_link_md5 "$secure_link_expires$uri \(secret)";
          if ($secure_link = "") { return 403; }
          if ($secure_link = "0") { return 410; }
        }
      }
    }
    """
  }
}
