import Foundation
import Glibc
import Testing

// O2, O3, O5 and O6 of PROMISES.md against the real daemon.

@Suite(.serialized) struct StandsTests {
  /// O3: those who are slow wait by themselves. Each is told so after `header_timeout`.
  @Test func slowHeadsHoldUpNobody() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(
      scratch.path + "/store", configuration: "{ limits: { header_timeout: \"2s\" } }")
    let path = try daemon.host(png(seed: 1, bytes: 4096), scratch)
    let quick = try RawClient(daemon.base)
    #expect(try quick.get(path) == 200)
    let idle = try daemon.descriptors()
    let slow = try (0..<1000).map { _ in
      let client = try RawClient(daemon.base)
      client.send("GET \(path) HTTP/1.1\r\nHo")
      return client
    }
    for _ in 0..<100 { #expect(try quick.get(path) == 200) }
    for client in slow {
      client.send("s")
      let answer = String(decoding: try client.receiveToEnd(), as: UTF8.self)
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408 "))
    }
    try await until("all are gone") { try daemon.descriptors() <= idle + 1 }
  }

  /// O2: with 64 descriptors everything works, and those who are too many wait without harm.
  @Test func sixtyFourDescriptorsAreEnough() async throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store", descriptors: 64)
    let paths = try (0..<40).map { try daemon.host(png(seed: $0, bytes: 4096), scratch) }
    let first = try RawClient(daemon.base)
    for path in paths { #expect(try first.get(path) == 200) }
    let crowd = try (0..<100).map { _ in try RawClient(daemon.base) }
    for path in paths { #expect(try first.get(path) == 200) }
    for client in crowd { client.close() }
    for path in paths { #expect(try RawClient(daemon.base).get(path) == 200) }
    _ = try daemon.host(png(seed: 99, bytes: 400_000), scratch)
    #expect(try daemon.descriptors() <= 64)
  }

  /// O5: an upstream that never answers, and more orders for it than it may have, change nothing
  /// for others.
  @Test func aSilentUpstreamStarvesNobody() async throws {
    let scratch = try Scratch()
    let silent = try SilentServer()
    let daemon = try Daemon(
      scratch.path + "/store",
      configuration: """
        { upstreams: [{ name: "a", dialect: "openai", max_concurrent: 64,
            base_url: "http://127.0.0.1:\(silent.port)/v1" }],
          models: [{ id: "m", upstream: "a", expected_bytes: "1MiB" }] }
        """)
    let image = png(seed: 1, bytes: 4096)
    let path = try daemon.host(image, scratch)
    let order = "{\"model\":\"m\",\"prompt\":\"x\"}"
    let waiting = try (0..<100).map { _ in
      let client = try RawClient(daemon.base)
      client.send(
        "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n\(order)")
      return client
    }
    try await until("all wait") { try daemon.stat("reserved_bytes") >= 100 << 20 }
    #expect(try RawClient(daemon.base).get(path) == 200)
    _ = try daemon.host(png(seed: 2, bytes: 400_000), scratch)
    for client in waiting { client.close() }
    #expect(try RawClient(daemon.base).get(path) == 200)
    daemon.crash()
  }

  /// O6: downloads in progress end whole, a generation is stored though its client has left, and
  /// the daemon ends with 0.
  @Test func terminationUnderLoadLosesNothing() async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    let daemon = try Daemon(root)
    let image = png(seed: 1, bytes: 8 << 20)
    let path = try daemon.host(image, scratch)
    let downloads = try (0..<8).map { _ in
      let client = try RawClient(daemon.base)
      client.send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      return (client, try #require(try client.receive(1)))
    }
    let order = #"{"model":"sample","prompt":"x","size":"96x96","n":6}"#
    let buyer = try RawClient(daemon.base)
    buyer.send(
      "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n\r\n\(order)")
    try await until("the order is taken") {
      try daemon.stat("reserved_bytes") > 0 || daemon.stat("assets") > 1
    }
    buyer.reset()
    daemon.signal(15)
    try await until("the door is closed") { (try? RawClient(daemon.base)) == nil }
    for (client, begun) in downloads {
      let all = begun + (try client.receiveToEnd())
      // Not compared in the macro, which would look for where 8 MiB differ.
      let isWhole = all.suffix(image.count) == image
      #expect(isWhole, "\(all.count) bytes came")
    }
    #expect(daemon.process.exitStatus == 0)
    #expect(try Daemon(root).stat("assets") == 7)
  }
}

/// Accepts in the kernel, and never says a word.
private final class SilentServer {
  private let number: Int32
  let port: Int

  init() throws {
    number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (number, length) = (number, size)
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, length) + listen(number, 512) + getsockname(number, $0, &size)
      }
    }
    try #require(result == 0, "errno \(errno)")
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  deinit { close(number) }
}
