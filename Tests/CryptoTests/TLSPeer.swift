import Crypto
import Testing

/// One side of a connection in memory.
///
/// A class around the engine, because what cannot be copied cannot stand in an expectation.
final class TLSPeer {
  private var engine: TLSEngine

  init(_ engine: consuming TLSEngine) {
    self.engine = engine
  }

  /// Made once, because reading the system's authorities takes 30 ms.
  private static let trustingClients = Result {
    try TLSContext.client(additionalAuthorities: Array(Certificates.authority.utf8))
  }

  /// A client that trusts the test authority, or the given one instead.
  static func client(
    to host: String = "assets.test", trusting authority: String? = nil
  ) throws -> TLSPeer {
    let context =
      if let authority {
        try TLSContext.client(additionalAuthorities: Array(authority.utf8))
      } else {
        try trustingClients.get()
      }
    return TLSPeer(try context.connection(to: host))
  }

  static func server(_ certificate: String = Certificates.good) throws -> TLSPeer {
    let context = try TLSContext.server(
      certificate: Array(certificate.utf8), key: Array(Certificates.key.utf8))
    return TLSPeer(context.acceptedConnection())
  }

  /// Both sides of an established connection.
  static func pair() throws -> (client: TLSPeer, server: TLSPeer) {
    let (client, server) = (try client(), try server())
    try client.shake(with: server)
    return (client, server)
  }

  var isEstablished: Bool { engine.isEstablished }
  var version: String { engine.version }
  var agreedHTTP1: Bool { engine.agreedHTTP1 }
  var pending: Int { engine.pendingCiphertext }

  func handshake() throws(TLSFailure) -> TLSHandshake { try engine.handshake() }
  func shutdown() { engine.shutdown() }
  func feedEnd() { engine.feedEnd() }

  /// Feeds all at once.
  func feed(_ bytes: [UInt8]) {
    engine.feed(ciphertext: bytes.span)
  }

  /// Feeds in pieces of at most `piece` bytes, with `step` after each.
  func feed(_ bytes: [UInt8], piece: Int, _ step: () throws -> Void) rethrows {
    var start = 0
    while start < bytes.count {
      let end = start + min(bytes.count - start, piece)
      engine.feed(ciphertext: bytes.span.extracting(start..<end))
      try step()
      start = end
    }
  }

  /// All that waits for the other side.
  func drained() -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1_000)
    while true {
      var span = buffer.mutableSpan
      let count = engine.drainCiphertext(into: &span)
      if count == 0 { return all }
      all += buffer[..<count]
    }
  }

  /// Runs both handshakes to their end; the failure of the client, which this is, is thrown.
  func shake(with server: TLSPeer, piece: Int = .max) throws {
    for _ in 0..<8 {
      _ = try handshake()
      if isEstablished && server.isEstablished { return }
      try server.feed(drained(), piece: piece) { _ = try server.handshake() }
      try feed(server.drained(), piece: piece) { _ = try handshake() }
    }
    Issue.record("the handshake does not end")
  }

  /// One read into a buffer of `count` bytes.
  func read(into count: Int) throws -> TLSRead {
    var buffer = [UInt8](repeating: 0, count: count)
    var span = buffer.mutableSpan
    return try engine.read(into: &span)
  }

  /// Reads until nothing is left; what came, and how it ended.
  func readAll(buffer size: Int = 5_000) throws -> (bytes: [UInt8], end: TLSRead) {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: size)
    while true {
      var span = buffer.mutableSpan
      let read = try engine.read(into: &span)
      guard case .plaintext(let count) = read else { return (all, read) }
      all += buffer[..<count]
    }
  }

  /// One write; how much was taken.
  func write(_ plaintext: [UInt8]) throws -> Int {
    try engine.write(plaintext: plaintext.span)
  }

  /// Everything that `plaintext` becomes, drained whenever the engine takes no more.
  func encrypted(_ plaintext: [UInt8]) throws -> [UInt8] {
    var all: [UInt8] = []
    var rest = plaintext
    while !rest.isEmpty {
      let taken = try write(rest)
      #expect(taken > 0)
      rest.removeFirst(taken)
      all += drained()
    }
    return all
  }
}
