import Kernel
import Testing

@testable import Net

struct TCPListenerTests {
  private func peer(_ text: String) throws -> Peer { Peer(try #require(SocketAddress(text))) }

  @Test func admissionCounts() throws {
    let admission = Admission(limit: 3, limitPerAddress: 2)
    let (one, two) = (try peer("10.0.0.1:1"), try peer("10.0.0.2:1"))
    #expect(admission.admit(one, isExempt: false))
    #expect(admission.admit(one, isExempt: false))
    #expect(!admission.admit(one, isExempt: false))
    #expect(admission.current == 2)
    #expect(admission.admit(one, isExempt: true))
    #expect(admission.isFull)
    #expect(!admission.admit(two, isExempt: false))
    admission.release(one, isExempt: true)
    #expect(admission.admit(two, isExempt: false))
    for peer in [one, one, two] { admission.release(peer, isExempt: false) }
    #expect(admission.current == 0)
    #expect(admission.admit(one, isExempt: false))
  }

  /// One IPv6 customer holds a /64.
  @Test func addressesOfOneSubnetShare() throws {
    let admission = Admission(limit: 9, limitPerAddress: 1)
    #expect(admission.admit(try peer("[2001:db8::1]:1"), isExempt: false))
    #expect(!admission.admit(try peer("[2001:db8::2]:1"), isExempt: false))
    #expect(admission.admit(try peer("[2001:db8:0:1::1]:1"), isExempt: false))
  }

  /// Sharing is for our own loops only: who opens a port that is held is told, before and after
  /// others joined.
  @Test func aPortIsOpenedOnce() throws {
    let any = try #require(SocketAddress("127.0.0.1:0"))
    let first = try StreamSocket.listen(on: any, sharing: .first)
    let port = try first.localAddress()
    #expect(port.port != 0)
    let further = try StreamSocket.listen(on: port, sharing: .further)
    for sharing in [StreamSocket.PortSharing.none, .first] {
      #expect(throws: Errno(.bind, code: 98)) {
        _ = try StreamSocket.listen(on: port, sharing: sharing)
      }
    }
    _ = consume first
    _ = consume further
  }
}

/// Counts what it is handed.
private final class Counter: TCPAcceptor {
  var count = 0
  func accepted(
    _ stream: consuming TCPStream, from peer: Peer, isExempt: Bool, on loop: isolated EventLoop
  ) { count += 1 }
}

private final class Client {
  let socket: StreamSocket
  init(_ endpoint: Endpoint) throws { socket = try StreamSocket.connect(to: endpoint) }
}

struct TCPListenerDrainTests {
  /// Connections that the kernel has completed are not reset by the end: they are accepted first.
  @Test func waitingConnectionsAreAccepted() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let accepted = try await loop.run { loop in
      let counter = Counter()
      let listener = try TCPListener(
        SocketAddress(.v4(0x7F00_0001, port: 0)),
        admission: Admission(limit: 1000, limitPerAddress: 1000), isExempt: { _ in true },
        acceptor: counter)
      try listener.start(on: loop)
      // The loop is busy here: nothing accepts them until the listener is drained.
      var clients: [Client] = []
      for _ in 0..<100 {
        clients.append(try Client(listener.endpoint))
      }
      listener.drain(on: loop)
      return counter.count
    }
    #expect(accepted == 100)
    loop.stop()
  }

  /// Edges while a turn is due add no turns: under a flood they would add up, until one turn of the
  /// loop accepted the whole queue.
  @Test func turnsDoNotAddUp() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let accepted = try await loop.run { loop in
      let counter = Counter()
      let listener = try TCPListener(
        SocketAddress(.v4(0x7F00_0001, port: 0)),
        admission: Admission(limit: 1000, limitPerAddress: 1000), isExempt: { _ in true },
        acceptor: counter)
      try listener.start(on: loop)
      var clients: [Client] = []
      for _ in 0..<300 { clients.append(try Client(listener.endpoint)) }
      var counts: [Int] = []
      for _ in 0..<3 {
        listener.ready(.all, on: loop)
        counts.append(counter.count)
      }
      listener.stop(on: loop)
      return counts
    }
    #expect(accepted == [64, 64, 64])
    loop.stop()
  }
}
