// Where orders meet upstreams: which one is asked, and who is next when it can not be reached.
internal import Configuration
internal import HTTPClient
internal import HTTPServer
internal import Net
internal import Store
internal import Upstream
internal import Wire

/// What the desk must know of an order.
struct UpstreamErrand {
  let order: GenerationOrder
  let id: GenerationID
  /// Whose order it is.
  let owner: Owner
  /// When an order that still waits in line is given up, in monotonic nanoseconds. The upstream's
  /// own time begins when it is asked.
  let lineDeadline: Int64
  /// Whether the client is there still.
  let isWanted: () -> Bool
  /// A client that tries again by itself would multiply our own attempts.
  let clientRetries: Bool

  init(_ order: GenerationOrder, _ id: GenerationID, _ call: Call, lineDeadline: Int64) {
    self.order = order
    self.id = id
    owner = call.caller.owner
    self.lineDeadline = lineDeadline
    let body = call.request.body
    isWanted = { body.isClientThere }
    clientRetries = (call.request.value(of: .xStainlessRetryCount).flatMap { Int($0) } ?? 0) > 0
  }
}

/// An upstream's answer under way, and where it came from.
final class UpstreamReply: ByteSource {
  /// The upstream's name.
  let upstream: String
  /// Its own id of the call.
  var requestID: String? { answer.requestID }
  /// How often the order was sent, the last time included.
  var attempts: Int { answer.attempts }
  /// When the order's time is over, in monotonic nanoseconds.
  let deadline: Int64
  private let source: any Upstream
  private let answer: any UpstreamAnswer
  /// The call counts as running until its answer is let go of.
  private let pass: UpstreamPass?
  /// The service's end waits for it.
  private let record: PurchaseRecord?

  init(
    _ name: String, _ source: any Upstream, _ answer: any UpstreamAnswer, deadline: Int64,
    _ pass: UpstreamPass? = nil, _ record: PurchaseRecord? = nil
  ) {
    upstream = name
    self.source = source
    self.answer = answer
    self.deadline = deadline
    self.pass = pass
    self.record = record
    record?.answered(upstreamRequestID: answer.requestID)
  }

  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    do {
      let hasMore = try await answer.read(consume)
      if !hasMore { pass?.answered() }
      return hasMore
    } catch let failure as UpstreamFailure {
      pass?.failed(failure)
      throw failure
    }
  }

  /// Takes the upstream's secrets out of what it says.
  var scrubber: Scrubber { source.scrubber }

  /// An upstream that leaves its framing open would hold the answer until its time is over.
  func documentEnded() { answer.expectEnd() }

  /// Gives up the rest: the connection is closed.
  func close() { answer.close() }

  /// Fetches a result that is a URL on the upstream's own origin, within the order's time.
  func fetch(_ url: String, on loop: isolated EventLoop) async throws -> UpstreamReply {
    let answer = try await source.fetch(url, until: deadline, on: loop)
    return UpstreamReply(upstream, source, answer, deadline: deadline)
  }
}

/// The upstreams of one loop.
final class UpstreamDesk {
  private let context: ServiceContext
  private let upstreams: [String: any Upstream]
  /// For all that orders wait for: their turn, and a store that does not take their images.
  let clock: LoopClock

  init(_ context: ServiceContext, upstreams: [String: any Upstream], _ clock: LoopClock) {
    self.context = context
    self.upstreams = upstreams
    self.clock = clock
  }

  /// Sends an order to the first of `candidates` that takes it. The next one is asked only when no
  /// money can have been spent, the client is there still, and the service does not end.
  ///
  /// - Throws: `Failure` with the facts of the last one that was tried.
  func send(
    _ errand: UpstreamErrand, to candidates: [Settings.Upstream], on loop: isolated EventLoop
  ) async throws -> UpstreamReply {
    var tried: String?
    do {
      return try await send(errand, to: candidates, &tried, on: loop)
    } catch {
      var failure = Failure(error)
      failure.facts = errand.order.facts(errand.id, upstream: tried)
      throw failure
    }
  }

  private func send(
    _ errand: UpstreamErrand, to candidates: [Settings.Upstream], _ tried: inout String?,
    on loop: isolated EventLoop
  ) async throws -> UpstreamReply {
    var last: (any Error)?
    for (index, candidate) in candidates.enumerated() {
      guard let upstream = upstreams[candidate.name] else { continue }
      // What the candidates before it did not take has cost time: in line, or asking. An end of the
      // service that came meanwhile sends it no further.
      if let last, context.gates.isDraining { throw last }
      guard last == nil || errand.isWanted() else { throw Failure.clientLeft }
      tried = candidate.name
      let pass: UpstreamPass
      do {
        pass = try await enter(candidate, errand, on: loop)
      } catch {
        guard error.code != "client_left" else { throw error }
        last = error
        continue
      }
      let isLast = index == candidates.count - 1
      do {
        let reply = try await ask(candidate, upstream, errand, isLast: isLast, pass, on: loop)
        tell(errand, candidate, attempts: reply.attempts)
        return reply
      } catch let error as UpstreamFailure {
        pass.failed(error)
        tell(errand, candidate, attempts: error.attempts)
        guard error.isUnspent else { throw error }
        last = error
      }
    }
    throw last ?? Failure.busy
  }

