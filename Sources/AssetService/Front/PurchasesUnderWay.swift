// The paid calls that run now: an end of the service waits for them, since an image that is paid
// for is stored even when its client has left (PROMISES.md, O6).
internal import Kernel
internal import Store
internal import Synchronization
internal import Wire

/// One paid call of an upstream that is under way.
struct Purchase: Sendable {
  let generation: GenerationID
  /// The model, as it was asked for.
  let model: String
  let upstream: String
  /// The upstream's own id of the call, once its answer has begun.
  var upstreamRequestID: String?
  /// Unix seconds.
  let since: Int64

  /// What a log says of it.
  var members: [JSONObject.Member] {
    [
      .init(name: "generation_id", value: .string(generation.description)),
      .init(name: "model", value: .string(model)),
      .init(name: "upstream", value: .string(upstream)),
      .init(name: "upstream_request_id", value: JSONValue(upstreamRequestID)),
      .init(name: "since", value: .number(JSONNumber(since))),
    ]
  }
}

/// The paid calls under way, over all loops.
///
/// A call is here from just before its order is sent until its images are durable, or it is known
/// that there are none.
final class PurchasesUnderWay: Sendable {
  private struct State {
    var running: [GenerationID: Purchase] = [:]
  }
  private let state = Mutex(State())

  /// How many there are.
  var count: Int { state.withLock { $0.running.count } }

  /// All of them, the oldest first.
  var all: [Purchase] {
    state.withLock { $0.running.values.sorted { $0.since < $1.since } }
  }

  /// Counts a call until the record goes.
  func begin(_ purchase: Purchase) -> PurchaseRecord {
    state.withLock { $0.running[purchase.generation] = purchase }
    return PurchaseRecord(purchase.generation, self)
  }

  fileprivate func note(_ id: GenerationID, upstreamRequestID: String?) {
    state.withLock { $0.running[id]?.upstreamRequestID = upstreamRequestID }
  }

  fileprivate func end(_ id: GenerationID) {
    state.withLock { $0.running[id] = nil }
  }
}

/// One call under way; it counts until the last reference to this goes.
final class PurchaseRecord: Sendable {
  private let id: GenerationID
  private let purchases: PurchasesUnderWay

  fileprivate init(_ id: GenerationID, _ purchases: PurchasesUnderWay) {
    self.id = id
    self.purchases = purchases
  }

  /// The answer has begun.
  func answered(upstreamRequestID: String?) {
    purchases.note(id, upstreamRequestID: upstreamRequestID)
  }

  deinit { purchases.end(id) }
}
