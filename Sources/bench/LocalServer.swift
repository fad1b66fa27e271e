internal import Foundation
internal import Kernel

/// A server of the bench itself on a port of the loopback interface: a thread for each connection.
final class LocalServer: Sendable {
  /// Where it listens.
  let port: UInt16

  init(_ answer: @escaping @Sendable (RawConnection) -> Void) throws {
    let listener = try StreamSocket.listen(on: SocketAddress(.v4(0x7F00_0001, port: 0)))
    guard fcntl(listener.number, F_SETFL, 0) == 0 else {
      throw Trouble("A listener can not be made blocking.")
    }
    port = UInt16(try listener.localAddress().port)
    let held = Held(listener)
    try KernelThread.start(name: "upstream", isAwaited: false) {
      var address = SocketAddress(.path(""))
      while let socket = try? held.socket.accept(&address) {
        guard let connection = try? RawConnection(socket) else { continue }
        try? KernelThread.start(name: "answer", isAwaited: false) { answer(connection) }
      }
    }
  }

  private final class Held: Sendable {
    let socket: StreamSocket
    init(_ socket: consuming StreamSocket) { self.socket = socket }
  }
}
