import Foundation
import Glibc
import Synchronization
import Testing

/// The paid path's table (AssetService.docc/PaidPath.md), "crash" and "SIGTERM": the real daemon
/// ends while an order is at each place. What is counted is what was bought.
@Suite struct PaidEndTests {
  /// Where the order is.
  enum Place: String, CaseIterable {
    case unsent, inLine, sent, arriving, durable, delivered
  }

  /// Larger than what the sockets of a client that does not read take.
  private static let large = png(seed: 1, bytes: 16 << 20)
  private static let small = png(seed: 2, bytes: 2_000_000)
  private static let order = "{\"model\":\"m\",\"prompt\":\"a fox\"}"

  /// What both ends have in common.
  private struct Scene {
    let scratch: Scratch
    let upstream: ScriptedUpstream
    let place: Place
    var root: String { scratch.path + "/store" }
    var image: Data { place == .durable ? PaidEndTests.large : PaidEndTests.small }

    init(_ place: Place) throws {
      self.place = place
      scratch = try Scratch()
      let image = place == .durable ? PaidEndTests.large : PaidEndTests.small
      let first =
        switch place {
        case .durable, .delivered: Int.max
        case .arriving: image.count / 2
        case .unsent, .inLine, .sent: 0
        }
      upstream = try ScriptedUpstream { _, _ in .image(image, first: first) }
    }

    func start(errors: Child.Stream = .null) throws -> Daemon {
      try Daemon(
        root,
        configuration: """
          { storage: { min_free_bytes: 0 }, limits: { drain_timeout: "300s" },
            upstreams: [ { name: "u", dialect: "openai", base_url: "\(upstream.origin)/v1",
                           max_concurrent: 1 } ],
            models: [ { id: "m", upstream: "u", expected_bytes: "1MiB" } ] }
          """, errors: errors)
    }

    func send(_ daemon: Daemon, isWhole: Bool = true) throws -> RawClient {
      let client = try RawClient(daemon.base)
      let format = place == .durable ? "b64_json" : "url"
      let order = String(PaidEndTests.order.dropLast()) + ",\"response_format\":\"\(format)\"}"
      let wait = isWhole ? "" : "Expect: 100-continue\r\n"
      client.send(
        "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n\(wait)"
          + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n"
          + "Connection: close\r\n\r\n" + (isWhole ? order : ""))
      if !isWhole {
        // The order's handler has begun to read.
        let interim = try #require(try client.receive(1 << 16))
        #expect(String(decoding: interim, as: UTF8.self).hasPrefix("HTTP/1.1 100 "))
      }
      return client
    }
  }

  /// Brings an order to its place; the clients that wait.
  private func bring(_ scene: Scene, _ daemon: Daemon) throws -> [RawClient] {
    if scene.place == .unsent { return [try scene.send(daemon, isWhole: false)] }
    let first = try scene.send(daemon)
    try wait("the upstream is asked") { scene.upstream.orders.count == 1 }
    switch scene.place {
    case .unsent, .sent: return [first]
    case .inLine:
      let second = try scene.send(daemon)
      try wait("it is in line") { try daemon.stat("reserved_bytes") >= 2 << 20 }
      return [first, second]
    case .arriving:
      try wait("a part is on the disk") {
        try Self.files(scene.root + "/incoming").contains { $0 > 0 }
      }
      return [first]
    case .durable:
      try wait("its row is there") { try daemon.stat("assets") == 1 }
      return [first]
    case .delivered:
      #expect(Self.code(of: try first.receiveToEnd()) == 200)
      return []
    }
  }

  private static func code(of answer: Data) -> Int {
    Int(String(decoding: answer.dropFirst(9).prefix(3), as: UTF8.self)) ?? 0
  }

