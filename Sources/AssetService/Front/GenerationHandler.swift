// The second straight way: an order becomes images that are hosted before the client hears of them.
//
//   order ─► space and quota reserved ─► line ─► upstream ─► AnswerIntake ─► rows ─► answer
//
// Docs: AssetService.docc/PaidPath.md has what becomes of an order at each of these places.
internal import Configuration
internal import Crypto
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store
internal import Upstream
internal import Wire

/// The generations call; one per loop.
struct GenerationHandler {
  let context: ServiceContext
  let catalog: ModelCatalog
  let desk: UpstreamDesk
  let reader: CatalogReader
  let patience: Patience
  /// Prompts are short; the largest known options are a few KiB.
  private static let bodyLimit: Int64 = 1 << 20

  /// Whatever goes wrong, the log hears of which order.
  func answer(_ call: Call, on loop: isolated EventLoop) async throws -> Response {
    try call.caller.require(.generate)
    let arrival = loop.now
    let body = try await call.request.body.collect(limit: Self.bodyLimit)
    let (caller, defaults) = (call.caller, context.settings.defaults)
    let order = try await context.workers.run(over: body.count) { [catalog] in
      try GenerationOrder(
        try Call.object(body), catalog: catalog, caller: caller, defaults: defaults)
    }
    let id = GenerationID(number: UInt128(bytes: SystemRandom.bytes16()))
    do {
      return try await generate(order, id, call, arrival: arrival, on: loop)
    } catch {
      var failure = Failure(error)
      failure.facts.fill(from: order.facts(id, upstream: nil))
      throw failure
    }
  }

  func generate(
    _ order: GenerationOrder, _ id: GenerationID, _ call: Call, arrival: Int64,
    on loop: isolated EventLoop
  ) async throws -> Response {
    let usable = try catalog.upstreams(of: order.model)
    let (space, promise) = try await reserve(order, id, call)
    let errand = UpstreamErrand(
      order, id, call, lineDeadline: arrival + order.model.timeout.nanoseconds)
    let started = SystemClock.monotonicNanoseconds
    let reply = try await desk.send(errand, to: usable, on: loop)
    var rehost = Rehost(
      context: context, order: order, call: call, id: id, space: space, promise: promise,
      reader: reader, patience: patience)
    try await rehost.take(reply, on: loop)
    try await rehost.publish(by: desk.clock, on: loop)
    let milliseconds = (SystemClock.monotonicNanoseconds - started) / 1_000_000
    return try await rehost.response(upstream: reply, milliseconds: milliseconds, on: loop)
  }

  /// A full store, and a quota that is used up, are 507 before money is spent.
  private func reserve(
    _ order: GenerationOrder, _ id: GenerationID, _ call: Call
  ) async throws -> (ReservedSpace, OwnerPromise) {
    let bytes = order.expectedBytes
    try context.store.requireWritable()
    let space = try await context.workers.run { [store = context.store] in
      try ReservedSpace(bytes, in: store)
    }
    let promise = try await context.store.promise(
      bytes, for: id, of: call.caller.owner, quota: call.caller.key?.quota)
    return (space, promise)
  }
}

extension UInt128 {
  /// Sixteen bytes, the first one highest.
  init(bytes: InlineArray<16, UInt8>) {
    self = bytes.indices.reduce(0) { $0 << 8 | UInt128(bytes[$1]) }
  }
}
