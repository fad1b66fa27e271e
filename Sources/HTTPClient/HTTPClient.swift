// Calls to other servers: HTTP/1.1 over our own loops, TLS by libssl. A call is exact about one
// thing above all: whether anything of its request was sent (ClientFailure.isBeforeSending).
public import Net
internal import Wire

/// The loop that a client lives on; for those who call it and need no more of `Net`.
public typealias ClientLoop = EventLoop

extension ClientLoop {
  /// Monotonic nanoseconds when the current turn began.
  public var turnNanoseconds: Int64 { now }
  /// Seconds since 1970 when the current turn began.
  public var turnWallSeconds: Int64 { wallSeconds }
}

/// What one client keeps at most.
public struct ClientLimits: Sendable {
  /// Connections that wait for another call.
  public var idleConnections = 32
  /// Those of one origin.
  public var idlePerOrigin = 4
  /// Nanoseconds that a connection waits for another call, give or take 5 s.
  public var idleTimeout: Int64 = 30_000_000_000

  /// The defaults.
  public init() {}
}

/// Makes calls, on one loop.
public final class HTTPClient {
  let trust: TLSTrust
  let limits: ClientLimits
  let resolver: HostResolver
  private let clock: LoopClock
  private var pool: ConnectionPool

  /// A client of `loop`. Names are looked up on threads of `lookups`, which all clients may share.
  /// Throws when there is no descriptor left.
  public init(
    lookups: HostLookups, trust: TLSTrust, limits: ClientLimits = ClientLimits(),
    on loop: isolated EventLoop
  ) throws {
    self.trust = trust
    self.limits = limits
    clock = try LoopClock(on: loop)
    resolver = HostResolver(lookups: lookups, clock: clock)
    pool = ConnectionPool(limit: limits.idleConnections, limitPerOrigin: limits.idlePerOrigin)
  }

  /// How many connections wait for another call.
  public var idleConnections: Int { pool.count }

  /// How many of its answers and calls wait for a moment, or are given up at one.
  public var waits: Int { clock.waitCount }

  /// Closes what is idle; calls under way go on.
  public func close(on loop: isolated EventLoop) {
    pool.empty()
    clock.close(on: loop)
  }

  /// Comes back after so many nanoseconds.
  public func pause(_ nanoseconds: Int64, on loop: isolated EventLoop) async {
    await clock.sleep(until: loop.now + max(0, nanoseconds), on: loop)
  }

  /// Gives up what is left of an answer after so many nanoseconds: who reads it finds its end.
  ///
  /// - Returns: takes that back.
  public func giveUp(
    _ response: ClientResponse, after nanoseconds: Int64, on loop: isolated EventLoop
  ) -> () -> Void {
    let body = response.body
    let wait = clock.call(at: loop.now + nanoseconds, on: loop) { [weak body] in body?.abandon() }
    return { [clock] in clock.forget(wait) }
  }

  /// Sends a request; comes back with the head of the final answer, whatever its status.
  ///
  /// Redirects are answers like any other. A call that may be repeated and meets a kept connection
  /// that turns out to be dead is sent again, once, over a new one.
  public func call(
    _ request: ClientRequest, on loop: isolated EventLoop
  ) async throws(ClientFailure) -> ClientResponse {
    let head = try request.head()
    // Not from the turn's beginning: what its other tasks took is none of this call's time.
    let deadline = EventLoop.preciseNow + request.timeout
    if !request.freshConnection, let kept = takeQuiet(request) {
      do throws(ClientFailure) {
        return try await exchange(request, head, over: kept, until: deadline, on: loop)
      } catch {
        guard case .lost = error, !kept.hasReceived, request.method.isIdempotent else {
          throw error
        }
      }
    }
    let connection = try await connect(request, until: deadline, on: loop)
    if request.freshConnection {
      await clock.sleep(until: EventLoop.preciseNow + Self.listenNanoseconds, on: loop)
    }
    // A server that left may be asked again; one that answers unasked is not to be believed.
    guard connection.listen() != .spoke else {
      connection.close()
      throw .spokeFirst
    }
    return try await exchange(request, head, over: connection, until: deadline, on: loop)
  }

  /// How long a new connection is listened to before what is sent once goes out: bytes that come
  /// later can not be told from its answer.
  private static let listenNanoseconds: Int64 = 1_000_000

  /// A kept connection on which nothing came meanwhile: the loop tells of bytes at its next turn,
  /// which is too late for a call that begins in this one.
  private func takeQuiet(_ request: ClientRequest) -> ClientConnection? {
    while let kept = pool.take(request.origin, request.addresses) {
      if kept.listen() == .quiet { return kept }
      kept.close()
    }
    return nil
  }

  private func exchange(
    _ request: ClientRequest, _ head: [UInt8], over connection: ClientConnection,
    until deadline: Int64, on loop: isolated EventLoop
  ) async throws(ClientFailure) -> ClientResponse {
    connection.begin(until: deadline, on: loop)
    let exchange = Exchange(request, over: connection)
    do throws(ClientFailure) {
      try await exchange.run(head)
      return response(to: request, exchange)
    } catch {
      connection.close()
      throw error
    }
  }

  private func response(to request: ClientRequest, _ exchange: Exchange) -> ClientResponse {
    let connection = exchange.connection
    let bytes = connection.input.withSpan {
      [UInt8](copying: $0.extracting(0..<exchange.headLength))
    }
    connection.input.removeFirst(exchange.headLength)
    let keeps = exchange.head.keepsAlive && exchange.isSent && !request.freshConnection
    let body = ResponseBodyReader(
      exchange.head.body, ContentCoding(exchange.head, bytes.span), over: connection,
      limit: request.responseLimit
    ) { [weak self] connection in
      // Bytes behind the answer belong to nothing.
      guard let self, keeps, !connection.hasUnread, !connection.isGone, !connection.isLate else {
        return connection.close()
      }
      pool.put(connection)
    }
    return ClientResponse(exchange, body: body, bytes: bytes)
  }
}
