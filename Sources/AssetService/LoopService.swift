// What one loop answers with: delivery at once, the calls of the API as tasks. Everything a request
// needs beyond what is shared lives here and is touched by this loop only.
internal import Configuration
internal import HTTPServer
internal import Net
internal import Store
internal import Wire

/// The service of one loop.
final class LoopService: HTTPService {
  private let context: ServiceContext
  private let delivery: Delivery
  private let shelf: AssetShelf
  private let gatekeeper: Gatekeeper
  private var log: AccessLogWriter
  private let api: APIDispatcher
  private let counters: LoopCounters

  init(_ context: ServiceContext, _ parts: LoopParts, on loop: isolated EventLoop) throws {
    self.context = context
    let reader = try context.store.loopReader()
    counters = context.metrics.makeLoop()
    shelf = AssetShelf(
      store: context.store,
      reader: try context.store.loopReader(cacheBytes: parts.pageCacheBytes),
      tagHeader: context.settings.cdnTagHeader, capacity: parts.openAssets, counters: counters,
      workers: context.workers)
    delivery = Delivery(keys: context.linkKeys, shelf: shelf, policy: parts.cachePolicy)
    gatekeeper = Gatekeeper(context, reader: reader)
    let clock = try LoopClock(on: loop)
    let desk = UpstreamDesk(context, upstreams: try parts.makeUpstreams(on: loop), clock)
    api = APIDispatcher(
      context, parts, desk: desk, reader: reader, patience: Patience(clock, shelf))
    log = AccessLogWriter(sink: context.log, bases: context.bases)
    loop.atTurnEnd { [unowned self] now in
      counters.turnEnded(nanoseconds: EventLoop.preciseNow - now)
      let (log, shelf) = (log.turnEnded(at: now), shelf.turnEnded(at: now))
      return shelf.map { min($0, log ?? $0) } ?? log
    }
  }

  // MARK: HTTPService

  func answer(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, from peer: Peer,
    into response: inout ResponseWriter
  ) -> Answer {
    guard let name = DeliveryName(head.target, in: bytes), !name.isMisplaced(head.target, bytes)
    else {
      response.tag = RequestKind.api.rawValue
      log.begin(head, bytes, from: peer, path: head.target.path, into: &response)
      return .later
    }
    response.tag = name.kind.rawValue
    log.begin(
      head, bytes, from: peer, path: Self.loggable(name, head.target), into: &response)
    return deliver(name, head, bytes, into: &response) ? .written : .later
  }

  func handle(_ request: Request, on loop: isolated EventLoop) async -> Response {
    let bytes = request.bytes
    if request.head.target.form == .asterisk { return Self.capabilities }
    if let name = DeliveryName(request.head.target, in: bytes.span),
      !name.isMisplaced(request.head.target, bytes.span)
    {
      return await deliver(name, request)
    }
    guard let route = Route(request.head.target, in: bytes.span) else {
      return refuse(
        Failure.unknownRoute(meaning: Route.path(meantBy: request.head.target, in: bytes.span)),
        request, nil)
    }
    return await call(route, request, on: loop)
  }

  func refuse(_ status: Int, _ reason: StaticString, into response: inout ResponseWriter) {
    let failure = Failure.refused(status, reason)
    let envelope = failure.envelope
    counters.refused(status, failure.code)
    log.beginRefused(reason, into: &response)
    response.start(status, closing: true)
    response.lines("Content-Type: application/json\r\nCache-Control: no-store\r\n")
    response.end(envelope.span)
  }

  func finished(_ outcome: ExchangeOutcome, note: Span<UInt8>) {
    counters.record(outcome)
    log.end(outcome, note: note)
  }

  func drained() { log.flush() }

  /// A token opens an image for whoever reads it: the log gets the path before it.
  private static func loggable(_ name: DeliveryName, _ target: RequestTarget) -> Range<Int> {
    if case .link(let token, _) = name { return target.path.lowerBound..<token.lowerBound }
    return target.path
  }

  // MARK: Delivery

  /// `false` when the disk would have to be waited for; nothing is written then.
  private func deliver(
    _ name: DeliveryName, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
    opened: OpenAsset? = nil, into response: inout ResponseWriter
  ) -> Bool {
    switch head.method {
    case .get, .head:
      do throws(DeliveryFailure) {
        try delivery.deliver(name, head, bytes, opened: opened, into: &response)
      } catch {
        if case .notAtHand = error { return false }
        refuse(error, as: name, &response)
      }
    case .options: preflight(&response)
    default: refuse(.methodNotAllowed, &response)
    }
    return true
  }

  /// Delivers what a thread has to open first.
  private func deliver(_ name: DeliveryName, _ request: Request) async -> Response {
    let opened: Result<OpenAsset, DeliveryFailure>
    do throws(DeliveryFailure) {
      opened = .success(try await open(name, request))
    } catch { opened = .failure(error) }
    return Response(
      status: 200,
      body: .written { [self] writer in
        switch opened {
        case .success(let asset):
          let bytes = request.bytes
          let isWritten = deliver(name, request.head, bytes.span, opened: asset, into: &writer)
          if !isWritten { refuse(.notAtHand, &writer) }
        case .failure(let failure): refuse(failure, as: name, &writer)
        }
      })
  }

