// From a name to a connection: every address is judged before one of them is connected to, and the
// connection goes to that very address, so that no second look-up can answer otherwise.
internal import Net
internal import Wire

extension HTTPClient {
  /// A new connection for a request, secured when its scheme asks for it.
  func connect(
    _ request: ClientRequest, until deadline: Int64, on loop: isolated EventLoop
  ) async throws(ClientFailure) -> ClientConnection {
    let deadline = min(deadline, EventLoop.preciseNow + request.connectTimeout)
    let peers = try await addresses(request, until: deadline, on: loop)
    var failure = ClientFailure.unreachable("no address")
    for (index, peer) in peers.enumerated() {
      // A silent address must leave time for the next one.
      let share = max(0, deadline - EventLoop.preciseNow) / Int64(peers.count - index)
      do throws(ClientFailure) {
        return try await connect(request, peer, until: EventLoop.preciseNow + share, on: loop)
      } catch {
        // Who answers with a wrong certificate is there: another address would not make it right.
        if case .tls = error { throw error }
        failure = error
      }
    }
    throw failure
  }

  private func addresses(
    _ request: ClientRequest, until deadline: Int64, on loop: isolated EventLoop
  ) async throws(ClientFailure) -> [Peer] {
    if let path = request.localSocket { return [Peer(localSocket: path)] }
    let (host, port) = (request.url.host, request.url.parts.port)
    switch await resolver.look(up: host, port: port, until: deadline, on: loop) {
    case .failed(let reason): throw .unreachable("\(host): \(reason)")
    case .busy: throw .exhausted("too many look-ups wait")
    case .late: throw .timedOut(.resolving, afterSending: false)
    case .found(let peers):
      // One bad address spoils the name: who mixes them wants the check to meet the good one.
      for peer in peers where !request.addresses.allows(peer) {
        throw .refusedAddress("\(host) has the address \(peer.host)")
      }
      return peers
    }
  }

  private func connect(
    _ request: ClientRequest, _ peer: Peer, until deadline: Int64, on loop: isolated EventLoop
  ) async throws(ClientFailure) -> ClientConnection {
    let connection = ClientConnection(
      origin: request.origin, peer: peer, idleTimeout: limits.idleTimeout)
    if let failure = connection.start(on: loop) { throw failure }
    connection.setDeadline(deadline, on: loop)
    do throws(ClientFailure) {
      while !connection.canWrite, !connection.isGone {
        if connection.isLate { throw .timedOut(.connecting, afterSending: false) }
        await connection.wait()
      }
      if let failure = connection.connectFailure() {
        throw .unreachable("\(peer.host): \(failure)")
      }
      if request.url.parts.scheme == .https {
        try await secure(connection, for: request.url.host)
      }
    } catch {
      connection.close()
      throw error
    }
    return connection
  }

  private func secure(
    _ connection: ClientConnection, for host: String
  ) async throws(ClientFailure) {
    do throws(TLSTrust.Unusable) {
      connection.secure(with: try trust.layer(for: host))
    } catch { throw .tls(error.description) }
    while true {
      switch connection.handshake() {
      case .done: return
      case .failed(let reason): throw .tls(reason)
      case .wouldBlock:
        if connection.isLate { throw .timedOut(.securing, afterSending: false) }
        await connection.wait()
      }
    }
  }
}
