// Whether the service lives, and whether it can be used (API.md §7).
internal import HTTPServer
internal import Store
internal import Wire

/// `/healthz` and `/readyz`.
struct HealthHandlers {
  let context: ServiceContext

  /// The process answers: that is all.
  var alive: Response { Self.answer(200, ["status": "ok"]) }

  /// It can read and write; 503 while it drains, is read-only or full.
  var ready: Response {
    if context.state.isDraining { return Self.answer(503, ["status": "draining"]) }
    if case .readOnly(let cause) = context.store.health {
      return Self.readOnly(cause, context.store)
    }
    if context.store.isFull { return Self.answer(503, ["status": "full"]) }
    let damaged = context.store.damagedBlobs.current
    guard damaged > 0 else { return Self.answer(200, ["status": "ready"]) }
    // It serves all others: an operator is to know, not the load balancer.
    return Self.answer(
      200, ["status": "ready", "damaged_blobs": .number(JSONNumber(damaged))])
  }

  private static func readOnly(_ cause: StoreHealth.Cause, _ store: Store) -> Response {
    var body: [JSONObject.Member] = [
      .init(name: "status", value: "read_only"),
      .init(name: "reason", value: .string(cause.rawValue)),
    ]
    if cause == .diskStalled, let since = store.stalledSince {
      body.append(.init(name: "since", value: .number(JSONNumber(since))))
    }
    return answer(503, .object(JSONObject(body)))
  }

  private static func answer(_ status: Int, _ body: JSONValue) -> Response {
    var response = Response(status: status, json: body.bytes)
    response.add("Cache-Control", "no-store")
    return response
  }
}
