// One event for each answer of 5xx, with what an operator needs: the client hears less.
internal import Configuration
internal import Wire

/// What a failure was about, as far as whoever throws it knows.
struct FaultFacts: Sendable {
  /// The upstream's name in the configuration.
  var upstream: String?
  /// The model that was asked for.
  var model: String?
  /// `gen-…`
  var generation: String?
  /// `img-…`
  var asset: String?

  /// Takes what it does not say from `other`.
  mutating func fill(from other: FaultFacts) {
    upstream = upstream ?? other.upstream
    model = model ?? other.model
    generation = generation ?? other.generation
    asset = asset ?? other.asset
  }

  fileprivate var members: [JSONObject.Member] {
    [("upstream", upstream), ("model", model), ("generation_id", generation), ("asset", asset)]
      .compactMap { name, value in
        value.map { JSONObject.Member(name: name, value: .string($0)) }
      }
  }
}

extension LogSink {
  /// Tells of an answer of 5xx, or of a fault behind another one; nothing for any other answer.
  ///
  /// - Parameter requestID: the exchange's `x-request-id`.
  func fault(_ failure: Failure, requestID: [UInt8]) {
    guard failure.status >= 500 || failure.cause != nil else { return }
    // That we are busy, full or read-only says little of a single request.
    let level: Settings.Log.Level =
      failure.status == 503 || failure.status == 507 ? .warning : .error
    var members: [JSONObject.Member] = [
      .init(name: "request_id", value: .string(String(decoding: requestID, as: UTF8.self))),
      .init(name: "status", value: .number(JSONNumber(failure.status))),
      .init(name: "code", value: JSONValue(failure.code)),
      .init(name: "error", value: .string(failure.message)),
    ]
    if let cause = failure.cause {
      members.append(.init(name: "cause", value: .string(cause)))
    }
    members += failure.facts.members
    if let id = failure.upstreamRequestID {
      members.append(.init(name: "upstream_request_id", value: .string(id)))
    }
    event(level, "a request failed", members)
  }
}
