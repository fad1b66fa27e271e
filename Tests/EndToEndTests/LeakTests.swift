import Foundation
import Testing

// H8: a client that leaves at any point leaks no descriptor, file, slot or reservation. With
// ASSETD_SOAK=1 as many times as PROMISES.md says; a few by default.

@Suite(.serialized) struct LeakTests {
  private static let isSoak = ProcessInfo.processInfo.environment["ASSETD_SOAK"] == "1"
  private static let requests = isSoak ? 100_000 : 3000
  private static let rounds = isSoak ? 50 : 3

  /// Where a client leaves: what it sends, and how much of the answer it waits for.
  private struct Stage {
    let name: String
    let sends: [Data]
    var reads = 0
  }

  private func stages(_ small: String, _ large: String) -> [Stage] {
    func get(_ path: String) -> Data {
      Data("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
    }
    func post(_ path: String, _ type: String, _ length: String) -> Data {
      Data(
        "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \(type)\r\n\(length)\r\n\r\n"
          .utf8)
    }
    let id = large.dropFirst("/images/".count).prefix { $0 != "." }
    let image = png(seed: 5, bytes: 4000)
    let order = Data(#"{"model":"sample","prompt":"x","size":"64x64"}"#.utf8)
    let convert = Data(#"{"data":[{"b64_json":"iVBORw0KGgoAAAANSUhEUgAAABAAAAAJCAIAAAAA"#.utf8)
    return [
      Stage(name: "connected", sends: []),
      Stage(name: "mid-head", sends: [Data("GET /images/x HTTP/1.1\r\nHo".utf8)]),
      Stage(
        name: "mid-body", sends: [post("/v1/assets", "image/png", "Content-Length: 99999"), image]),
      Stage(
        name: "mid-chunk",
        sends: [
          post("/v1/assets", "image/png", "Transfer-Encoding: chunked"), Data("FFFF\r\n".utf8),
          image,
        ]),
      Stage(
        name: "mid-base64",
        sends: [post("/v1/images/convert", "application/json", "Content-Length: 99999"), convert]),
      Stage(
        name: "before the answer",
        sends: [
          post("/v1/images/generations", "application/json", "Content-Length: \(order.count)"),
          order,
        ]),
      Stage(name: "mid-sendfile", sends: [get(large)], reads: 1000),
      Stage(name: "before sendfile", sends: [get(large)]),
      Stage(name: "mid-stream", sends: [get("/v1/assets/\(id)?include=b64_json")], reads: 1000),
      Stage(
        name: "lingering",
        sends: [post("/v1/nothing", "image/png", "Content-Length: 9999999"), image], reads: 10),
      Stage(name: "idle", sends: [get(small)], reads: 4096),
      Stage(name: "pipelined", sends: (0..<50).map { _ in get(small) }, reads: 1000),
    ]
  }

  private func leave(_ stage: Stage, at daemon: Daemon, halfClosing: Bool) throws {
    let client = try RawClient(daemon.base)
    for data in stage.sends { client.send(data) }
    var left = stage.reads
    while left > 0, let more = try client.receive(left), !more.isEmpty { left -= more.count }
    guard halfClosing else { return client.reset() }
    client.finish()
    // The daemon ends it, and not only when it has been silent for long.
    try client.receiveToEnd()
  }

  @Test func aClientMayLeaveAtEveryStage() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let small = try daemon.host(png(seed: 1, bytes: 4096), scratch)
    let large = try daemon.host(png(seed: 2, bytes: 6 << 20), scratch)
    // Both loops open both files, and whatever is opened once.
    for _ in 0..<20 {
      #expect(try RawClient(daemon.base).get(small) == 200)
      #expect(try RawClient(daemon.base).get(large) == 200)
    }
    let all = stages(small, large)
    // The kernel chooses the loop of a connection: some rounds, until each has met every stage.
    for _ in 0..<6 {
      for stage in all { try leave(stage, at: daemon, halfClosing: true) }
    }
    try await settle(daemon)
    let idle = try daemon.descriptors()
    let kinds = try daemon.descriptorKinds()
    for _ in 0..<Self.rounds {
      for stage in all {
        for halfClosing in [true, false] {
          try leave(stage, at: daemon, halfClosing: halfClosing)
        }
      }
    }
    try await settle(daemon)
    // One more of any kind, and a catalogue with its log: the second thread for lists opens it when
    // two of them meet.
    do {
      try await until("descriptors come back") { try daemon.descriptors() <= idle + 3 }
    } catch {
      Issue.record("\(try daemon.descriptorKinds().difference(from: kinds).insertions)")
      throw error
    }
    #expect(try RawClient(daemon.base).get(small) == 200)
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  /// Generations whose client has left are finished first; then nothing is reserved or being
  /// written.
  private func settle(_ daemon: Daemon) async throws {
    try await until("nothing is reserved") { try daemon.stat("reserved_bytes") == 0 }
    try await until("nothing is written") {
      try FileManager.default.contentsOfDirectory(atPath: daemon.root + "/incoming").isEmpty
    }
  }

  @Test func requestsLeaveNothing() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store", configuration: "{ log: { access: \"off\" } }")
    let path = try daemon.host(png(seed: 1, bytes: 4096), scratch)
    func round(_ count: Int) throws {
      let client = try RawClient(daemon.base)
      for index in 0..<count {
        // Every tenth on a connection of its own.
        let one = index % 10 == 0 ? try RawClient(daemon.base) : client
        try #require(try one.get(index % 3 == 0 ? "/v1/assets?limit=1" : path) == 200)
      }
    }
    try round(1000)
    let (descriptors, memory) = (try daemon.descriptors(), try daemon.memory("VmRSS"))
    try round(Self.requests)
    try await until("descriptors come back") { try daemon.descriptors() <= descriptors }
    let grown = try daemon.memory("VmRSS") - memory
    #expect(grown < 4096, "\(grown) KiB")
  }

  /// PERFORMANCE.md: 10,000 idle connections in 40 MB.
  @Test func anIdleConnectionIsSmall() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store", configuration: "{ log: { access: \"off\" } }")
    let path = try daemon.host(png(seed: 1, bytes: 4096), scratch)
    for _ in 0..<20 { try RawClient(daemon.base).get(path) }
    let idle = try daemon.memory("VmRSS")
    let count = 2000
    var clients: [RawClient] = []
    for _ in 0..<count {
      let client = try RawClient(daemon.base)
      try client.get(path)
      clients.append(client)
    }
    let grown = try daemon.memory("VmRSS") - idle
    #expect(grown <= count * 4, "\(grown) KiB for \(count) connections")
  }
}
