internal import Foundation
internal import Kernel

/// A blocking connection that sends whatever it is told, well formed or not.
final class RawConnection: Sendable {
  private let socket: StreamSocket

  /// Connects to a port of this machine.
  convenience init(port: UInt16) throws {
    try self.init(StreamSocket.connect(to: SocketAddress(.v4(0x7F00_0001, port: port))))
  }

  /// Takes over a socket.
  init(_ socket: consuming StreamSocket) throws {
    self.socket = socket
    guard fcntl(self.socket.number, F_SETFL, 0) == 0 else {
      throw Trouble("A socket can not be made blocking.")
    }
  }

  /// The socket's descriptor; valid as long as this value lives.
  var number: Int32 { socket.number }

  /// Sends all of it; `false` when the peer is gone or takes no more.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      guard let count = try? socket.send(bytes.span.extracting(done..<bytes.count), more: false)
      else { return false }
      done += count
    }
    return true
  }

  /// Sends text.
  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// Reads what comes next; empty when nothing does any more.
  func read() -> [UInt8] {
    var chunk: [UInt8] = []
    try? chunk.append(addingCapacity: 64 << 10) { output in
      _ = try socket.receive(into: &output)
    }
    return chunk
  }

  /// Reads until the peer has ended, or is gone.
  func readToEnd() { while !read().isEmpty {} }

  /// Reads the head of an answer or a request, and what came with it.
  func readHead() -> String {
    var text = ""
    while !text.contains("\r\n\r\n") {
      let more = read()
      if more.isEmpty { break }
      text += String(decoding: more, as: UTF8.self)
    }
    return text
  }
}