  private func open(
    _ name: DeliveryName, _ request: Request
  ) async throws(DeliveryFailure) -> OpenAsset {
    let bytes = request.bytes
    let id = try delivery.asset(named: name, bytes.span, now: context.now)
    while true {
      let epoch = shelf.epoch(of: id)
      do {
        let loaded = try await context.store.load(id, smallBytes: Int64(AssetShelf.smallBytes))
        return try shelf.keep(loaded, epoch: epoch)
      } catch let failure as StoreFailure where failure.isNoDescriptor && shelf.closeIdle() {
        continue
      } catch let failure as StoreFailure {
        throw .store(failure)
      } catch let failure as DeliveryFailure {
        throw failure
      } catch { throw .store(StoreFailure(.read, .busy, hint: "\(error)")) }
    }
  }

  private func refuse(
    _ failure: DeliveryFailure, as name: DeliveryName, _ response: inout ResponseWriter
  ) {
    refuse({ if case .permanent = name { failure.underItsID } else { failure } }(), &response)
  }

  private func refuse(_ refusal: DeliveryFailure, _ response: inout ResponseWriter) {
    let failure = refusal.failure
    counters.refused(failure.status, failure.code)
    if let code = failure.code {
      response.note.append(",\"code\":\"")
      response.note.append(utf8: code)
      response.note.append("\"")
    }
    if failure.status >= 500 {
      let id = response.requestID.withSpan { id in id.indices.map { id[$0] } }
      context.log.fault(failure, requestID: id)
    }
    refusal.answer(into: &response)
  }

  /// Any page may fetch images, with ranges and conditions (Fetch standard, CORS preflight).
  private func preflight(_ response: inout ResponseWriter) {
    response.start(204)
    response.lines("Access-Control-Allow-Origin: *\r\n")
    response.lines("Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n")
    // A star does not cover Authorization, which is ignored but may be sent (API.md §2).
    response.lines("Access-Control-Allow-Headers: *, Authorization\r\n")
    response.lines("Access-Control-Max-Age: 86400\r\n")
    response.lines("Allow: GET, HEAD, OPTIONS\r\n")
    response.endWithoutContent()
  }

  // MARK: The API

  private func call(
    _ route: Route, _ request: Request, on loop: isolated EventLoop
  ) async -> Response {
    let origin = request.value(of: .origin)
    var response: Response
    do {
      response = try await respond(to: route, request, on: loop)
    } catch {
      response = refuse(Failure(error), request, route)
    }
    shareWithOrigin(origin, &response)
    return response
  }

  private func respond(
    to route: Route, _ request: Request, on loop: isolated EventLoop
  ) async throws -> Response {
    if request.head.method == .options, let allow = route.allow {
      return preflight(request, allow)
    }
    if let open = try api.answerOpenly(route, request) { return open }
    let caller = try await gatekeeper.caller(of: request, to: route)
    request.addNote(",\"owner\":\(JSONValue.string(caller.owner.name))")
    let call = Call(
      request: request, caller: caller, query: try Query(request),
      bases: Bases(request, context.bases))
    // The operator's calls must get through when all others do not.
    let budget = request.peer.isLocalSocket ? nil : route.budget(of: request.head.method)
    let owner = caller.key == nil ? nil : caller.owner
    let pass = try budget.map { try context.budgets.enter($0, of: owner) }
    var response = try await api.answer(route, call, on: loop)
    // Without it, a cache may make up how long it keeps an owner's answer (RFC 9111 §4.2.2).
    response.add("Cache-Control", "no-store")
    return pass?.covering(response) ?? response
  }

  private func refuse(
    _ failure: Failure, _ request: Request, _ route: Route?
  ) -> Response {
    counters.refused(failure.status, failure.code)
    if let code = failure.code { request.addNote(",\"code\":\(JSONValue.string(code))") }
    if failure.code == "quota_exceeded" { context.metrics.noteQuotaRefusal() }
    var failure = failure
    if case .asset(let id) = route { failure.facts.asset = failure.facts.asset ?? id }
    context.log.fault(failure, requestID: request.id)
    return failure.response
  }

  /// The answer's head is gone already: the client sees a connection that breaks.
  func bodyFailed(_ error: any Error, of request: Request) {
    var failure = Failure(internalError: error)
    failure.facts = Failure(error).facts
    context.log.fault(failure, requestID: request.id)
  }

  // MARK: CORS of the API: off unless origins are named

  private func allows(_ origin: String) -> Bool {
    context.settings.corsOrigins.contains { $0 == "*" || $0 == origin }
  }

  private func shareWithOrigin(_ origin: String?, _ response: inout Response) {
    guard !context.settings.corsOrigins.isEmpty else { return }
    // Also when this one may not read it: the answer to another would differ (RFC 9110 §12.5.5).
    response.add("Vary", "Origin")
    guard let origin, allows(origin) else { return }
    response.add("Access-Control-Allow-Origin", origin)
    response.add("Access-Control-Expose-Headers", "*")
  }

  /// `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7).
  private static var capabilities: Response {
    var response = Response(status: 204, body: .none)
    response.add("Allow", "GET, HEAD, POST, PATCH, DELETE, OPTIONS")
    response.add("Cache-Control", "no-store")
    return response
  }

  private func preflight(_ request: Request, _ allow: StaticString) -> Response {
    var response = Response(status: 204, body: .none)
    response.add("Allow", allow.description)
    guard let origin = request.value(of: .origin), allows(origin) else { return response }
    response.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE")
    // A star does not cover Authorization (Fetch standard).
    response.add(
      "Access-Control-Allow-Headers",
      request.value(of: .accessControlRequestHeaders) ?? "Authorization, Content-Type")
    response.add("Access-Control-Max-Age", "86400")
    return response
  }
}
