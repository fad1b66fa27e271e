// The server: one listener per loop and endpoint, one service per loop, one way to end.
public import Net

/// An HTTP/1.1 server on a set of event loops.
public final class HTTPServer: Sendable {
  /// Makes the service of one loop; called on that loop.
  public typealias MakeService = @Sendable (isolated EventLoop) throws -> any HTTPService

  private let admission: Admission
  /// The loops' own servers, each reached only on its loop.
  private let servers: [(loop: EventLoop, id: ResidentID)]

  /// A server on running loops. `coldReaders` bring files that are not in memory from the disk, so
  /// that the loops need not wait for it.
  public init(
    loops: [EventLoop], limits: ServerLimits, coldReaders: ColdReaders? = nil,
    makeService: @escaping MakeService
  ) async throws {
    let admission = Admission(
      limit: limits.connections, limitPerAddress: limits.connectionsPerAddress)
    self.admission = admission
    var servers: [(loop: EventLoop, id: ResidentID)] = []
    for loop in loops {
      let id = try await loop.run { loop in
        let service = try makeService(loop)
        return loop.keep(
          ServerLoop(
            limits: limits, admission: admission, service: service, coldReaders: coldReaders,
            on: loop))
      }
      servers.append((loop, id))
    }
    self.servers = servers
  }

  /// Connections now.
  public var connectionCount: Int { admission.current }

  /// Listens on `endpoint` with every loop (on a path with the first: it can not be shared);
  /// returns it with its real port.
  ///
  /// - Throws: `Errno` of bind(2) or listen(2), such as an address in use.
  public func listen(
    at endpoint: Endpoint, isExempt: @escaping @Sendable (Peer) -> Bool
  ) async throws -> Endpoint {
    try TCPListener.clearStaleName(of: endpoint)
    var real = endpoint
    for (loop, id) in TCPListener.canShare(endpoint) ? servers[...] : servers.prefix(1) {
      let (asked, joining) = (real, loop !== servers.first?.loop)
      real = try await loop.run { loop in
        let server: ServerLoop? = loop.resident(id)
        return try server?.listen(at: asked, joining: joining, isExempt: isExempt, on: loop)
          ?? asked
      }
    }
    return real
  }

  /// Listens on a socket in the file system, with one loop: it serves this machine's operator.
  ///
  /// - Throws: `Errno` of bind(2) or listen(2).
  public func listenLocally(at endpoint: Endpoint) async throws {
    guard let (loop, id) = servers.first else { return }
    try await loop.run { loop in
      let server: ServerLoop? = loop.resident(id)
      _ = try server?.listen(at: endpoint, joining: false, isExempt: { _ in true }, on: loop)
    }
  }

  /// Stops accepting and waits for the running exchanges. After `clientTime` the connections that
  /// are left are closed; handlers are waited for to their end: what they ordered is paid for.
  public func drain(clientTime: Duration) async {
    let deadline = Task {
      try await Task.sleep(for: clientTime)
      await onEachLoop { server, loop in server.closeConnections(on: loop) }
    }
    await withTaskGroup(of: Void.self) { group in
      for (loop, id) in servers {
        group.addTask {
          await loop.run { loop in
            let server: ServerLoop? = loop.resident(id)
            await server?.drain(on: loop)
          }
        }
      }
    }
    deadline.cancel()
  }

  /// Makes `drain` return soon, whatever still runs. Waits for nothing: a loop that has ended since
  /// never runs what it is asked for, and who waited would keep all that it holds for ever.
  public func abandon() {
    for (loop, id) in servers {
      Task {
        await loop.run { loop in
          guard let server: ServerLoop = loop.resident(id) else { return }
          server.closeConnections(on: loop)
          server.abandon()
        }
      }
    }
  }

  private func onEachLoop(
    _ body: @Sendable (ServerLoop, isolated EventLoop) -> Void
  ) async {
    for (loop, id) in servers {
      await loop.run { loop in
        if let server: ServerLoop = loop.resident(id) { body(server, loop) }
      }
    }
  }
}
