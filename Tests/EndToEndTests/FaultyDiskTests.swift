import Foundation
import Glibc
import Synchronization
import Testing

/// No loop waits for a disk, and a disk that fails costs nobody money.
@Suite(.enabled(if: FaultyDisk.obstacle == nil, FaultyDisk.obstacle ?? ""))
struct FaultyDiskTests {
  private static let configuration = """
    { storage: { min_free_bytes: 0 }, upstreams: [{ name: "s", dialect: "sample" }],
      models: [{ id: "sample", upstream: "s" }] }
    """
  private static let order = "{\"model\":\"sample\",\"prompt\":\"x\",\"size\":\"128x128\"}"

  /// All of the disk, its images, its catalogue: what is at hand is served all the time, that the
  /// disk does not answer is told after a while, and it passes.
  @Test(arguments: ["", "/blobs/", "catalog.sqlite"])
  func nothingElseStopsWhileTheDiskStalls(_ part: String) async throws {
    try await onThread {
      let scratch = try Scratch()
      let disk = try FaultyDisk(scratch)
      let daemon = try Daemon(disk.path + "/store", configuration: Self.configuration)
      let warm = try [4096, 400_000].map { size in
        try daemon.host(png(seed: size, bytes: size), scratch)
      }
      let cold = try (0..<6).map { try daemon.host(png(seed: $0, bytes: 50_000), scratch) }
      // So many connections have both loops among them: on each, what is warm is so.
      let clients = try (0..<32).map { _ in try RawClient(daemon.base) }
      for client in clients { for path in warm { #expect(try client.get(path) == 200) } }

      let uploads = try Self.beginUploads(daemon)
      try disk.stall(part)
      for upload in uploads { upload.client.send(upload.rest) }
      let reads = try Self.beginReads(cold, daemon)
      let others = try Self.beginUploadsAndOrders(daemon)
      let end = ContinuousClock.now + .seconds(3)
      var rounds = 0
      while ContinuousClock.now < end || rounds < 2 {
        for client in clients {
          // Each gives up after 30 s: one that waits for the disk does.
          for path in ["/healthz", "/openapi.json"] + warm {
            #expect(try client.get(path) == 200, "\(path)")
          }
        }
        rounds += 1
      }
      try untilOnThread("it is told") { try clients[0].get("/readyz") == 503 }
      let told = try curl(daemon.base + "/readyz").text
      #expect(
        told.contains("\"reason\":\"disk_stalled\"") && told.contains("\"since\":"), "\(told)")
      #expect(try Self.generate(daemon) == 503, "nothing is bought")
      #expect(try Self.metric("assetd_ready", daemon) == "0")
      for client in clients { for path in warm { #expect(try client.get(path) == 200) } }
      try disk.heal()
      for client in reads { #expect(try Self.finalStatus(client) == 200) }
      // On a busy machine some come when it is told already: they are refused, and not bought.
      for client in uploads.map(\.client) + others.uploads {
        #expect([200, 201, 503].contains(try Self.finalStatus(client)))
      }
      let orders = try others.orders.map(Self.finalStatus)
      #expect(Set(orders).isSubset(of: [200, 503]))
      #expect(try Self.upstreamCalls(daemon) == orders.count { $0 == 200 }, "\(orders)")
      try untilOnThread("it is ready again") { try clients[0].get("/readyz") == 200 }
      #expect(try Self.generate(daemon) == 200)
    }
  }

  /// A file that is open, and whose bytes do not come: the thread that brings them into memory
  /// waits, and that is told as well.
  @Test func bytesThatDoNotComeAreToldOf() async throws {
    try await onThread {
      let scratch = try Scratch()
      let disk = try FaultyDisk(scratch)
      let daemon = try Daemon(disk.path + "/store", configuration: Self.configuration)
      let image = png(seed: 1, bytes: 400_000)
      let path = try daemon.host(image, scratch)
      #expect(try status("-I", daemon.base + path) == 200)
      try Self.forgetBlobs(of: daemon)
      try disk.stall("/blobs/")
      let client = try RawClient(daemon.base)
      client.send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
      try untilOnThread("it is told") { try status(daemon.base + "/readyz") == 503 }
      try disk.heal()
      #expect(try client.receiveToEnd().suffix(image.count) == image)
      try untilOnThread("it is ready again") { try status(daemon.base + "/readyz") == 200 }
    }
  }

  /// Nothing of them is in the kernel's memory.
  private static func forgetBlobs(of daemon: Daemon) throws {
    let folder = daemon.root + "/blobs/"
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name.count > 2 {
      let file = unsafe open(folder + name, O_RDONLY | O_CLOEXEC)
      try #require(file >= 0, "errno \(errno)")
      defer { close(file) }
      try #require(posix_fadvise(file, 0, 0, 4 /* POSIX_FADV_DONTNEED */) == 0)
    }
  }

  /// Uploads of which half has come: what comes now is to be written.
  private static func beginUploads(
    _ daemon: Daemon
  ) throws -> [(client: RawClient, rest: Data)] {
    let uploads = try (0..<8).map { number in
      let client = try RawClient(daemon.base)
      let image = png(seed: 80 + number, bytes: 800_000)
      client.send(
        "POST /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
          + "Content-Type: image/png\r\nContent-Length: \(image.count)\r\n\r\n")
      client.send(image.prefix(400_000))
      return (client, Data(image.dropFirst(400_000)))
    }
    try untilOnThread("each has its file") {
      try FileManager.default.contentsOfDirectory(atPath: daemon.root + "/incoming").count == 8
    }
    return uploads
  }

  private static func finalStatus(_ client: RawClient) throws -> Int {
    Int(String(decoding: try client.receiveToEnd().dropFirst(9).prefix(3), as: UTF8.self)) ?? 0
  }

  private static func upstreamCalls(_ daemon: Daemon) throws -> Int {
    try curl(daemon.base + "/metrics").text.split(separator: "\n")
      .filter { $0.hasPrefix("assetd_upstream_calls_total{") }
      .reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
  }

  private static let head = "Host: 127.0.0.1\r\nConnection: close\r\n"

  /// What needs the disk, or the catalogue, each kind on connections that meet both loops.
  private static func beginReads(_ cold: [String], _ daemon: Daemon) throws -> [RawClient] {
    let id = cold[0].split(separator: "/").last?.prefix { $0 != "." } ?? ""
    let gets = cold + ["/v1/assets", "/v1/assets/\(id)", "/v1/assets/\(id)?include=b64_json"]
    return try (gets + gets).map { path in
      let client = try RawClient(daemon.base)
      client.send("GET \(path) HTTP/1.1\r\n\(head)\r\n")
      return client
    }
  }

  private static func beginUploadsAndOrders(
    _ daemon: Daemon
  ) throws -> (uploads: [RawClient], orders: [RawClient]) {
    let image = png(seed: 77, bytes: 4096)
    func post(_ path: String, _ type: String, _ body: Data) throws -> RawClient {
      let client = try RawClient(daemon.base)
      client.send("POST \(path) HTTP/1.1\r\n\(head)Content-Type: \(type)\r\n")
      client.send("Content-Length: \(body.count)\r\n\r\n")
      client.send(body)
      return client
    }
    return (
      try (0..<4).map { _ in try post("/v1/assets", "image/png", image) },
      try (0..<4).map { _ in
        try post("/v1/images/generations", "application/json", Data(order.utf8))
      }
    )
  }

  /// A file system that became read-only, a disk that fails, one without an inode: nothing is
  /// bought, everything is said, and it passes by itself.
  @Test(arguments: [(EROFS, 503), (EIO, 503), (ENOSPC, 507)])
  func aDiskThatRefusesCostsNothing(_ code: Int32, _ status: Int) async throws {
    try await onThread {
      let scratch = try Scratch()
      let disk = try FaultyDisk(scratch)
      let daemon = try Daemon(disk.path + "/store", configuration: Self.configuration)
      let hosted = try daemon.host(png(seed: 1, bytes: 50_000), scratch)
      let cold = try daemon.host(png(seed: 2, bytes: 50_000), scratch)
      let client = try RawClient(daemon.base)
      #expect(try client.get(hosted) == 200)
      try disk.fail(code)
      let file = try scratch.file("more.png", png(seed: 3, bytes: 50_000))
      #expect(try Self.upload(file, daemon) == status)
      // Whoever was refused finds it not ready.
      #expect(try client.get("/readyz") == 503)
      #expect(try Self.metric("assetd_ready", daemon) == "0")
      #expect(try Self.metric("assetd_io_failures_total", daemon) != "0")
      #expect(try Self.generate(daemon) == status)
      for path in [hosted, cold] { #expect(try client.get(path) == 200) }
      #expect(try curl(daemon.base + "/metrics").text.contains("upstream_calls_total{") == false)
      try disk.heal()
      try untilOnThread("it is ready again") { try client.get("/readyz") == 200 }
      #expect(try Self.upload(file, daemon) == 201)
      #expect(try Self.generate(daemon) == 200)
    }
  }

  /// No inode is left, and nobody had to meet that: full is full before money is spent.
  @Test func aDiskWithoutInodesIsFull() async throws {
    try await onThread {
      let scratch = try Scratch()
      let disk = try FaultyDisk(scratch)
      let daemon = try Daemon(disk.path + "/store", configuration: Self.configuration)
      let client = try RawClient(daemon.base)
      #expect(try client.get("/readyz") == 200)
      try disk.exhaustFiles()
      try untilOnThread("it is full") { try client.get("/readyz") == 503 }
      let file = try scratch.file("more.png", png(seed: 3, bytes: 50_000))
      let refused = try curl(
        "-H", "Content-Type: image/png", "--data-binary", "@" + file, daemon.base + "/v1/assets")
      #expect(refused.text.contains("no inode left"), "\(refused.text)")
      #expect(try Self.upload(file, daemon) == 507)
      #expect(try Self.generate(daemon) == 507)
      #expect(try curl(daemon.base + "/metrics").text.contains("upstream_calls_total{") == false)
      try disk.heal()
      try untilOnThread("it has room again") { try client.get("/readyz") == 200 }
      #expect(try Self.upload(file, daemon) == 201)
      #expect(try Self.generate(daemon) == 200)
    }
  }

  private static func upload(_ file: String, _ daemon: Daemon) throws -> Int {
    try status(
      "-H", "Content-Type: image/png", "--data-binary", "@" + file, daemon.base + "/v1/assets")
  }

  private static func generate(_ daemon: Daemon) throws -> Int {
    try status(
      "-H", "Content-Type: application/json", "-d", order, daemon.base + "/v1/images/generations")
  }

  private static func metric(_ name: String, _ daemon: Daemon) throws -> String? {
    try curl(daemon.base + "/metrics").text.split(separator: "\n")
      .first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
  }
}

/// The same as `until`, for `onThread`.
func untilOnThread(_ what: Comment, _ condition: () throws -> Bool) throws {
  let end = ContinuousClock.now + .seconds(60)
  while try !condition() {
    try #require(ContinuousClock.now < end, what)
    usleep(2000)
  }
}
