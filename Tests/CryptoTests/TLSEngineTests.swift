import Crypto
import Testing

private let message = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

@Test(arguments: [Int.max, 1_460, 1])
func plaintextCrossesInPiecesOfAnySize(_ piece: Int) throws {
  let (client, server) = (try TLSPeer.client(), try TLSPeer.server())
  try client.shake(with: server, piece: piece)
  #expect(client.version == "TLSv1.3")
  #expect(client.agreedHTTP1 && server.agreedHTTP1)

  let request = Array("GET / HTTP/1.1\r\n\r\n".utf8)
  var got: [UInt8] = []
  try server.feed(client.encrypted(request), piece: piece) { got += try server.readAll().bytes }
  #expect(got == request)

  got = []
  try client.feed(server.encrypted(message), piece: piece) { got += try client.readAll().bytes }
  #expect(got == message)
}

@Test func theSmallestBufferReadsAll() throws {
  let (client, server) = try TLSPeer.pair()
  client.feed(try server.encrypted(Array(message[..<3_000])))
  #expect(try client.read(into: 0) == .plaintext(0))
  #expect(try client.readAll(buffer: 1).bytes == Array(message[..<3_000]))
}

@Test func aWriteStopsAtTheThreshold() throws {
  let (client, _) = try TLSPeer.pair()
  _ = client.drained()
  let large = [UInt8](repeating: 7, count: 1 << 20)
  let taken = try client.write(large)
  #expect(taken == TLSEngine.drainThreshold, "four records reach it, with their headers")
  #expect(client.pending > taken && client.pending < taken + 1_024)
  #expect(try client.write(large) == 0)
  _ = client.drained()
  #expect(try client.write(large) == taken)
}

@Test func anOrderlyEndIsClosed() throws {
  let (client, server) = try TLSPeer.pair()
  var bytes = try server.encrypted(Array(message[..<100]))
  server.shutdown()
  bytes += server.drained()
  server.shutdown()
  #expect(server.pending == 0, "close_notify is sent once")
  #expect(throws: TLSFailure.self) { try server.write([1]) }
  client.feed(bytes)
  client.feedEnd()
  let read = try client.readAll()
  #expect(read.bytes == Array(message[..<100]))
  #expect(read.end == .closed)
  #expect(try client.readAll().end == .closed)
}

@Test func eachDirectionEndsByItself() throws {
  // RFC 8446 section 6.1: close_notify ends its sender's direction only.
  let (client, server) = try TLSPeer.pair()
  server.shutdown()
  client.feed(server.drained())
  #expect(try client.readAll().end == .closed)
  server.feed(try client.encrypted(Array(message[..<50])))
  #expect(try server.readAll().bytes == Array(message[..<50]))
}

@Test(arguments: [0, 1, 60])
func anEndWithoutCloseNotifyIsTruncated(_ lost: Int) throws {
  let (client, server) = try TLSPeer.pair()
  var bytes = try server.encrypted(Array(message[..<100]))
  bytes += try server.encrypted(Array(message[100..<200]))
  bytes.removeLast(lost)
  client.feed(bytes)
  #expect(try client.readAll().end == .wantsCiphertext)
  client.feedEnd()
  #expect(try client.readAll().end == .truncated)
  #expect(try client.readAll().end == .truncated)
  client.shutdown()
}

@Test func theEndIsToldAfterTheLastRecord() throws {
  let (client, server) = try TLSPeer.pair()
  client.feed(try server.encrypted(message))
  client.feedEnd()
  let read = try client.readAll()
  #expect(read.bytes == message)
  #expect(read.end == .truncated)
}

@Test func everyAlteredByteOfARecordIsRefused() throws {
  var position = 0
  var count = 1
  while position < count {
    let (client, server) = try TLSPeer.pair()
    var bytes = try server.encrypted([1, 2, 3])
    count = bytes.count
    bytes[position] ^= 1
    client.feed(bytes)
    client.feedEnd()
    // A greater length makes the engine wait for more; anything else is refused at once.
    do {
      let read = try client.readAll()
      #expect(read.bytes.isEmpty && read.end == .truncated, "byte \(position)")
    } catch let failure as TLSFailure {
      #expect(failure.kind == .protocol, "byte \(position): \(failure)")
      #expect(throws: failure) { try client.readAll() }
      #expect(throws: failure) { try client.write([1]) }
    }
    position += 1
  }
  #expect(position > 20)
}

@Test func theServerSeesTheClientsRefusal() throws {
  let (client, server) = (try TLSPeer.client(to: "other.test"), try TLSPeer.server())
  #expect(throws: TLSFailure.self) { try client.shake(with: server) }
  server.feed(client.drained())
  let failure = #expect(throws: TLSFailure.self) {
    _ = try server.handshake()
    _ = try server.readAll()
  }
  #expect(failure?.kind == .protocol)
}
