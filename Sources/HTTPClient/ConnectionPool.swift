/// Connections that wait for another call, the one used last at the end.
struct ConnectionPool {
  private let limit: Int
  private let limitPerOrigin: Int
  private var idle: [ClientConnection] = []

  init(limit: Int, limitPerOrigin: Int) {
    self.limit = limit
    self.limitPerOrigin = limitPerOrigin
  }

  var count: Int { idle.count }

  /// Takes the connection to an origin that was used last.
  mutating func take(_ origin: [UInt8], _ addresses: AddressPolicy) -> ClientConnection? {
    idle.removeAll { $0.state == .closed }
    // One that a laxer call opened is not for a stricter one.
    let found = idle.lastIndex { $0.origin == origin && addresses.allows($0.peer) }
    return found.map { idle.remove(at: $0) }
  }

  /// Keeps a connection; the oldest make room.
  mutating func put(_ connection: ClientConnection) {
    idle.removeAll { $0.state == .closed }
    connection.rest()
    let siblings = idle.indices.filter { idle[$0].origin == connection.origin }
    if let oldest = siblings.first, siblings.count >= limitPerOrigin {
      idle.remove(at: oldest).close()
    } else if idle.count >= limit, !idle.isEmpty {
      idle.removeFirst().close()
    }
    idle.append(connection)
  }

  /// Closes all.
  mutating func empty() {
    for connection in idle { connection.close() }
    idle = []
  }
}
