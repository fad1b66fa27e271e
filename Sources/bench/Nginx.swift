internal import Foundation
internal import Kernel

/// An nginx with a worker per core, set up as one would for images: sendfile, as many open files
/// kept as ours keeps, a buffered access log, the same security headers as ours.
final class Nginx {
  let port: UInt16
  let usage: Usage
  private let stage: Stage
  private let child: Child
  private let folder: URL
  private let secret = UUID().uuidString

  init(on stage: Stage, cores: Stage.Cores) throws {
    self.stage = stage
    folder = try stage.makeFolder("nginx")
    _ = try stage.makeFolder("nginx/tmp")
    // As many folders as ours has for its blobs.
    for name in 0...255 { _ = try stage.makeFolder(String(format: "nginx/files/%02X", name)) }
    port = try Self.freePort()
    let configuration = folder.appending(path: "nginx.conf")
    let workers = cores == .both ? 2 : 1
    try Self.configuration(folder: folder.path, port: port, secret: secret, workers: workers)
      .write(to: configuration, atomically: false, encoding: .utf8)
    let log = folder.appending(path: "start.log")
    child = try stage.start(
      ["nginx", "-e", log.path, "-p", folder.path, "-c", configuration.path], cores: cores, log: log
    )
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
    let id = UUID().uuidString
    let name = "\(id.prefix(2))/\(id).png"
    try FileManager.default.linkItem(atPath: file.path, toPath: "\(folder.path)/files/\(name)")
    let expiry = SystemClock.wallSeconds + 86_400
    let hash = MD5.hash(Array("\(expiry)/signed/\(name) \(secret)".utf8))
    let text = Data(hash).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
    return ("/signed/\(name)?md5=\(text)&expires=\(expiry)", "/plain/\(name)")
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

  /// Several workers listen each for themselves, as our loops do: else one of them takes most.
  ///
  /// `tcp_nopush` stays off: on, 40 ms tails (ngx_http_core_module). No limit of requests per
  /// connection: ours has none.
  private static func configuration(folder: String, port: UInt16, secret: String, workers: Int)
    -> String
  {
    """
    daemon off;
    \(getuid() == 0 ? "user root;" : "")
    worker_processes \(workers);
    worker_rlimit_nofile 16384;
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
      open_file_cache max=4096 inactive=60s;
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
        listen 127.0.0.1:\(port) backlog=4096\(workers > 1 ? " reuseport" : "");
        root \(folder);
        location = / { return 404; }
        location /plain/ { alias \(folder)/files/; }
        location /signed/ {
          alias \(folder)/files/;
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