  /// The sizes of the files of a folder.
  private static func files(_ folder: String) throws -> [Int] {
    try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name in
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/" + name)
      return attributes?[.size] as? Int
    }
  }

  /// On a thread of its own.
  private func wait(_ what: Comment, _ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(120)
    while try !condition() { try #require(ContinuousClock.now < end, what) }
  }

  /// The store as the next start finds it: so many assets, each whole, and nothing half.
  private func expect(_ assets: Int, _ scene: Scene, orders: Int) throws {
    let daemon = try scene.start()
    #expect(try Self.files(scene.root + "/incoming").isEmpty)
    #expect(try daemon.stat("assets") == assets)
    let list = try curl("-f", daemon.base + "/v1/assets").decoded(AssetList.self)
    #expect(list.data.count == assets)
    for asset in list.data {
      let path = try #require(URL(string: asset.url)).path
      #expect(try curl("-f", daemon.base + path).output == scene.image)
    }
    #expect(scene.upstream.orders.count == orders, "nothing is bought by itself")
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
    scene.upstream.stop()
  }

  private struct AssetList: Decodable { let data: [AssetAnswer] }

  // MARK: A crash

  @Test(arguments: Place.allCases)
  func aCrashKeepsWhatIsDurable(_ place: Place) async throws {
    try await onThread {
      let scene = try Scene(place)
      let daemon = try scene.start()
      let clients = try bring(scene, daemon)
      daemon.crash()
      for client in clients { client.close() }
      let isKept = place == .durable || place == .delivered
      try expect(isKept ? 1 : 0, scene, orders: place == .unsent ? 0 : 1)
    }
  }

  // MARK: SIGTERM

  /// What was begun before it is served, what waits in line is not sent, and what is paid for is
  /// stored.
  @Test(arguments: Place.allCases)
  func sigtermLosesNothing(_ place: Place) async throws {
    try await onThread {
      let scene = try Scene(place)
      let daemon = try scene.start()
      let clients = try bring(scene, daemon)
      daemon.signal(15)
      if !clients.isEmpty {
        try wait("no more is accepted") { try EndToEndTests.status(daemon.base + "/healthz") == 0 }
      }
      switch place {
      case .unsent: try finish(clients[0], scene)
      case .inLine:
        let refused = String(decoding: try clients[1].receiveToEnd(), as: UTF8.self)
        #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("shutting_down"))
      case .sent, .arriving, .durable, .delivered: break
      }
      scene.upstream.release()
      if let client = clients.first {
        let answer = try client.receiveToEnd()
        #expect(Self.code(of: answer) == 200)
        if place == .durable {
          #expect(answer.range(of: Data(scene.image.base64EncodedString().utf8)) != nil)
        }
      }
      #expect(daemon.process.exitStatus == 0)
      try expect(1, scene, orders: 1)
    }
  }

  private struct Event: Decodable {
    let message: String?
    let generationID: String?
    let model: String?
    let upstream: String?
    let upstreamRequestID: String?
    enum CodingKeys: String, CodingKey {
      case message, model, upstream
      case generationID = "generation_id", upstreamRequestID = "upstream_request_id"
    }
  }

  /// A second one waits for nothing; the log has what may be had of the upstream yet.
  @Test func theSecondSignalTellsWhatIsLost() async throws {
    try await onThread {
      let scene = try Scene(.arriving)
      let log = scene.scratch.path + "/log"
      let daemon = try scene.start(errors: .file(log))
      let clients = try bring(scene, daemon)
      daemon.signal(15)
      try wait("no more is accepted") { try EndToEndTests.status(daemon.base + "/healthz") == 0 }
      #expect(daemon.process.isRunning)
      daemon.signal(15)
      #expect(daemon.process.exitStatus == 0)
      for client in clients { client.close() }
      let lines = try Data(contentsOf: URL(fileURLWithPath: log)).split(separator: UInt8(0x0A))
      let told = try lines.map { try JSONDecoder().decode(Event.self, from: $0) }
        .filter { $0.message == "a paid call was abandoned" }
      #expect(told.count == 1)
      #expect(told.first?.generationID?.hasPrefix("gen-") == true)
      #expect(told.first?.model == "m" && told.first?.upstream == "u")
      #expect(told.first?.upstreamRequestID == "req_1")
      scene.upstream.release()
      try expect(0, scene, orders: 1)
    }
  }

  /// The body of an order that was begun before the signal.
  private func finish(_ client: RawClient, _ scene: Scene) throws {
    client.send(String(Self.order.dropLast()) + ",\"response_format\":\"url\"}")
    try wait("it is sent") { scene.upstream.orders.count == 1 }
  }
}