  private func tell(_ errand: UpstreamErrand, _ upstream: Settings.Upstream, attempts: Int) {
    guard attempts > 1 else { return }
    context.log.event(
      .info, "an upstream was asked several times",
      .init(name: "upstream", value: .string(upstream.name)),
      .init(name: "model", value: .string(errand.order.modelName)),
      .init(name: "generation_id", value: .string(errand.id.description)),
      .init(name: "attempts", value: .number(JSONNumber(attempts))))
  }

  /// Waits for a turn, as long as the order's time in line lasts.
  private func enter(
    _ candidate: Settings.Upstream, _ errand: UpstreamErrand, on loop: isolated EventLoop
  ) async throws(Failure) -> UpstreamPass {
    var wait: Int?
    defer { if let wait { clock.forget(wait) } }
    let pass = try await context.gates.enter(candidate, for: errand.owner) { place in
      wait = clock.call(at: errand.lineDeadline, on: loop) { _ = place.finish(.late) }
    }
    // A client that has left meanwhile needs no image that is not bought yet.
    guard wait == nil || errand.isWanted() else { throw .clientLeft }
    return pass
  }

  private func ask(
    _ candidate: Settings.Upstream, _ upstream: any Upstream, _ errand: UpstreamErrand,
    isLast: Bool, _ pass: UpstreamPass, on loop: isolated EventLoop
  ) async throws -> UpstreamReply {
    try await beginFile()
    let order = errand.order
    let timeout = order.model.timeout.nanoseconds
    var request = UpstreamOrder(
      model: order.upstreamModel, parameters: try order.parameters(for: candidate),
      timeoutNanoseconds: timeout,
      // While another upstream is left, that one is the second attempt.
      mayRetry: isLast && !errand.clientRetries)
    let (unwritten, dialect) = (request, type(of: upstream))
    request.document = try await context.workers.run(over: order.bytes) {
      dialect.document(of: unwritten)
    }
    let record = context.purchases.begin(
      Purchase(
        generation: errand.id, model: order.modelName, upstream: candidate.name,
        since: loop.wallSeconds))
    let deadline = loop.now + timeout
    // An order that waits to be sent once more is not sent: one in line is no different.
    let mayBuy = { [gates = context.gates] in errand.isWanted() && !gates.isDraining }
    let answer = try await upstream.generate(request, while: mayBuy, on: loop)
    return UpstreamReply(candidate.name, upstream, answer, deadline: deadline, pass, record)
  }

  /// Where no file can be begun (no inode, no descriptor, a full or failing disk) nothing is
  /// bought. No space is asked for: the order has its own.
  private func beginFile() async throws {
    try context.store.requireWritable()
    try await context.workers.run { [store = context.store] in
      _ = try store.begin(try store.reserve(0))
    }
  }
}

extension GenerationOrder {
  /// The model's name, as it was asked for: one that stands behind `*` keeps its own.
  var modelName: String {
    model.id == "*" ? parameters["model"]?.string ?? model.id : model.id
  }

  /// What the log says of a failure of this order.
  func facts(_ id: GenerationID, upstream: String?) -> FaultFacts {
    FaultFacts(upstream: upstream, model: modelName, generation: id.description)
  }
}

extension Failure {
  static func upstreamBusy(_ name: String) -> Failure {
    Failure(
      503, .server, "upstream_busy",
      "The upstream \"\(name)\" has as many calls waiting as it may have.",
      retryAfter: 5)
  }

  /// Its time was over before its turn came.
  static func lateInLine(_ name: String) -> Failure {
    Failure(
      503, .server, "upstream_busy",
      "The order's time was over while it waited for its turn at the upstream \"\(name)\"; it was "
        + "not sent.",
      retryAfter: 5)
  }

  /// The service ends.
  static let ending = Failure(
    503, .server, "shutting_down", "The server is about to end; the order was not sent.",
    retryAfter: 1)

  /// Nobody waits for the answer any more; this is for the log.
  static let clientLeft = Failure(
    503, .server, "client_left",
    "The client ended its connection before the order's turn came; it was not sent.")

  /// It is asked again after `nanoseconds`.
  static func upstreamUnavailable(
    _ name: String, failures: Int, nanoseconds: Int64
  ) -> Failure {
    let seconds = Int((nanoseconds + 999_999_999) / 1_000_000_000)
    return Failure(
      503, .upstream, "upstream_unavailable",
      "The upstream \"\(name)\" did not answer its last \(failures) calls; it is asked again in "
        + "\(seconds) s.",
      retryAfter: seconds)
  }
}
