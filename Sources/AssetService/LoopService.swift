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
  private let gatekeeper: Gatekeeper
  private let log: AccessLogWriter
  private let api: APIDispatcher

  init(_ context: ServiceContext, _ parts: LoopParts, on loop: isolated EventLoop) throws {
    self.context = context
    let reader = try context.store.reader()
    let shelf = AssetShelf(
      store: context.store, reader: try context.store.reader(),
      tagHeader: context.settings.cdnTagHeader, capacity: parts.openAssets)
    delivery = Delivery(links: context.links, shelf: shelf, policy: parts.cachePolicy)
    gatekeeper = Gatekeeper(context.settings, reader: reader)
    let desk = UpstreamDesk(
      upstreams: try parts.makeUpstreams(on: loop), gates: parts.gates)
    api = APIDispatcher(context, parts, desk: desk, reader: reader)
    let log = AccessLogWriter(sink: context.log)
    self.log = log
    loop.atTurnEnd { log.flush() }
  }

  // MARK: HTTPService

  func answer(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, from peer: Peer,
    into response: ResponseWriter
  ) -> Answer {
    let route = Route(head.target, in: bytes)
    log.begin(head, bytes, from: peer, path: Self.loggable(route, head.target), into: response)
    switch route {
    case .link, .permanent, .deliveryUnknown:
      deliver(route, head, bytes, into: response)
      return .written
    case .unknown, .api:
      return .later
    }
  }

  func handle(_ request: Request, on loop: isolated EventLoop) async -> Response {
    let bytes = request.bytes
    guard case .api(let route) = Route(request.head.target, in: bytes.span) else {
      return Failure.unknownRoute.response
    }
    return await call(route, request, on: loop)
  }

  func refuse(_ status: Int, _ reason: StaticString, into response: ResponseWriter) {
    let failure = Failure.refused(status, reason)
    let envelope = failure.envelope
    response.start(status, closing: true)
    response.lines("Content-Type: application/json\r\nCache-Control: no-store\r\n")
    response.end(envelope.span)
  }

  func finished(_ outcome: ExchangeOutcome, note: Span<UInt8>) { log.end(outcome, note: note) }

  /// A token opens an image for whoever reads it: the log gets the path before it.
  private static func loggable(_ route: Route, _ target: RequestTarget) -> Range<Int> {
    if case .link(let token, _) = route { return target.path.lowerBound..<token.lowerBound }
    return target.path
  }

  // MARK: Delivery

  private func deliver(
    _ route: Route, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
    into response: ResponseWriter
  ) {
    switch head.method {
    case .get, .head:
      do throws(DeliveryFailure) {
        let id = try delivery.deliver(route, head, bytes, into: response)
        noteAsset(id, in: response)
      } catch {
        error.answer(into: response)
      }
    case .options: preflight(response)
    default: DeliveryFailure.methodNotAllowed.answer(into: response)
    }
  }

  private func noteAsset(_ id: AssetID, in response: ResponseWriter) {
    let text = id.text
    response.note.append(",\"asset\":\"")
    response.note.append(text.span)
    response.note.append("\"")
  }

  /// Any page may fetch images, with ranges and conditions (Fetch standard, CORS preflight).
  private func preflight(_ response: ResponseWriter) {
    response.start(204)
    response.lines("Access-Control-Allow-Origin: *\r\n")
    response.lines("Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n")
    response.lines("Access-Control-Allow-Headers: *\r\nAccess-Control-Max-Age: 86400\r\n")
    response.lines("Allow: GET, HEAD, OPTIONS\r\n")
    response.endWithoutContent()
  }

  // MARK: The API

  private func call(
    _ route: Route.API, _ request: Request, on loop: isolated EventLoop
  ) async -> Response {
    let origin = request.value(of: .origin)
    var response: Response
    do {
      response = try await respond(to: route, request, on: loop)
    } catch {
      let failure = Failure(error)
      if failure.status == 500 { noteFault(error, request) }
      response = failure.response
    }
    shareWithOrigin(origin, &response)
    return response
  }

  private func respond(
    to route: Route.API, _ request: Request, on loop: isolated EventLoop
  ) async throws -> Response {
    if request.head.method == .options { return preflight(request) }
    if let open = try api.answerOpenly(route, request) { return open }
    let caller = try gatekeeper.caller(of: request)
    request.addNote(",\"owner\":\(JSONValue.string(caller.owner.name))")
    let call = Call(
      request: request, caller: caller, query: try Query(request),
      bases: Bases(request, context.bases))
    return try await api.answer(route, call, on: loop)
  }

  private func noteFault(_ error: any Error, _ request: Request) {
    context.log.event(
      .error, "internal error",
      .init(name: "request_id", value: .string(String(decoding: request.id, as: UTF8.self))),
      .init(name: "error", value: .string("\(error)")))
  }

  // MARK: CORS of the API: off unless origins are named

  private func allows(_ origin: String) -> Bool {
    context.settings.corsOrigins.contains { $0 == "*" || $0 == origin }
  }

  private func shareWithOrigin(_ origin: String?, _ response: inout Response) {
    guard let origin, allows(origin) else { return }
    response.add("Access-Control-Allow-Origin", origin)
    response.add("Access-Control-Expose-Headers", "*")
    response.add("Vary", "Origin")
  }

  private func preflight(_ request: Request) -> Response {
    var response = Response(status: 204, body: .none)
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
