// The second straight way: an order becomes images that are hosted before the client hears of them.
//
//   order ─► space reserved ─► upstream ─► AnswerIntake ─► rows ─► answer with URLs or base64
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
  /// Prompts are short; the largest known options are a few KiB.
  private static let bodyLimit: Int64 = 1 << 20

  func generate(_ call: Call, on loop: isolated EventLoop) async throws -> Response {
    try call.caller.require(.generate)
    let body = try await call.json(limit: Self.bodyLimit)
    let order = try GenerationOrder(
      body, catalog: catalog, caller: call.caller, defaults: context.settings.defaults)
    let usable = try catalog.upstreams(of: order.model)
    // A full store is 507 before money is spent.
    let space = try ReservedSpace(
      Int64(order.n) * order.model.expectedBytes, in: context.store)
    let id = GenerationID(number: UInt128(bytes: SystemRandom.bytes16()))
    let started = SystemClock.monotonicNanoseconds
    let reply = try await desk.send(order, to: usable, on: loop)
    var rehost = Rehost(context: context, order: order, call: call, id: id, space: space)
    try await rehost.take(reply, on: loop)
    try await rehost.publish()
    let milliseconds = (SystemClock.monotonicNanoseconds - started) / 1_000_000
    return rehost.response(upstream: reply, milliseconds: milliseconds)
  }
}

extension UInt128 {
  /// Sixteen bytes, the first one highest.
  init(bytes: InlineArray<16, UInt8>) {
    self = bytes.indices.reduce(0) { $0 << 8 | UInt128(bytes[$1]) }
  }
}
