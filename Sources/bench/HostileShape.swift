// The shapes in which peers have been seen, or can be thought, to keep an event loop busy.
internal import Foundation
internal import Kernel

/// One hostile exchange, to be repeated.
struct HostileShape: Sendable {
  let name: String
  /// Runs it once against the daemon's port.
  let attack: @Sendable (UInt16) throws -> Void

  /// All of them; those of upstreams order `prompt` at `HostileUpstream` and `HostileTLS`.
  static let all: [HostileShape] = requests + upstreams + upstreamsWithTLS

  private static let requests = [
    HostileShape(name: "JSON, 100,000 members") { port in
      let members = (0..<100_000).map { "\"m\($0)\":1" }.joined(separator: ",")
      try post("/v1/images/generations", "{\"prompt\":\"x\",\(members.prefix(1_000_000))}", port)
    },
    HostileShape(name: "JSON, 170,000 escapes") { port in
      let text = String(repeating: "\\u0001", count: 170_000)
      try post("/v1/images/generations", "{\"prompt\":\"x\",\"x\":\"\(text)\"}", port)
    },
    HostileShape(name: "JSON, 170,000 escapes beside an image") { port in
      let text = String(repeating: "\\u0001", count: 170_000)
      try post("/v1/assets", image + "\",\"x\":\"\(text)\"}", port)
    },
    HostileShape(name: "JSON, 60,000 deep") { port in
      try post("/v1/images/generations", String(repeating: "[", count: 60_000), port)
    },
    HostileShape(name: "base64, white space") { port in
      try post("/v1/assets", image + String(repeating: " ", count: 8 << 20) + "\"}", port)
    },
    HostileShape(name: "base64, escapes") { port in
      try post("/v1/assets", image + String(repeating: "\\u0041", count: 1 << 20) + "\"}", port)
    },
    HostileShape(name: "base64, line breaks") { port in
      try post("/v1/assets", image + String(repeating: "A\\n", count: 2 << 20) + "\"}", port)
    },
    HostileShape(name: "convert, 8 MiB of spaces") { port in
      let spaces = String(repeating: " ", count: 8 << 20)
      try post("/v1/images/convert", "{\(spaces)\"data\":[]}", port)
    },
    HostileShape(name: "chunks of one byte") { port in
      let connection = try RawConnection(port: port)
      connection.send(head("/v1/assets", "Transfer-Encoding: chunked", "image/png"))
      connection.send(String(repeating: "1\r\nx\r\n", count: 500_000))
      connection.readToEnd()
    },
    HostileShape(name: "endless fields") { port in
      let connection = try RawConnection(port: port)
      connection.send("GET / HTTP/1.1\r\n")
      for index in 0..<2000 where !connection.send("X-\(index): 0123456789abcdef\r\n") { return }
      connection.readToEnd()
    },
    HostileShape(name: "5,000 pipelined") { port in
      let connection = try RawConnection(port: port)
      let request = "GET /v1/temp-images/x.png HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
      let last = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
      try KernelThread.start(name: "sender") {
        connection.send(String(repeating: request, count: 5000) + last)
      }
      connection.readToEnd()
    },
    HostileShape(name: "lists of 1,000") { port in
      let client = try LoopbackClient(port: port)
      for _ in 0..<4 { _ = try client.fetch("/v1/assets?limit=1000") }
    },
    HostileShape(name: "filters that match nothing") { port in
      let client = try LoopbackClient(port: port)
      for query in [
        "model=none", "created_after=9999999999", "created_before=1", "retention=permanent",
        "model=model&retention=permanent",
      ] {
        let answer = try client.fetch("/v1/assets?limit=1000&\(query)")
        guard answer.status == 200 else {
          throw Trouble("A list was answered with \(answer.status).")
        }
      }
    },
  ]

  private static let upstreams = HostileUpstream.shapes.map {
    order($0, "hostile", "upstream, \($0)")
  }
  private static let upstreamsWithTLS = HostileTLS.shapes.map {
    order($0, "hostile-tls", "TLS, \($0)")
  }

  private static func order(_ prompt: String, _ model: String, _ name: String) -> HostileShape {
    HostileShape(name: name) { port in
      let order =
        "{\"model\":\"\(model)\",\"prompt\":\"\(prompt)\",\"response_format\":\"b64_json\"}"
      try post("/v1/images/generations", order, port)
    }
  }

  private static let image = "{\"b64_json\":\"iVBORw0KGgoAAAANSUhEUgAAABAAAAAJCAIAAAAA"

  private static func head(_ path: String, _ framing: String, _ type: String) -> String {
    "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \(type)\r\n"
      + "Connection: close\r\n\(framing)\r\n\r\n"
  }

  private static func post(_ path: String, _ body: String, _ port: UInt16) throws {
    let connection = try RawConnection(port: port)
    let framing = "Content-Length: \(body.utf8.count)"
    connection.send(head(path, framing, "application/json"))
    connection.send(body)
    connection.readToEnd()
  }
}
