internal import Foundation
internal import Kernel

/// An upstream that answers each order in the shape that its prompt names.
enum HostileUpstream {
  /// The prompts that it knows.
  static let shapes = ["spaces in base64", "escapes", "one-byte chunks", "interim heads", "fields"]

  static func start() throws -> LocalServer { try LocalServer(answer) }

  @Sendable
  private static func answer(_ peer: RawConnection) {
    var request = peer.readHead()
    while !request.contains("prompt") {
      let more = peer.read()
      if more.isEmpty { return }
      request += String(decoding: more, as: UTF8.self)
    }
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    let start = "{\"data\":[{\"b64_json\":\"iVBORw0KGgoAAAANSUhEUgAAABAAAAAJCAIAAAAA"
    let endless = "Connection: close\r\n\r\n"
    switch shapes.first(where: { request.contains($0) }) {
    case "spaces in base64":
      peer.send(ok + endless + start)
      send(String(repeating: " ", count: 1 << 20), times: 64, to: peer)
    case "escapes":
      peer.send(ok + endless + start)
      send(String(repeating: "\\u0041", count: 1 << 16), times: 64, to: peer)
    case "one-byte chunks":
      peer.send(ok + "Transfer-Encoding: chunked\r\n\r\n")
      send(String(repeating: "1\r\n \r\n", count: 1 << 17), times: 32, to: peer)
    case "interim heads":
      send(
        String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 1 << 12), times: 64, to: peer)
    default:
      peer.send(ok)
      send(String(repeating: "X-A: 0123456789abcdef\r\n", count: 1 << 12), times: 64, to: peer)
    }
  }

  private static func send(_ text: String, times: Int, to peer: RawConnection) {
    let bytes = Array(text.utf8)
    for _ in 0..<times where !peer.send(bytes) { return }
  }
}
